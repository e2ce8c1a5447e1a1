package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The commands on volumes that Docker lacks, through pipes, files and a terminal; and the daemon dies while they work.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeVolumesTest {

    private final CarafeDaemon engine = new CarafeDaemon();

    CarafeVolumesTest() throws Exception {}

    @BeforeAll
    void begin() throws Exception {
        engine.start();
        carafe("load", "-i", TestImages.dockerArchive(engine.directory()).toString()).run().good();
    }

    @AfterEach
    void removeVolumes() throws Exception {
        carafe("volume", "prune", "-af").run().good();
    }

    @AfterAll
    void end() {
        engine.close();
    }

    private Command carafe(String... words) {
        return Client.carafe().to(engine).and(words);
    }

    private List<String> volumes() throws Exception {
        return carafe("volume", "ls", "-q").run().good().lines();
    }

    private String inside(String volume, String script) throws Exception {
        var made = carafe("run", "--rm", "-v", volume + ":/d", "busybox", "sh", "-c", script).run().good();
        return made.text();
    }

    private void make() throws Exception {
        carafe("volume", "create", "--label", "of=mine", "data").run().good();
        inside("data", "echo kept > /d/f && chown 5:6 /d/f && chmod 640 /d/f && ln -s f /d/l && mkdir /d/sub");
    }

    @Test
    void whatIsInsideGoesThroughPipesAndFiles() throws Exception {
        make();
        Path cli = Client.carafe().program();
        var piped = Command.of("sh", "-c", cli + " volume export data | " + cli + " volume import copy")
                .with("DOCKER_HOST", engine.host()).with("HOME", engine.directory().toString()).run().good();
        assertThat(piped.text()).isEqualTo("copy");
        Path archive = engine.directory().resolve("archive.tar");
        assertThat(carafe("volume", "export", "-o", archive.toString(), "data").run().good().out()).isEmpty();
        assertThat(carafe("volume", "import", "filed", archive.toString()).run().good().text()).isEqualTo("filed");
        assertThat(carafe("volume", "import", "dashed", "-").stdin(Files.readAllBytes(archive)).run().good().text())
                .isEqualTo("dashed");
        assertThat(carafe("volume", "clone", "data", "twin").run().good().text()).isEqualTo("twin");
        assertThat(carafe("volume", "rename", "twin", "other").run().good().out()).isEmpty();
        assertThat(volumes()).containsExactlyInAnyOrder("copy", "dashed", "data", "filed", "other");
        for (String name : volumes()) {
            assertThat(inside(name, "stat -c '%u %g %a' /d/f; cat /d/l; ls /d")).as(name)
                    .isEqualTo("5 6 640\nkept\nf\nl\nsub");
        }
        assertThat(carafe("volume", "inspect", "-f", "{{.Labels}}", "other").run().good().text()).isEqualTo("map[of:mine]");
        assertThat(carafe("volume", "import", "copy", archive.toString()).run().endedWith(1).err()).contains("copy");
        assertThat(carafe("volume", "import", "torn", "-").stdin("no archive").run().endedWith(1).err())
                .contains("the archive cannot be read: unexpected EOF");
        assertThat(carafe("volume", "export", "nope").run().endedWith(1).err()).contains("get nope: no such volume");
        assertThat(volumes()).doesNotContain("torn");
        Files.delete(archive);
    }

    @Test
    void anArchiveIsNeitherWrittenToATerminalNorReadFromOne() throws Exception {
        make();
        try (var export = carafe("volume", "export", "data").startOnTerminal()) {
            var ended = export.await().endedWith(1);
            assertThat(ended.text()).isEqualTo("cowardly refusing to save to a terminal. Use the -o flag or redirect");
        }
        try (var unpacked = carafe("volume", "import", "next").startOnTerminal()) {
            assertThat(unpacked.await().endedWith(1).text()).isEqualTo("requested import from stdin, but stdin is empty");
        }
        assertThat(volumes()).containsExactly("data");
    }

    @Test
    void aDeathWhileAVolumeIsFilledLeavesNone() throws Exception {
        make();
        byte[] archive = Files.readAllBytes(exported());
        engine.kill();
        for (String point : List.of("volume.fill", "volume.filled")) {
            engine.failAt(point + "=halt");
            startAndFindNothing(point);
            if (point.equals("volume.fill")) {
                carafe("volume", "import", "next", "-").stdin(archive).run();
            } else {
                carafe("volume", "clone", "data", "next").run();
            }
            engine.awaitEnd();
        }
        engine.failAt("");
        startAndFindNothing("at last");
        carafe("volume", "clone", "data", "next").run().good();
        assertThat(inside("next", "cat /d/f")).isEqualTo("kept");
    }

    private void startAndFindNothing(String when) throws Exception {
        engine.start();
        assertThat(volumes()).as(when).containsExactly("data");
        Deadline.await(when + ": nothing of it is left", this::isTrashEmpty);
        assertThat(engine.dataRoot().resolve("volumes/next")).doesNotExist();
    }

    private boolean isTrashEmpty() throws Exception {
        Path trash = engine.dataRoot().resolve("volumes/.trash");
        if (!Files.exists(trash)) {
            return true;
        }
        try (var left = Files.list(trash)) {
            return left.findAny().isEmpty();
        }
    }

    private Path exported() throws Exception {
        Path archive = engine.directory().resolve("data.tar");
        carafe("volume", "export", "-o", archive.toString(), "data").run().good();
        return archive;
    }
}
