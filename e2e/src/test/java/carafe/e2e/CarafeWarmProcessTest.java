package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The process of a command that the engine runs: its streams, terminal, signals and death, and what the engine keeps of
/// it, which is nothing.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CarafeWarmProcessTest {

    private static final String CAUGHT = "trap 'echo caught; exit 7' %s; echo ready; while :; do sleep 0.05; done";
    private static final String GONE = "error: the engine went away while it ran this command;"
            + " whether it was done is not known\n";

    private WarmEngine engine;

    @BeforeAll
    void start() throws Exception {
        engine = new WarmEngine(List.of());
        for (int i = 0; i < 3; i++) {
            engine.carafe("run", "--rm", "busybox", "true").run().good();
        }
    }

    @AfterEach
    void removeContainers() throws Exception {
        engine.removeContainers();
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private static Session warm(Command command) throws Exception {
        var session = command.start();
        assertThat(WarmEngine.isWarm(session)).isTrue();
        return session;
    }

    @Test
    void muchInputComesBackAsItWas() throws Exception {
        byte[] bytes = new byte[7_000_001];
        new Random(7).nextBytes(bytes);
        Files.write(engine.directory().resolve("much"), bytes);
        engine.script("""
                set -e
                "$carafe" run --rm -i busybox cat < much | cmp - much
                cat much | "$carafe" run --rm -i busybox cat > back && cmp back much
                [ "$("$carafe" run --rm -i busybox wc -c < much)" = 7000001 ]
                [ "$("$carafe" run --rm busybox head -c 3000000 /dev/zero | wc -c)" = 3000000 ]
                """).run().good();
    }

    @Test
    void whatTheCommandDoesNotReadStaysWhereItWas() throws Exception {
        Files.writeString(engine.directory().resolve("lines"), "one\ntwo\nthree\n".repeat(1000));
        engine.script("""
                ("$carafe" ps -q; cat) < lines | cmp - lines || exit 1
                ("$carafe" run --rm busybox true; cat) < lines | cmp - lines || exit 2
                cat lines | ("$carafe" images -q > /dev/null; cat) | cmp - lines || exit 3
                """).run().good();
        assertThat(engine.script("exec bash -s").stdin("\"$carafe\" run --rm busybox echo first\necho second\n").run().good()
                .lines()).containsExactly("first", "second");
    }

    @Test
    void streamsThatAreClosedAreNoOthers() throws Exception {
        assertThat(engine.script("\"$carafe\" run --rm -i busybox wc -c <&-").run().good().text()).isEqualTo("0");
        assertThat(engine.script("\"$carafe\" images >&-").run().endedWith(1).err())
                .isEqualTo("error: cannot write: Bad file descriptor\n");
        engine.script("\"$carafe\" images <&- >&- 2>&-").run().endedWith(1);
        engine.script("\"$carafe\" rm nothing <&- >&- 2>&-").run().endedWith(1);
        assertThat(engine.script("\"$carafe\" images > /dev/full").run().endedWith(1).err())
                .isEqualTo("error: cannot write: No space left on device\n");
    }

    @Test
    void aReaderThatGoesAwayEndsTheCommandAndLeavesNothing() throws Exception {
        var before = engine.held();
        var outcome = engine.script("env --default-signal=PIPE \"$carafe\" run --name web busybox yes | head -c 1;"
                + " echo \" ${PIPESTATUS[0]}\"").run().good();
        assertThat(outcome.out()).isEqualTo("y 141\n");
        assertThat(outcome.err()).isEmpty();
        assertThat(engine.script("trap '' PIPE; \"$carafe\" run busybox yes | head -c 1; echo \" ${PIPESTATUS[0]}\"").run()
                .good().all()).isEqualTo("y 1\nerror: cannot write: Broken pipe\n");
        engine.removeContainers();
        engine.awaitNoMoreThan(before);
    }

    @Test
    void aSignalThatTheCommandDoesNotHandleEndsItsProcess() throws Exception {
        engine.startWeb();
        var before = engine.held();
        for (var signal : List.of("INT:130", "TERM:143", "HUP:129", "KILL:137")) {
            try (var session = warm(engine.carafe("wait", "web"))) {
                session.signal(signal.replaceAll(":.*", ""));
                var outcome = session.await().endedWith(Integer.parseInt(signal.replaceAll(".*:", "")));
                assertThat(outcome.all()).isEmpty();
            }
        }
        engine.awaitNoMoreThan(before);
    }

    @Test
    void aStoppedProcessGoesOn() throws Exception {
        engine.startWeb();
        try (var session = warm(engine.carafe("wait", "web"))) {
            session.signal("STOP");
            Path status = Path.of("/proc", String.valueOf(session.pid()), "status");
            Deadline.await("it is stopped", () -> Files.readString(status).contains("State:\tT"));
            engine.carafe("kill", "web").run().good();
            session.signal("CONT");
            assertThat(session.await().good().out()).isEqualTo("137\n");
        }
    }

    @Test
    void signalsOfAnAttachedRunReachItsContainer() throws Exception {
        for (String signal : List.of("INT", "TERM", "HUP", "USR1")) {
            try (var session = warm(engine.carafe("run", "--rm", "busybox", "sh", "-c", CAUGHT.formatted(signal)))) {
                session.expect("ready").signal(signal).expect("caught");
                session.await().endedWith(7);
            }
        }
    }

    @Test
    void aSignalThatTheCallerIgnoresIsNotPassedOn() throws Exception {
        String script = "trap 'echo wrong' INT; trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
        try (var session = warm(engine.behind("trap '' INT", "run", "--rm", "busybox", "sh", "-c", script))) {
            session.expect("ready").signal("INT").signal("TERM").expect("caught");
            assertThat(session.await().endedWith(7).out()).isEqualTo("ready\ncaught\n");
        }
    }

    @Test
    void theWindowsSizeFollows() throws Exception {
        try (var session = engine.carafe("run", "--rm", "-it", "busybox", "sh", "-c",
                "trap 'stty size' WINCH; until [ \"$(stty size)\" = '33 77' ]; do sleep 0.05; done; echo ready;"
                        + " while :; do sleep 0.05; done").startOnTerminal()) {
            session.expect("ready");
            Path terminal = Files.readSymbolicLink(Path.of("/proc", String.valueOf(client(session)), "fd/0"));
            Command.of("stty", "-F", terminal.toString(), "rows", "44", "cols", "99").run().good();
            session.expect("44 99");
        }
    }

    /// The process of the command on a terminal of script(1).
    private static long client(Session session) throws Exception {
        return ProcessHandle.of(session.pid()).orElseThrow().descendants()
                .filter(each -> each.info().command().orElse("").endsWith("bin/carafe")).findFirst().orElseThrow().pid();
    }

    private static boolean runs(String mark) throws IOException {
        try (var all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : all) {
                try {
                    if (Files.readString(process.resolve("cmdline")).replace('\0', ' ').strip().equals(mark)) {
                        return true;
                    }
                } catch (IOException e) {
                    continue; // it has ended meanwhile
                }
            }
        }
        return false;
    }

    @Test
    void aBuildEndsWithItsProcess() throws Exception {
        endABuild("KILL"); // what the engine opens for its first build, it keeps
        var before = engine.held();
        for (String signal : List.of("KILL", "INT", "TERM")) {
            endABuild(signal);
        }
        engine.awaitNoMoreThan(before);
    }

    private void endABuild(String signal) throws Exception {
        String mark = "sleep 10" + engine.daemon().pid();
        Path context = Files.createDirectories(engine.directory().resolve("context"));
        Files.writeString(context.resolve("Dockerfile"), "FROM busybox\nRUN exec " + mark + "\n");
        try (var session = warm(engine.carafe("build", context.toString()))) {
            Deadline.await("the step runs", () -> runs(mark));
            session.signal(signal);
            assertThat(session.await().code()).isGreaterThan(128);
            Deadline.await("the step is stopped", () -> !runs(mark));
        }
    }

    @Test
    void aCommandThatIsKilledWhileItGivesInputLeavesNothing() throws Exception {
        var before = engine.held();
        try (var session = warm(engine.carafe("run", "-i", "--name", "web", "busybox", "cat"))) {
            session.write("hello\n").expect("hello").signal("KILL");
            session.await().endedWith(137);
        }
        engine.removeContainers();
        engine.awaitNoMoreThan(before);
    }

    @Test
    void twoHundredCommandsLeaveNothing() throws Exception {
        engine.startWeb();
        engine.script("seq 20 | xargs -P 16 -I{} sh -c '\"$carafe\" ps -q > /dev/null'").run().good();
        var before = engine.held();
        engine.script("""
                words='ps -a|images|inspect web|exec web true|run --rm --network none busybox true'
                export words="$words|version|rm nothing|network ls"
                seq 200 | xargs -P 16 -I{} bash -c '
                    IFS="|" read -ra all <<< "$words"
                    "$carafe" ${all[$(({} % ${#all[@]}))]} > /dev/null 2> "err-{}" ||
                        grep "No such container" "err-{}" || exit 255
                    rm "err-{}"'
                """).within(Duration.ofMinutes(3)).run().good();
        engine.awaitNoMoreThan(before);
    }

    @Test
    void whenTheEngineDiesTheCommandSaysSoAndTheTerminalIsAsBefore() throws Exception {
        try (var dying = new WarmEngine(List.of())) {
            dying.carafe("run", "-d", "--name", "web", "busybox", "sleep", "1000").run().good();
            dying.daemon().remember(dying.carafe("ps", "-q", "--no-trunc").run().good().lines());
            var shell = dying.script("stty -g; \"$carafe\" run -it --name shell busybox sh; echo \"code $?\"; stty -g");
            try (var plain = warm(dying.carafe("wait", "web")); var terminal = shell.startOnTerminal()) {
                terminal.expect("/ # ").write("echo $((20 + 22))\n").expect("42").expect("/ # ");
                dying.daemon().remember(dying.carafe("ps", "-q", "--no-trunc").run().good().lines());
                dying.daemon().kill();
                assertThat(plain.await().endedWith(1).err()).isEqualTo(GONE);
                List<String> lines = terminal.await().good().out().lines().toList();
                assertThat(lines).contains("code 1").anyMatch(line -> line.endsWith(GONE.strip()));
                assertThat(lines.getLast()).as("the terminal's mode").isEqualTo(lines.getFirst()).contains(":");
            }
            dying.daemon().start();
            try (var plain = warm(dying.carafe("wait", "web"))) {
                dying.daemon().stop();
                assertThat(plain.await().endedWith(1).err()).isEqualTo(GONE);
            }
            dying.daemon().start();
            dying.carafe("rm", "-f", "web", "shell").run().good();
        }
    }

    @Test
    void aTerminalWhoseOutputNobodyReadsIsAsBefore() throws Exception {
        try (var terminal = engine.script("stty -g; env --default-signal=PIPE \"$carafe\" run -it busybox yes"
                + " | head -c 1 > /dev/null; stty -g").startOnTerminal()) {
            List<String> lines = terminal.await().good().out().lines().toList();
            assertThat(lines.getLast()).isEqualTo(lines.getFirst()).contains(":");
        }
    }
}
