package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The daemon dies, as `kill -9` ends it, at each step of the life of a container that shares processes, ipc and network
/// of another, or is linked to it. The other goes on; after the next start of the daemon the same container starts and
/// shares the same, and when it is removed nothing of it is left.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeSharingDeathsTest {

    private final CarafeDaemon engine = new CarafeDaemon();

    CarafeSharingDeathsTest() throws Exception {}

    @BeforeAll
    void begin() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString()).good();
        docker("run", "-d", "--name", "owner", "--ipc", "shareable", "--expose", "5432", "-e", "MODE=fast", "busybox",
                "sleep", "100000").good();
        docker("exec", "owner", "sh", "-c", "echo told > /dev/shm/x").good();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
    }

    @AfterAll
    void end() throws Exception {
        docker("rm", "-f", "owner");
        engine.close();
    }

    private Outcome docker(String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run();
    }

    private String inspect(String container, String format) throws Exception {
        return docker("inspect", "--format", format, container).good().text();
    }

    private long pid(String container) throws Exception {
        return Long.parseLong(inspect(container, "{{.State.Pid}}"));
    }

    private static String namespace(long pid, String kind) throws Exception {
        return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + kind)).toString();
    }

    /// What there may be only as much of as before: mounts below the engine's directory and the directories of runs.
    private List<String> held() throws Exception {
        var held = new ArrayList<String>();
        try (var mounts = Files.lines(Path.of("/proc/self/mounts"))) {
            mounts.map(line -> line.split(" ")[1]).filter(at -> at.startsWith(engine.directory().toString()))
                    .forEach(held::add);
        }
        for (String part : List.of("exec/c", "exec/f", "exec/runtime", "data/containers", "data/snapshots")) {
            Path directory = engine.directory().resolve(part);
            try (Stream<Path> found = Files.exists(directory) ? Files.list(directory) : Stream.empty()) {
                found.filter(file -> !file.getFileName().toString().startsWith(".")).forEach(file -> held.add(file.toString()));
            }
        }
        return held.stream().sorted().toList();
    }

    static Stream<String> points() {
        return Stream.of("start.network", "start.joined", "start.files", "start.bundle", "start.mounts", "start.run",
                "prepare.cgroup", "start.record", "tape.exec", "start.row", "exit.row", "exit.process", "remove.row",
                "remove.snapshot");
    }

    @ParameterizedTest
    @MethodSource("points")
    void whoSharesStartsAgainAndLeavesNothing(String point) throws Exception {
        long owner = pid("owner");
        var before = held();
        docker("create", "--name", "guest", "--pid", "container:owner", "--ipc", "container:owner", "--network",
                "container:owner", "busybox", "sleep", "100001").good();
        dieAt(point, "guest");
        assertThat(pid("owner")).as("the owner goes on").isEqualTo(owner);
        if (docker("inspect", "guest").code() == 0) {
            docker("start", "guest").good();
            for (String kind : List.of("pid", "ipc", "net")) {
                assertThat(namespace(pid("guest"), kind)).as(kind).isEqualTo(namespace(owner, kind));
            }
            assertThat(docker("exec", "guest", "cat", "/dev/shm/x").good().text()).isEqualTo("told");
            docker("rm", "-f", "guest").good();
        }
        nothingIsLeft(point, before);
        assertThat(docker("exec", "owner", "ls", "/sys/class/net").good().lines()).contains("eth0");
    }

    @ParameterizedTest
    @MethodSource("points")
    void whoIsLinkedStartsAgainAndLeavesNothing(String point) throws Exception {
        long owner = pid("owner");
        var before = held();
        docker("create", "--name", "linked", "--link", "owner:db", "busybox", "sleep", "100001").good();
        dieAt(point, "linked");
        assertThat(pid("owner")).as("the owner goes on").isEqualTo(owner);
        if (docker("inspect", "linked").code() == 0) {
            docker("start", "linked").good();
            String address = inspect("owner", "{{.NetworkSettings.Networks.bridge.IPAddress}}");
            assertThat(docker("exec", "linked", "cat", "/etc/hosts").good().text()).contains(address + "\tdb ");
            assertThat(docker("exec", "linked", "env").good().lines())
                    .contains("DB_PORT_5432_TCP_ADDR=" + address, "DB_ENV_MODE=fast");
            docker("rm", "-f", "linked").good();
        }
        nothingIsLeft(point, before);
    }

    /// Lets `container` live until the daemon dies, then starts the daemon again.
    private void dieAt(String point, String container) throws Exception {
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        engine.failAt(point + "=halt");
        engine.kill();
        engine.start();
        docker("start", container);
        docker("rm", "-f", container);
        engine.awaitEnd();
        engine.failAt("");
        engine.start();
    }

    private void nothingIsLeft(String point, List<String> before) throws Exception {
        Deadline.await("only what was there before " + point, () -> held().equals(before));
        assertThat(docker("ps", "-aq").good().lines()).as(point).hasSize(1);
        assertThat(docker("network", "inspect", "--format", "{{len .Containers}}", "bridge").good().text()).isEqualTo("1");
    }

    @Test
    void theOwnersDeathEndsWhoSharesItsProcessesWhileTheDaemonIsDead() throws Exception {
        docker("run", "-d", "--name", "host", "--ipc", "shareable", "busybox", "sleep", "100000").good();
        docker("run", "-d", "--name", "guest", "--pid", "container:host", "busybox", "sleep", "100001").good();
        engine.remember(docker("ps", "-aq", "--no-trunc").good().lines());
        long host = pid("host");
        engine.kill();
        Command.of("kill", "-s", "KILL", Long.toString(host)).run().good();
        engine.start();
        Deadline.await("both are known to have ended", () -> inspect("host", "{{.State.Status}}").equals("exited")
                && inspect("guest", "{{.State.Status}}").equals("exited"));
        assertThat(docker("start", "guest").err()).contains("failed to join PID namespace: container ")
                .contains("is not running");
        docker("start", "host").good();
        docker("start", "guest").good();
        assertThat(namespace(pid("guest"), "pid")).isEqualTo(namespace(pid("host"), "pid"));
        docker("rm", "-f", "guest", "host").good();
    }
}
