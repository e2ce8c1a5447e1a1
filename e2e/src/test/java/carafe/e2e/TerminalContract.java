package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// `-t`: a terminal of the container's own, driven through one of ours (33 rows, 77 columns).
abstract class TerminalContract extends Contract {

    private static final String CONTROL_C = "\u0003";
    private static final String CONTROL_D = "\u0004";
    private static final String DETACH = "\u0010\u0011";

    TerminalContract(DockerCommandContract whole) {
        super(whole);
    }

    @Test
    void aShellAnswers() throws Exception {
        try (var shell = command("run", "--rm", "-it", IMAGE, "sh").startOnTerminal()) {
            shell.expect("# ").write("tty; echo $((20 + 22))\n").expect("/dev/pts/0").expect("42");
            shell.expect("# ").write("exit 6\n");
            shell.await().endedWith(6);
        }
    }

    @Test
    void controlDEndsTheShell() throws Exception {
        try (var shell = command("run", "--rm", "-it", IMAGE, "sh").startOnTerminal()) {
            shell.expect("# ").write(CONTROL_D);
            shell.await().good();
        }
    }

    @Test
    void controlCReachesTheForeground() throws Exception {
        try (var run = command("run", "--rm", "-it", IMAGE, "sh", "-c",
                "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done").startOnTerminal()) {
            run.expect("ready").write(CONTROL_C).expect("caught");
            run.await().endedWith(5);
        }
    }

    @Test
    void theSizeIsOurs() throws Exception {
        try (var run = command("run", "--rm", "-it", IMAGE, "sh", "-c",
                "until [ \"$(stty size)\" = '33 77' ]; do sleep 0.05; done; echo fits").startOnTerminal()) {
            run.expect("fits");
            run.await().good();
        }
    }

    @Test
    void resizingReachesTheContainer() throws Exception {
        docker("run", "-dit", "--name", "sized", IMAGE, "sh", "-c",
                "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done");
        awaitLog("sized", "ready");
        String answer = RawHttp.request(engine().socket(), "POST", "/containers/sized/resize?h=44&w=99");
        assertThat(answer).startsWith("HTTP/1.1 200");
        awaitLog("sized", "44 99");
    }

    @Test
    void resizingWhatIsNotRunningIsAConflict() throws Exception {
        docker("create", "-it", "--name", "still", IMAGE);
        assertThat(RawHttp.request(engine().socket(), "POST", "/containers/still/resize?h=44&w=99"))
                .startsWith("HTTP/1.1 409")
                .contains("is not running");
    }

    @Test
    void detachKeysLeaveTheContainerRunning() throws Exception {
        try (var run = command("run", "-it", "--name", "left", IMAGE, "sh").startOnTerminal()) {
            run.expect("# ").write("x=41\n").expect("# ").write(DETACH);
            run.await().good();
        }
        assertThat(inspect("left", "{{.State.Running}}")).isEqualTo("true");
        try (var attach = command("attach", "left").startOnTerminal()) {
            attach.write("\n").expect("# ").write("echo $((x + 1))\n").expect("42");
            attach.expect("# ").write("exit\n");
            attach.await().good();
        }
    }

    @Test
    void detachKeysCanBeChosen() throws Exception {
        try (var run = command("run", "-it", "--name", "left", "--detach-keys", "ctrl-x,y", IMAGE, "sh")
                .startOnTerminal()) {
            run.expect("# ").write("\u0018y");
            run.await().good();
        }
        assertThat(inspect("left", "{{.State.Running}}")).isEqualTo("true");
    }

    @Test
    void onlyTheWholeDetachSequenceCounts() throws Exception {
        try (var run = command("run", "--rm", "-it", "--detach-keys", "ctrl-x,y", IMAGE, "sh").startOnTerminal()) {
            // The quotes keep the echo of what is typed from being taken for what is printed: the shell shows its line
            // anew, from the middle of a word if need be, whenever the client tells it the size of the terminal.
            run.expect("# ").write("stty raw -echo; echo re''ady; head -c 2 | od -An -tx1; exit 3\n").expect("ready");
            run.write("\u0018z").expect("18 7a");
            run.await().endedWith(3);
        }
    }

    @Test
    void bothStreamsAreOne() throws Exception {
        var run = command("run", "--rm", "-t", IMAGE, "sh", "-c", "echo out; echo err >&2").run().good();
        assertThat(run.out()).isEqualTo("out\r\nerr\r\n");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void aTerminalNeedsOneOnOurSide() throws Exception {
        assertThat(command("run", "--rm", "-it", IMAGE, "sh").run().endedWith(1).err())
                .contains("the input device is not a TTY");
    }

    @Test
    void theTerminalIsAControllingOne() throws Exception {
        try (var shell = command("run", "--rm", "-it", IMAGE, "sh").startOnTerminal()) {
            shell.expect("# ").write("echo thr''ough > /dev/tty\n").expect("through");
            shell.expect("# ").write("(echo $((1 + 1))nd; exec sleep 1000)\n").expect("2nd");
            shell.write(CONTROL_C).expect("# ").write("exit 2\n");
            shell.await().endedWith(2);
        }
    }

    @Test
    void theConsoleIsThere() throws Exception {
        try (var run = command("run", "--rm", "-it", IMAGE, "ls", "/dev/console").startOnTerminal()) {
            assertThat(run.await().good().text()).isEqualTo("/dev/console");
        }
    }
}
