package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.image.TestTar;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.Filters;
import carafe.spec.docker.NetworkingConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Mounts of the `Mounts` of a request, with real containers.
final class LinuxMountsTest {

    private static final StopRequest KILL = new StopRequest(Optional.of("KILL"), Optional.of(0));

    private LinuxStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = new LinuxStage();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        var left = stage.leftAfterRemoval();
        stage.close();
        assertThat(left).isEmpty();
    }

    private int run(String name, String host, String script) throws Exception {
        stage.containers().create(request(name, host, "sh", "-c", script));
        return again(name);
    }

    private int again(String name) throws Exception {
        var wait = stage.containers().await(name, WaitCondition.NEXT_EXIT);
        stage.containers().start(name);
        return wait.await().exitCode();
    }

    @Test
    void aTmpfsHasTheOptionsThatItsMountNames() throws Exception {
        String mount = "{\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/t\",\"TmpfsOptions\":{\"SizeBytes\":65536,\"Mode\":448,"
                + "\"Options\":[[\"uid\",\"1000\"],[\"nr_inodes\",\"50\"],[\"exec\"]]}},"
                + "{\"Type\":\"tmpfs\",\"Target\":\"/u\",\"ReadOnly\":true,\"TmpfsOptions\":{\"Options\":[[\"size\",\"1m\"]]}},"
                + "{\"Type\":\"tmpfs\",\"Target\":\"/v\"}]}";
        assertThat(run("one", mount, "busybox grep -E ' /[tuv] ' /proc/mounts; busybox stat -c '%a %u' /t; ! touch /u/x")).isZero();
        var lines = stage.log("one").lines().toList();
        assertThat(lines.get(0)).startsWith("tmpfs /t tmpfs rw,")
                .contains("size=64k").contains("nr_inodes=50").contains("mode=700").contains("uid=1000").doesNotContain("noexec");
        assertThat(lines.get(1)).startsWith("tmpfs /u tmpfs ro,").contains("size=1024k").contains("noexec");
        assertThat(lines.get(2)).startsWith("tmpfs /v tmpfs rw,").contains("noexec").contains("nosuid").contains("nodev");
        assertThat(lines.get(3)).isEqualTo("700 1000");
        assertThatThrownBy(() -> stage.containers().create(request("bad", "{\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/t\","
                + "\"TmpfsOptions\":{\"Options\":[[\"color\",\"red\"]]}}]}", "true")))
                .isInstanceOf(EngineException.Invalid.class).hasMessage("invalid tmpfs option [\"color\" \"red\"]");
    }

    @Test
    void theSourceOfABindIsMadeOnlyWhereItsMountSaysSo() throws Exception {
        Path source = stage.root.resolve("made/by/it");
        String mount = "{\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"" + source + "\",\"Target\":\"/b\"%s}]}";
        assertThatThrownBy(() -> stage.containers().create(request("none", mount.formatted(""), "true")))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("invalid mount config for type \"bind\": bind source path does not exist: " + source);
        assertThat(source).doesNotExist();
        String made = mount.formatted(",\"BindOptions\":{\"CreateMountpoint\":true}");
        assertThat(run("one", made, "echo x > /b/f")).isZero();
        assertThat(source.resolve("f")).hasContent("x");
        assertThat(Files.getAttribute(source, "unix:uid")).isEqualTo(0);
        assertThat((int) Files.getAttribute(source, "unix:mode") & 07777).isEqualTo(0755);
        assertThat(again("one")).as("it is there now").isZero();
    }

    /// The volume's own directory gets the owner and the mode of the image's, and so does all that is in it.
    @Test
    void theImagesContentKeepsItsOwnersInANewVolume() throws Exception {
        stage.load("owned:latest", new TestTar()
                .add(TestTar.directory("home")).add(TestTar.directory("home/app").owner(1000, 1001).mode(02750))
                .add(TestTar.file("home/app/f", "x").owner(1002, 1003).mode(0640))
                .add(TestTar.directory("home/empty").owner(5, 6).mode(01777)));
        String mounts = "{\"Binds\":[\"full:/home/app\",\"empty:/home/empty\",\"bare:/home/app2:nocopy\"]}";
        var config = ContainerConfig.parse((Json.Obj) Json.parse(
                "{\"Image\":\"owned\",\"Cmd\":[\"true\"]}"));
        stage.containers().create(new CreateRequest("maker", "", config, request("x", mounts, "x").host(),
                NetworkingConfig.NONE));
        assertThat(run("looker", "{\"Binds\":[\"full:/a\",\"empty:/b\",\"bare:/c\"]}",
                "cd /; busybox stat -c '%n %u %g %a' /a /a/f /b /c")).isZero();
        assertThat(stage.log("looker")).isEqualTo("/a 1000 1001 2750\n/a/f 1002 1003 640\n/b 5 6 1777\n/c 0 0 755\n");
        stage.containers().remove("looker", new RemoveRequest(true, true));
        stage.containers().remove("maker", new RemoveRequest(true, true));
        for (String name : List.of("full", "empty", "bare")) {
            stage.engine.volumes().remove(name, false);
        }
    }

    /// What a container mounts of an image it has as long as it is there, whatever becomes of the image's name.
    @Test
    void aMountedImageOutlivesItsNameAndTheEngine() throws Exception {
        stage.load("tools:latest", new TestTar().add(TestTar.directory("lib")).add(TestTar.file("lib/f", "from the image\n")));
        long alone = layers();
        String mount = "{\"Mounts\":[{\"Type\":\"image\",\"Source\":\"tools\",\"Target\":\"/img\"}]}";
        stage.containers().create(request("user", mount, "sh", "-c", "cat /img/lib/f; while true; do sleep 100; done"));
        stage.containers().start("user");
        EngineHarness.eventually(() -> stage.log("user").equals("from the image\n"));
        assertThat(stage.engine.images().remove("tools", true)).contains(new ImageRemoval.Untagged("tools:latest"));
        assertThat(images()).singleElement().asString().contains("app");
        assertThat(layers()).isEqualTo(alone);
        assertThatThrownBy(() -> stage.containers().create(request("late", mount, "true")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("tools");
        stage.engine.images().prune(Filters.NONE);

        stage.crash();
        stage.containers().stop("user", KILL);
        stage.containers().start("user");
        EngineHarness.eventually(() -> stage.log("user").equals("from the image\nfrom the image\n"));
        stage.containers().remove("user", new RemoveRequest(true, false));
        stage.engine.settle();
        stage.engine.images().prune(Filters.NONE);
        assertThat(layers()).as("nobody has it any more").isLessThan(alone);
    }

    private long layers() throws Exception {
        return stage.engine.images().layerBytes();
    }

    private List<String> images() throws Exception {
        return stage.engine.images().list(Filters.NONE).stream().flatMap(image -> image.tags().stream().map(Object::toString)).toList();
    }
}
