package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// `--init`: a first process that reaps and passes signals on. Debian's Docker comes without one, so this asks only us.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarafeInitTest {

    private final CarafeDaemon engine;
    private final Client client = Client.docker28();

    CarafeInitTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString());
    }

    @AfterEach
    void removeAll() throws Exception {
        List<String> known = docker("ps", "-aq", "--no-trunc").lines();
        engine.remember(known);
        if (!known.isEmpty()) {
            client.to(engine).and("rm", "-f").and(known.toArray(String[]::new)).run().good();
        }
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private Outcome docker(String... words) throws Exception {
        return client.to(engine).and(words).run().good();
    }

    @Test
    void theProgramIsTheChildOfAnInitAndInspectShowsTheProgram() throws Exception {
        docker("run", "-d", "--init", "--name", "web", "busybox", "sleep", "1000");
        assertThat(docker("exec", "web", "ps", "-o", "pid,ppid,args").lines())
                .anyMatch(line -> line.strip().equals("1     0 /sbin/docker-init -- sleep 1000"))
                .anyMatch(line -> line.strip().matches("[0-9]+ +1 sleep 1000"));
        assertThat(docker("inspect", "--format", "{{.Path}} {{.Args}} {{.HostConfig.Init}}", "web").text())
                .isEqualTo("sleep [1000] true");
        assertThat(docker("exec", "web", "sh", "-c",
                "grep ' /sbin/docker-init ' /proc/self/mountinfo | cut -d' ' -f6").text()).startsWith("ro,nosuid,nodev");
    }

    @Test
    void orphansAreReaped() throws Exception {
        // The inner shell ends before its child does; without an init, the child stays a zombie of the first process.
        docker("run", "-d", "--init", "--name", "web", "busybox", "sh", "-c",
                "for i in 1 2 3 4 5; do sh -c 'true & :' & done; wait; touch /done; exec sleep 1000");
        Deadline.await("all have ended",
                () -> client.to(engine).and("exec", "web", "test", "-e", "/done").run().code() == 0);
        Deadline.await("no zombie is left", () -> docker("exec", "web", "sh", "-c",
                "grep -l '^State:.Z' /proc/[0-9]*/status | wc -l").text().equals("0"));
    }

    @Test
    void signalsReachTheProgramAndItsCodeIsTheContainers() throws Exception {
        docker("run", "-d", "--init", "--name", "web", "busybox", "sh", "-c",
                "trap 'exit 7' TERM; trap 'echo usr1' USR1; echo ready; while :; do sleep 0.05; done");
        Deadline.await("it is ready", () -> docker("logs", "web").text().equals("ready"));
        docker("kill", "-s", "USR1", "web");
        Deadline.await("USR1 was passed on", () -> docker("logs", "web").text().endsWith("usr1"));
        docker("stop", "web");
        assertThat(docker("wait", "web").text()).isEqualTo("7");
        // A shell without a trap ignores TERM as process 1; behind an init it dies of it.
        docker("run", "-d", "--init", "--name", "plain", "busybox", "sleep", "1000");
        docker("stop", "-t", "60", "plain");
        assertThat(docker("wait", "plain").text()).isEqualTo("143");
    }

    @Test
    void whatCannotBeRunHasDockersCode() throws Exception {
        assertThat(client.to(engine).and("run", "--rm", "--init", "busybox", "nosuchprogram").run().endedWith(127).err())
                .contains("docker-init: nosuchprogram: No such file or directory");
        client.to(engine).and("run", "--rm", "--init", "busybox", "/etc/plain").run().endedWith(126);
        client.to(engine).and("run", "--rm", "--init", "--read-only", "busybox", "sh", "-c", "exit 3").run().endedWith(3);
    }

    @Test
    void theTerminalBelongsToTheProgram() throws Exception {
        try (var shell = client.to(engine).and("run", "--rm", "--init", "-it", "busybox", "sh").startOnTerminal()) {
            shell.expect("# ").write("(echo $((1 + 1))nd; exec sleep 1000)\n").expect("2nd");
            shell.write("\u0003").expect("# ").write("exit 4\n");
            shell.await().endedWith(4);
        }
    }
}
