package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `exec`: another process in a running container.
abstract class ExecContract extends Contract {

    private String id = "";

    ExecContract(DockerCommandContract whole) {
        super(whole);
    }

    @BeforeEach
    void startTheContainer() throws Exception {
        id = docker("run", "-d", "--name", "host", "-e", "A=container", "-w", "/etc", IMAGE, "sleep", "1000").text();
    }

    @Test
    void bothStreamsArriveWhereTheyBelong() throws Exception {
        var both = docker("exec", "host", "sh", "-c", "echo one; echo two >&2");
        assertThat(both.out()).isEqualTo("one\n");
        assertThat(both.err()).isEqualTo("two\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 42, 255})
    void theExitCodeIsTheProcesses(int code) throws Exception {
        failing(code, "exec", "host", "sh", "-c", "exit " + code);
    }

    @Test
    void codesForWhatCannotRunAreDockers() throws Exception {
        assertThat(failing(126, "exec", "host", "/etc/plain").all()).contains("permission denied");
        assertThat(command("exec", "host", "nosuchprogram").run()).satisfies(missing -> {
            assertThat(missing.code()).isIn(126, 127);
            assertThat(missing.all()).contains("nosuchprogram").contains("executable file not found");
        });
    }

    @Test
    void inputIsPipedAndItsEndSeen() throws Exception {
        var answer = command("exec", "-i", "host", "sh", "-c", "cat; echo after").stdin("in\n").run().good();
        assertThat(answer.out()).isEqualTo("in\nafter\n");
    }

    @Test
    void tenMegabytesGoThroughUnchanged() throws Exception {
        var text = "0123456789abcde\n".repeat(10 << 16);
        var back = command("exec", "-i", "host", "cat").stdin(text).run().good();
        assertThat(back.out().equals(text)).as("what cat returned is what it got").isTrue();
    }

    @Test
    void theEnvironmentIsTheContainersAndOurs() throws Exception {
        assertThat(docker("exec", "-e", "B=exec", "host", "env").lines())
                .contains("A=container", "B=exec", "FROM_IMAGE=yes", "HOME=/root");
    }

    @Test
    void directoryAndUserAreChosen() throws Exception {
        assertThat(docker("exec", "host", "pwd").text()).isEqualTo("/etc");
        assertThat(docker("exec", "-w", "/tmp", "-u", "guest", "host", "sh", "-c", "pwd; id -un; id -G").lines())
                .containsExactly("/tmp", "guest", "100 77");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pid", "mnt", "uts", "ipc", "net", "cgroup"})
    void itIsInTheContainersNamespaces(String namespace) throws Exception {
        var links = docker("exec", "host", "sh", "-c",
                "readlink /proc/1/ns/" + namespace + "; readlink /proc/self/ns/" + namespace).lines();
        assertThat(links).hasSize(2);
        assertThat(links.get(0)).isEqualTo(links.get(1));
    }

    @Test
    void itIsIsolatedAsTheContainerIs() throws Exception {
        assertThat(docker("exec", "host", "grep", "-E", "^(CapEff|CapBnd|Seccomp):", "/proc/self/status").text())
                .contains("CapBnd:\t00000000a80425fb", "CapEff:\t00000000a80425fb", "Seccomp:\t2");
    }

    @Test
    void itCountsAgainstTheContainersLimits() throws Exception {
        docker("run", "-d", "--name", "limited", "--pids-limit", "10", IMAGE, "sleep", "1000");
        var bomb = command("exec", "limited", "sh", "-c",
                "i=0; while [ $i -lt 50 ]; do sleep 1000 & i=$((i + 1)); done; echo all").run();
        assertThat(bomb.err()).contains("can't fork");
        assertThat(bomb.out()).doesNotContain("all");
    }

    @Test
    void detachedGoesOnByItself() throws Exception {
        assertThat(docker("exec", "-d", "host", "sh", "-c", "echo done > /tmp/done").text()).isEmpty();
        Deadline.await("the file is written",
                () -> command("exec", "host", "test", "-e", "/tmp/done").run().code() == 0);
    }

    @Test
    void aTerminalIsItsOwn() throws Exception {
        try (var shell = command("exec", "-it", "host", "sh").startOnTerminal()) {
            shell.expect("# ").write("tty; stty size\n").expect("/dev/pts/").expect("33 77");
            shell.expect("# ").write("exit 6\n");
            shell.await().endedWith(6);
        }
    }

    @Test
    void detachKeysLeaveItRunning() throws Exception {
        try (var shell = command("exec", "-it", "host", "sh").startOnTerminal()) {
            // Not the echo: busybox writes its line anew when the terminal's size comes, and cuts it in two.
            shell.expect("# ").write("echo st''ill; sleep 999 && true\n").expect("still").write("\u0010\u0011");
            assertThat(shell.await().code()).isIn(0, 1);
        }
        assertThat(docker("exec", "host", "ps").out()).contains("sleep 999");
    }

    @Test
    void aContainerThatIsNotRunningHasNone() throws Exception {
        docker("kill", "host");
        docker("wait", "host");
        assertThat(failing(1, "exec", "host", "true").err())
                .containsIgnoringCase("container " + id + " is not running");
    }

    @Test
    void theEndOfTheContainerEndsIt() throws Exception {
        try (var session = command("exec", "host", "sh", "-c", "echo ready; exec sleep 1000").start()) {
            session.expect("ready");
            docker("kill", "host");
            session.await().endedWith(137);
        }
    }

    @Test
    void tenAtOnceAllSucceed() throws Exception {
        var sessions = new java.util.ArrayList<Session>();
        for (int i = 0; i < 10; i++) {
            sessions.add(command("exec", "host", "echo", "number " + i).start());
        }
        for (int i = 0; i < 10; i++) {
            assertThat(sessions.get(i).await().good().text()).isEqualTo("number " + i);
        }
    }
}
