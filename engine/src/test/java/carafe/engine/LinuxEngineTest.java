package carafe.engine;

import static carafe.engine.EngineHarness.eventually;
import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.ExecConfig;
import carafe.spec.docker.HostConfig;
import carafe.spec.docker.NetworkingConfig;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class LinuxEngineTest {
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

    private int run(String name, String host, String... command) throws Exception {
        containers.create(request(name, host, command));
        var wait = containers.await(name, WaitCondition.NEXT_EXIT);
        containers.start(name);
        return wait.await().exitCode();
    }

    @Test
    void aRealContainerRunsLogsAndIsRemoved() throws Exception {
        assertThat(run("web", "{}", "sh", "-c", "echo out; echo err >&2; exit 3")).isEqualTo(3);
        assertThat(stage.log("web")).contains("out\n").contains("err\n");
        assertThat(containers.inspect("web", true).size()).isPresent();
    }

    @Test
    void defaultIsolationIsDockers() throws Exception {
        assertThat(run("web", "{}", "sh", "-c",
                "hostname; id -u; busybox grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status; busybox ps | busybox wc -l;"
                        + "cat /proc/kcore 2>&1 | busybox head -c 10; ls /sys/firmware; busybox mount | busybox grep -c 'on / type overlay'"))
                .isZero();
        String id = containers.inspect("web", false).container().id();
        assertThat(stage.log("web"))
                .contains(id.substring(0, 12) + "\n0\n")
                .contains("CapEff:\t00000000a80425fb")
                .contains("Seccomp:\t2");
    }

    @Test
    void limitsUserEnvironmentAndMountsReachTheProcess() throws Exception {
        Files.writeString(stage.root.resolve("shared"), "from the host\n");
        assertThat(run("web", "{\"Memory\":67108864,\"PidsLimit\":50,\"ReadonlyRootfs\":true,"
                        + "\"Binds\":[\"" + stage.root.resolve("shared") + ":/data/in:ro\"],"
                        + "\"Tmpfs\":{\"/scratch\":\"size=1m\"},\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":512,\"Hard\":777}]}",
                "sh", "-c", "cat /data/in; echo x > /data/in || echo bound-ro; echo x > /y || echo root-ro;"
                        + " echo x > /scratch/y && echo scratch; ulimit -n; busybox env; cat /etc/hosts")).isZero();
        assertThat(stage.log("web"))
                .contains("from the host", "bound-ro", "root-ro", "scratch", "512", "PATH=/usr/local/sbin", "HOSTNAME=",
                        "127.0.0.1\tlocalhost", "HOME=/root");
    }

    @Test
    void whatIsMountedOnEtcHidesNotTheEnginesFiles() throws Exception {
        Path own = Files.createDirectory(stage.root.resolve("own-etc"));
        Files.writeString(own.resolve("mine"), "of the user\n");
        assertThat(run("bound", "{\"Binds\":[\"" + own + ":/etc\"]}", "sh", "-c",
                "cat /etc/mine /etc/hostname /etc/hosts; test -s /etc/resolv.conf && echo resolver")).isZero();
        String id = containers.inspect("bound", false).container().id();
        assertThat(stage.log("bound")).contains("of the user\n" + id.substring(0, 12) + "\n", "127.0.0.1\tlocalhost", "resolver");
        assertThat(own.resolve("hosts")).as("the place to mount on").isEmptyFile();
        Files.delete(own.resolve("resolv.conf"));
        Files.createSymbolicLink(own.resolve("resolv.conf"), Path.of("../run/systemd/resolve/stub-resolv.conf"));
        assertThat(run("again", "{\"Binds\":[\"" + own + ":/etc:ro\"]}", "sh", "-c",
                "cat /etc/hosts; busybox readlink /etc/resolv.conf")).isZero();
        assertThat(stage.log("again")).contains("127.0.0.1\tlocalhost", "../run/systemd/resolve/stub-resolv.conf");
    }

    @Test
    void missingAndForbiddenProgramsGiveDockersCodes() throws Exception {
        containers.create(request("none", "{}", "nosuch"));
        assertThatThrownBy(() -> containers.start("none"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("executable file not found in $PATH");
        assertThat(stage.state("none")).extracting("failure").asString().contains("127");
        containers.create(request("dir", "{}", "/etc"));
        assertThatThrownBy(() -> containers.start("dir"))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageMatching("(?s).*(permission denied|is a directory).*");
        assertThat(stage.state("dir")).extracting("failure").asString().contains("126");
    }

    @Test
    void inputFromAnAttachedClientReachesTheProcessAndItsEndEndsIt() throws Exception {
        var config = ContainerConfig.parse((Json.Obj) Json.parse(
                "{\"Image\":\"app\",\"Cmd\":[\"cat\"],\"OpenStdin\":true,\"StdinOnce\":true,\"AttachStdin\":true}"));
        containers.create(new CreateRequest(
                "cat", "", config, HostConfig.parse(Json.object().build()),
                NetworkingConfig.NONE));
        var wait = containers.await("cat", WaitCondition.NEXT_EXIT);
        try (var client = containers.attach("cat", new AttachRequest(true, true, true, false, true, ""))) {
            client.write(ByteBuffer.wrap("early ".getBytes(StandardCharsets.UTF_8)));
            containers.start("cat");
            client.write(ByteBuffer.wrap("late\n".getBytes(StandardCharsets.UTF_8)));
            client.closeInput();
            assertThat(LinuxStage.plain(client.output())).isEqualTo("early late\n");
        }
        assertThat(wait.await().exitCode()).isZero();
    }

    @Test
    void execRunsWithTheContainersEnvironment() throws Exception {
        containers.create(request("web", "{}", "sleep", "1000"));
        containers.start("web");
        var execs = stage.engine.execs();
        String id = execs.create("web", ExecConfig.parse((Json.Obj)
                Json.parse("{\"Cmd\":[\"sh\",\"-c\",\"id -un; echo $ADDED $HOSTNAME; exit 9\"],"
                        + "\"AttachStdout\":true,\"AttachStderr\":true,\"User\":\"app\",\"Env\":[\"ADDED=yes\"]}")));
        String containerId = containers.inspect("web", false).container().id();
        try (var client = execs.start(id, Optional.empty())) {
            assertThat(LinuxStage.plain(client.output()))
                    .isEqualTo("app\nyes " + containerId.substring(0, 12) + "\n");
        }
        eventually(() -> execs.inspect(id).exitCode().isPresent());
        assertThat(execs.inspect(id).exitCode()).contains(9);
        assertThat(containers.top("web", "").processes()).isNotEmpty();
        assertThat(containers.usage("web").pids().current()).isPositive();
    }

    @Test
    void followedLogsEndWithTheContainer() throws Exception {
        containers.create(request("web", "{}", "sh", "-c",
                "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"));
        containers.start("web");
        var query = new LogQuery(
                new LogQuery.Streams(true, true), Optional.empty(), Optional.empty(), Optional.empty(),
                new LogQuery.Show(false, false, true));
        try (var log = containers.logs("web", query)) {
            assertThat(LinuxStage.plain(log).lines()).hasSize(2000).last().isEqualTo("line 1999");
        }
    }

    @Test
    void memoryHogIsKilledAndSaysSo() throws Exception {
        int code = run("hog", "{\"Memory\":16777216}", "sh", "-c",
                "busybox dd if=/dev/zero of=/dev/null bs=200M count=1");
        assertThat(code).isEqualTo(137);
        assertThat(stage.state("hog")).extracting("oomKilled").isEqualTo(true);
    }

    @Test
    void changesOfTheRootAreListed() throws Exception {
        assertThat(run("web", "{}", "sh", "-c", "echo x > /etc/passwd; echo y > /new; busybox rm /etc/group")).isZero();
        assertThat(containers.changes("web")).contains(
                new PathChange("/etc", PathChange.Kind.MODIFIED),
                new PathChange("/etc/passwd", PathChange.Kind.MODIFIED),
                new PathChange("/etc/group", PathChange.Kind.DELETED),
                new PathChange("/new", PathChange.Kind.ADDED));
    }

    @Test
    void pausedProcessesDoNotRunAndStopEndsThem() throws Exception {
        containers.create(request("web", "{}", "sh", "-c", "trap 'exit 5' TERM; touch /trapped; while :; do sleep 0.1; done"));
        containers.start("web");
        // A first process without a handler does not hear the signal, so the shell has to have set its trap.
        int pid = ((State.Running) stage.state("web")).pid();
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (!Files.exists(Path.of("/proc/" + pid + "/root/trapped"))) {
            assertThat(System.nanoTime()).as("the shell sets its trap in time").isLessThan(deadline);
            Thread.onSpinWait();
        }
        containers.pause("web");
        assertThat(stage.state("web").word()).isEqualTo("paused");
        containers.stop("web", new StopRequest(Optional.empty(), Optional.of(10)));
        assertThat(stage.state("web")).extracting("exitCode").isEqualTo(5);
    }

    @Test
    void containersSurviveTheDaemonAndLoseNoLine() throws Exception {
        int count = 20;
        for (int number = 0; number < count; number++) {
            containers.create(request("c" + number, "{}", "sh", "-c",
                    "i=0; while :; do echo line $i; i=$((i+1)); busybox usleep 1000; done"));
            containers.start("c" + number);
        }
        var pids = new ArrayList<Integer>();
        for (int number = 0; number < count; number++) {
            pids.add(((State.Running) stage.state("c" + number)).pid());
        }
        stage.crash();
        containers = stage.containers();
        for (int number = 0; number < count; number++) {
            assertThat(stage.state("c" + number)).isInstanceOfSatisfying(
                    State.Running.class, running -> assertThat(running.pid()).isIn(pids));
        }
        for (int number = 0; number < count; number++) {
            containers.kill("c" + number, "KILL");
            var lines = stage.log("c" + number).lines().toList();
            for (int line = 0; line < lines.size(); line++) {
                assertThat(lines.get(line)).isEqualTo("line " + line);
            }
            assertThat(lines).hasSizeGreaterThan(5);
        }
    }

    @Test
    void theExitOfOneThatEndsWithoutADaemonIsKnown() throws Exception {
        containers.create(request("web", "{}", "sh", "-c", "busybox usleep 300000; exit 42"));
        containers.start("web");
        stage.engine.abandon();
        String id = containers.inspect("web", false).container().id();
        eventually(() -> LinuxStage.processes(id).isEmpty());
        stage.reopenAfterAbandon();
        containers = stage.containers();
        assertThat(stage.state("web")).isInstanceOfSatisfying(State.Exited.class, exited -> {
            assertThat(exited.exitCode()).isEqualTo(42);
            assertThat(Duration.between(exited.startedAt(), exited.finishedAt())).isGreaterThan(Duration.ofMillis(250));
        });
    }

    @Test
    void explanationsTellTheSteps() throws Exception {
        containers.create(request("web", "{}", "sleep", "1000"));
        containers.start("web");
        assertThat(containers.explain("web").list("steps")).hasSizeGreaterThan(10);
        assertThat(containers.dryRun(request("", "{}", "true")).list("steps")).hasSizeGreaterThan(10);
    }
}
