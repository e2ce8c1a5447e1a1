package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.image.TestTar;
import carafe.spec.tar.SentTar;
import carafe.spec.tar.TarReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Real containers with users of their own: networks, volumes, copies, commits.
final class LinuxUsersTest {
    private LinuxStage stage;
    private Containers containers;

    @BeforeEach
    void open() throws Exception {
        stage = new LinuxStage();
        containers = stage.containers();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        var left = stage.leftAfterRemoval();
        stage.close();
        assertThat(left).isEmpty();
    }

    private String ran(String name, String host, String script) throws Exception {
        containers.create(request(name, host, "sh", "-ec", script));
        var wait = containers.await(name, WaitCondition.NEXT_EXIT);
        containers.start(name);
        int code = wait.await().exitCode();
        assertThat(code).as(stage.log(name)).isZero();
        return stage.log(name);
    }

    private void started(String name, String host, String script) throws Exception {
        containers.create(request(name, host, "sh", "-ec", script + "; echo ready; exec sleep 1000"));
        containers.start(name);
        EngineHarness.eventually(() -> stage.log(name).contains("ready"));
    }

    private static long owner(Path file) throws Exception {
        return ((Number) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue();
    }

    private Map<String, String> owners(String name, String path) throws Exception {
        var out = new ByteArrayOutputStream();
        containers.readArchive(name, path, _ -> out);
        var found = new TreeMap<String, String>();
        var tar = new TarReader(new ByteArrayInputStream(out.toByteArray()));
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            found.put(entry.name(), entry.uid() + ":" + entry.gid());
        }
        return found;
    }

    @Test
    void itHasANetworkOfItsOwnAndItsFilesInEtc() throws Exception {
        String log = ran("web", "{\"UsernsMode\":\"auto\"}",
                "id -u; busybox stat -c '%u:%g' /etc/hosts /etc/resolv.conf; busybox ip -4 addr show eth0 | busybox grep -c inet; "
                        + "busybox ip route | busybox grep -c default; cat /sys/class/net/eth0/operstate; "
                        + "echo x >> /etc/hosts && echo written");
        assertThat(log).isEqualTo("0\n0:0\n0:0\n1\n1\nup\nwritten\n");
    }

    @Test
    void aBindSourceThatIsMadeForItIsItsRoots() throws Exception {
        String place = stage.root + "/there";
        Files.createDirectory(Path.of(place));
        String log = ran("web", "{\"UsernsMode\":\"auto\",\"Binds\":[\"" + place + "/a/b:/b\",\"" + place + "/c:/c:idmap\"]}",
                "echo x > /b/f; echo x > /c/f; busybox stat -c '%u:%g' /b /b/f /c /c/f");
        assertThat(log).isEqualTo("0:0\n0:0\n0:0\n0:0\n");
        long root = containers.inspect("web", false).container().host().namespaces().ids().hostUid(0);
        assertThat(root).isPositive();
        assertThat(owner(Path.of(place, "a"))).isEqualTo(root);
        assertThat(owner(Path.of(place, "a/b"))).isEqualTo(root);
        assertThat(owner(Path.of(place))).as("was there").isZero();
        assertThat(owner(Path.of(place, "c"))).as("mapped").isZero();
    }

    @Test
    void volumesMeanTheSameToAllOfThem() throws Exception {
        String volume = "\"Binds\":[\"data:/data\"]";
        ran("one", "{\"UsernsMode\":\"auto\"," + volume + "}", "echo x > /data/f; busybox chown 1000:1000 /data/f");
        assertThat(ran("two", "{\"UsernsMode\":\"auto\"," + volume + "}", "busybox stat -c '%u:%g' /data /data/f"))
                .isEqualTo("0:0\n1000:1000\n");
        assertThat(ran("three", "{" + volume + "}", "busybox stat -c '%u:%g' /data /data/f"))
                .isEqualTo("0:0\n1000:1000\n");
    }

    @Test
    void bindsHaveTheHostsOwnersUnlessMappedOrGivenAway() throws Exception {
        Path bound = Files.createDirectory(stage.root.resolve("bound"));
        Path file = Files.createFile(bound.resolve("f"));
        String ids = "{\"UsernsMode\":\"auto\",\"Binds\":[\"" + bound + ":/b%s\"]}";
        assertThat(ran("plain", ids.formatted(""), "busybox stat -c %u /b/f; (echo x > /b/f) 2>/dev/null || echo refused"))
                .isEqualTo("65534\nrefused\n");
        assertThat(ran("mapped", ids.formatted(":idmap"), "busybox stat -c %u /b/f; echo x > /b/f; echo y > /b/new"))
                .isEqualTo("0\n");
        assertThat(owner(bound.resolve("new"))).isZero();
        assertThat(ran("given", ids.formatted(":U"), "busybox stat -c %u /b/f; echo x > /b/f")).isEqualTo("0\n");
        var maps = containers.inspect("given", false).container().host().namespaces().ids();
        assertThat(owner(file)).isEqualTo(maps.hostUid(0));
    }

    @Test
    void copiesShowAndTakeTheContainersIds() throws Exception {
        started("web", "{\"UsernsMode\":\"auto\"}",
                "busybox mkdir /a; echo x > /a/f; busybox chown 1000:1000 /a/f; echo y > /a/g");
        var expected = Map.of("a/", "0:0", "a/f", "1000:1000", "a/g", "0:0");
        assertThat(owners("web", "/a")).isEqualTo(expected);
        containers.writeArchive("web", new ArchiveTarget("/a", true, false), new SentTar(
                new ByteArrayInputStream(new TestTar()
                        .add(TestTar.directory("d")).add(TestTar.file("d/in", "z")).bytes()), () -> false));
        assertThat(owners("web", "/a/d")).isEqualTo(Map.of("d/", "0:0", "d/in", "0:0"));
        containers.kill("web", "KILL");
        containers.await("web", WaitCondition.NOT_RUNNING).await();
        assertThat(owners("web", "/a/f")).isEqualTo(Map.of("f", "1000:1000"));
        assertThat(owners("web", "/a/d/in")).isEqualTo(Map.of("in", "0:0"));
    }

    @Test
    void theyOutliveTheDaemonAndTheirNetworkIsShared() throws Exception {
        started("web", "{\"UsernsMode\":\"auto\"}", "true");
        stage.crash();
        containers = stage.containers();
        assertThat(stage.state("web")).isInstanceOf(State.Running.class);
        assertThat(ran("beside", "{\"NetworkMode\":\"container:web\"}",
                "busybox ip -4 addr show eth0 | busybox grep -c inet; ls /sys/class/net | busybox tr '\\n' ' '; cat /proc/self/uid_map | busybox tr -s ' '"))
                .startsWith("1\neth0 lo ").contains(" 0 " + UserIds.FIRST + " 65536");
    }
}
