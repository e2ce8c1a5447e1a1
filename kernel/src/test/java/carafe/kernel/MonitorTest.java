package carafe.kernel;

import static carafe.kernel.MonitorStream.STDERR;
import static carafe.kernel.MonitorStream.STDIN;
import static carafe.kernel.MonitorStream.STDOUT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

final class MonitorTest {

    private static final Optional<Boolean> NO_INPUT = Optional.empty();
    private static final Optional<Boolean> INPUT = Optional.of(false);
    private static final Optional<Boolean> INPUT_ONCE = Optional.of(true);

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    @TempDir
    Path directory;

    private Spawner spawner;

    @BeforeAll
    static void warmUp() throws Exception {
        Stage.warmUp();
    }

    @BeforeEach
    void start() throws Exception {
        spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"));
    }

    @AfterEach
    void stop() throws Exception {
        spawner.close();
        Stage.awaitNoProcess(directory);
    }

    private Stage stage() throws Exception {
        return new Stage(directory.resolve("stage"));
    }

    private static void write(SocketChannel channel, String text) throws Exception {
        var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// Reads until `end` has come.
    private static String readUntil(SocketChannel channel, String end) throws Exception {
        var out = new StringBuilder();
        var buffer = ByteBuffer.allocate(4096);
        while (out.indexOf(end) < 0 && channel.read(buffer) >= 0) {
            out.append(new String(buffer.array(), 0, buffer.position(), StandardCharsets.ISO_8859_1));
            buffer.clear();
        }
        assertThat(out).contains(end);
        return out.toString();
    }

    // ---- the end ----

    /// Another process that traces `pid` and never waits for it; killed by the caller.
    private Launched tracer(Stage stage, int pid) throws Exception {
        var tracer = stage.pipes(NO_INPUT).start(spawner, "seize", Integer.toString(pid), "then", "hang");
        Stage.await("it traces", () -> stage.output().contains("seize"));
        assertThat(stage.output()).isEqualTo("seized\n");
        return tracer;
    }

    @Test
    void endOfATracedProcessIsKnownWhileItsTracerDoesNotWaitForIt() throws Exception {
        try (var left = stage();
                var killed = new Stage(directory.resolve("killed"));
                var first = new Stage(directory.resolve("first"));
                var second = new Stage(directory.resolve("second"));
                var leaving = left.pipes(INPUT_ONCE).start(spawner, "copy", "then", "exit", "7");
                var hanging = killed.pipes(NO_INPUT).start(spawner, "hang");
                var tracer = tracer(first, leaving.pid());
                var other = tracer(second, hanging.pid())) {
            left.link().attach(Set.of(STDIN)).close(); // ends the input
            Processes.signal(hanging.pidfd(), Linux.SIGKILL);
            Stage.await("both ends", () -> leaving.isDone() && hanging.isDone());
            assertThat(leaving.awaitExit().code()).isEqualTo(7);
            assertThat(leaving.awaitExit().signal()).isZero();
            assertThat(hanging.awaitExit().code()).isEqualTo(137);
            assertThat(hanging.awaitExit().signal()).isEqualTo(9);
            assertThat(left.record()).contains(leaving.awaitExit());
            assertThat(tracer.isDone() || other.isDone()).as("they still trace").isFalse();
            for (var each : List.of(tracer, other)) {
                Processes.signal(each.pidfd(), Linux.SIGKILL);
                each.awaitExit();
            }
        }
    }

    @Test
    void aStartThatFailsWhileItsProcessIsTracedIsReported() throws Exception {
        Path gate = directory.resolve("gate");
        assertThat(new ProcessBuilder("mkfifo", gate.toString()).start().waitFor()).isZero();
        try (var stage = stage();
                var second = new Stage(directory.resolve("second"));
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var steps = List.of(
                    Step.child("gate", Syscall.OPENAT, Arg.cwd(), Arg.text(gate.toString()), Arg.number(0)),
                    Step.child("open", Syscall.OPENAT, Arg.cwd(), Arg.text("/no/such"), Arg.number(0)),
                    Stage.exec("true"));
            var failing = threads.submit(() -> catchThrowable(() -> spawner.launch(stage.launch(steps), Stage.DEADLINE)));
            Stage.await("its process", () -> !children(stage.directory).isEmpty());
            try (var tracer = tracer(second, Integer.parseInt(children(stage.directory)))) {
                Files.newOutputStream(gate).close();
                assertThat(failing.get()).isInstanceOfSatisfying(TapeFailure.class, failure -> {
                    assertThat(failure.step()).isEqualTo(steps.get(1));
                    assertThat(failure.errno()).isEqualTo(Errno.ENOENT);
                });
                assertThat(tracer.isDone()).as("it still traces").isFalse();
                Processes.signal(tracer.pidfd(), Linux.SIGKILL);
                tracer.awaitExit();
            }
        }
    }

    /// The process of the only monitor of `stage`, by its number; empty while there is none.
    private static String children(Path stage) throws Exception {
        var monitors = Stage.monitors(stage);
        return monitors.isEmpty() ? "" : Files.readString(Path.of(
                "/proc/" + monitors.getFirst() + "/task/" + monitors.getFirst() + "/children")).strip();
    }

    // ---- output ----

    @Test
    void firstByteReachesClientsThatWereThereBefore() throws Exception {
        try (var stage = stage()) {
            var both = stage.client(STDOUT, STDERR);
            var errors = stage.client(STDERR);
            stage.pipes(NO_INPUT).run(spawner, "print", "out", "then", "complain", "err");
            var output = Stage.readAll(both);
            assertThat(Stage.unframed(output, 1)).isEqualTo("out");
            assertThat(Stage.unframed(output, 2)).isEqualTo("err");
            assertThat(Stage.readAll(errors)).isEqualTo("\2\0\0\0\0\0\0\3err");
            assertThat(LogLine.read(stage.logText())).extracting(LogLine::log).containsExactlyInAnyOrder("out", "err");
        }
    }

    @Test
    void clientThatComesLaterGetsWhatComesLater() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(INPUT_ONCE).start(spawner, "copy");
                var client = stage.link().attach(Set.of(STDIN, STDOUT))) {
            assertThat(stage.link().state().clients()).isEqualTo(1);
            write(client, "hello");
            assertThat(readUntil(client, "hello")).isEqualTo("\1\0\0\0\0\0\0\5hello");
            client.shutdownOutput();
            assertThat(Stage.unframed(Stage.readAll(client), 1)).isEqualTo("<end>\n");
            assertThat(launched.awaitExit().code()).isZero();
        }
    }

    @Test
    void slowClientSlowsTheProcessAndLosesNothing() throws Exception {
        try (var stage = stage()) {
            var slow = stage.client(STDOUT);
            var gone = stage.client(STDOUT);
            try (var launched = stage.pipes(NO_INPUT).start(spawner, "flood", "4", "100")) {
                gone.close();
                Stage.await("a full pipe", () -> stage.logText().length() > 100_000);
                assertThat(launched.isDone()).as("it cannot get rid of 4 MiB").isFalse();
                var received = Stage.unframed(Stage.readAll(slow), 1);
                assertThat(received).hasSize(4 << 20);
                assertThat(launched.awaitExit().code()).isZero();
                assertThat(stage.output()).isEqualTo(received);
            }
        }
    }

    @Test
    void vanishedClientIsForgottenAtOnce() throws Exception {
        try (var stage = stage()) {
            var reader = stage.client(STDOUT);
            var gone = stage.client(STDIN, STDOUT, STDERR);
            try (var launched = stage.pipes(INPUT).start(spawner, "flood", "8", "100", "then", "hang")) {
                readUntil(reader, "xxx");
                gone.close();
                var received = new java.util.concurrent.atomic.AtomicLong();
                var drain = Thread.startVirtualThread(() -> {
                    var buffer = ByteBuffer.allocate(1 << 16);
                    try {
                        for (int got = reader.read(buffer); got >= 0; got = reader.read(buffer.clear())) {
                            received.addAndGet(got);
                        }
                    } catch (java.io.IOException e) {
                        throw new AssertionError(e);
                    }
                });
                Stage.await("all of it", () -> received.get() > (8 << 20) - (64 << 10)); // what came before was read
                assertThat(stage.link().state().clients()).isEqualTo(1);
                Processes.signal(launched.pidfd(), Linux.SIGKILL);
                launched.awaitExit();
                drain.join();
            }
        }
    }

    @Test
    void clientThatReadsNothingCannotHoldUpTheEndForEver() throws Exception {
        try (var stage = stage()) {
            stage.client(STDOUT);
            try (var launched = stage.pipes(NO_INPUT).start(spawner, "flood", "4", "100", "then", "hang")) {
                Stage.await("a full pipe", () -> stage.logText().length() > 100_000);
                Processes.signal(launched.pidfd(), Linux.SIGKILL);
                assertThat(launched.awaitExit().signal()).isEqualTo(9); // after five seconds without progress
            }
        }
    }

    @Test
    void clientsThatComeAndGoDisturbNobody() throws Exception {
        try (var stage = stage()) {
            var steady = stage.client(STDIN, STDOUT);
            try (var launched = stage.pipes(INPUT_ONCE).start(spawner, "copy")) {
                try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
                    for (int i = 0; i < 100; i++) {
                        pool.submit(() -> {
                            stage.link().attach(Set.of(STDOUT, STDERR)).close();
                            return stage.link().state();
                        });
                    }
                }
                write(steady, "still here");
                readUntil(steady, "still here");
                steady.shutdownOutput();
                assertThat(launched.awaitExit().code()).isZero();
            }
        }
    }

    @Test
    void aMonitorThatDoesNotAnswerIsGivenUp() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang");
                var monitor = Processes.open(launched.monitorPid()).orElseThrow()) {
            Processes.signal(monitor, Linux.SIGSTOP);
            var link = MonitorLink.at(stage.socket(), Duration.ofMillis(50));
            assertThatThrownBy(link::state).isInstanceOfSatisfying(
                    KernelException.class, e -> assertThat(e.is(Errno.ETIMEDOUT)).isTrue());
            Processes.signal(monitor, Linux.SIGCONT);
            assertThat(stage.link().state().pid()).isEqualTo(launched.pid());
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
            launched.awaitExit();
        }
    }

    @Test
    void hundredsOfSilentClientsLeaveRoomForWhoAsks() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang")) {
            var clients = new java.util.ArrayList<SocketChannel>();
            for (int i = 0; i < 700; i++) {
                clients.add(stage.link().attach(Set.of(STDOUT, STDERR)));
            }
            assertThat(stage.link().state().clients()).isEqualTo(700);
            for (var client : clients) {
                client.close();
            }
            Stage.await("all are forgotten", () -> stage.link().state().clients() == 0);
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
            launched.awaitExit();
        }
    }

    @Test
    void outputHeldByAForeignProcessDoesNotKeepTheEndFromComing() throws Exception {
        try (var stage = stage()) {
            var end = stage.pipes(NO_INPUT).run(spawner, "leave-behind");
            assertThat(end.code()).isZero();
            int left = Integer.parseInt(stage.output().strip());
            try (var process = Processes.open(left).orElseThrow()) {
                assertThat(Processes.isRunning(process)).isTrue();
                Processes.signal(process, Linux.SIGKILL);
            }
        }
    }

    // ---- input ----

    @Test
    void inputWrittenBeforeTheStartArrivesAndEndsAtHalfClose() throws Exception {
        try (var stage = stage()) {
            var client = stage.client(STDIN, STDOUT);
            write(client, "early");
            client.shutdownOutput();
            assertThat(stage.pipes(INPUT_ONCE).run(spawner, "copy").code()).isZero();
            assertThat(Stage.unframed(Stage.readAll(client), 1)).isEqualTo("early<end>\n");
        }
    }

    @Test
    void inputOfAClientThatClosedAltogetherIsNotLost() throws Exception {
        try (var stage = stage()) {
            var client = stage.client(STDIN);
            write(client, "last words");
            client.close();
            assertThat(stage.pipes(INPUT_ONCE).run(spawner, "copy").code()).isZero();
            assertThat(stage.output()).isEqualTo("last words<end>\n");
        }
    }

    @Test
    void inputStaysOpenForTheNextClient() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(INPUT).start(spawner, "copy")) {
            for (var word : List.of("one", "two", "three")) {
                try (var client = stage.link().attach(Set.of(STDIN, STDOUT))) {
                    write(client, word);
                    readUntil(client, word);
                }
            }
            assertThat(launched.isDone()).isFalse();
            Processes.signal(launched.pidfd(), Linux.SIGTERM);
            assertThat(launched.awaitExit().signal()).isEqualTo(15);
            assertThat(stage.output()).isEqualTo("onetwothree");
        }
    }

    @Test
    void muchInputIsCopiedThroughWhole() throws Exception {
        try (var stage = stage()) {
            var client = stage.client(STDIN, STDOUT);
            var text = "0123456789abcdef".repeat(1 << 17);
            try (var launched = stage.pipes(INPUT_ONCE).start(spawner, "copy")) {
                var writer = Thread.startVirtualThread(() -> {
                    try {
                        write(client, text);
                        client.shutdownOutput();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                });
                assertThat(Stage.unframed(Stage.readAll(client), 1)).isEqualTo(text + "<end>\n");
                writer.join();
                assertThat(launched.awaitExit().code()).isZero();
            }
        }
    }

    @Test
    void inputNobodyReadsIsSwallowed() throws Exception {
        try (var stage = stage()) {
            var client = stage.client(STDIN, STDOUT);
            try (var launched = stage.pipes(INPUT).start(spawner, "close-input", "then", "hang")) {
                readUntil(client, "closed");
                write(client, "x".repeat(1 << 20));
                Processes.signal(launched.pidfd(), Linux.SIGKILL);
                launched.awaitExit();
            }
        }
    }

    // ---- terminal ----

    @Test
    void terminalIsRawEchoesAndTellsItsSize() throws Exception {
        try (var stage = stage()) {
            var client = stage.client(STDIN, STDOUT, STDERR);
            try (var launched = stage.terminal().start(spawner, "size", "then", "copy")) {
                assertThat(readUntil(client, "columns\r\n")).isEqualTo("24 rows 80 columns\r\n");
                write(client, "typed\n");
                assertThat(readUntil(client, "typed\r\ntyped")).startsWith("typed\r\ntyped");
                write(client, "\4"); // Ctrl-D
                assertThat(Stage.readAll(client)).endsWith("<end>\r\n");
                assertThat(launched.awaitExit().code()).isZero();
                assertThat(LogLine.read(stage.logText()).getFirst())
                        .extracting(LogLine::log, LogLine::stream)
                        .containsExactly("24 rows 80 columns\r\n", "stdout");
            }
        }
    }

    @Test
    void resizeReachesTheProcess() throws Exception {
        try (var stage = stage()) {
            var client = stage.client(STDOUT);
            try (var launched = stage.terminal().start(spawner, "resized")) {
                readUntil(client, "waiting");
                stage.link().resize(50, 132);
                assertThat(Stage.readAll(client)).endsWith("50 rows 132 columns\r\n");
                assertThat(launched.awaitExit().code()).isZero();
            }
        }
    }

    @Test
    void lastWordsOnATerminalAreNotLost() throws Exception {
        for (int i = 0; i < 50; i++) {
            try (var stage = new Stage(directory.resolve("tty" + i))) {
                var client = stage.client(STDOUT);
                stage.terminal().run(spawner, "lines", "200", "then", "print", "last words\n");
                assertThat(Stage.readAll(client)).endsWith("line 200\r\nlast words\r\n");
                assertThat(stage.output()).endsWith("line 200\r\nlast words\r\n");
            }
        }
    }

    @Test
    void withoutATerminalThereIsNothingToResize() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang")) {
            assertThatThrownBy(() -> stage.link().resize(1, 1))
                    .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOTTY));
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
            launched.awaitExit();
        }
    }

    // ---- the monitor's socket ----

    @Test
    void watcherHearsOfTheEnd() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang");
                var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var state = stage.link().state();
            assertThat(state.pid()).isEqualTo(launched.pid());
            assertThat(state.monitorPid()).isEqualTo(launched.monitorPid());
            var watchers = new ArrayList<java.util.concurrent.Future<ExitRecord>>();
            for (int i = 0; i < 10; i++) {
                watchers.add(pool.submit(() -> stage.link().watch()));
            }
            Processes.signal(launched.pidfd(), Linux.SIGTERM);
            var end = launched.awaitExit();
            for (var watcher : watchers) {
                try {
                    assertThat(watcher.get()).isEqualTo(end);
                } catch (java.util.concurrent.ExecutionException e) { // it came too late, as watch() says
                    assertThat(e).hasCauseInstanceOf(java.io.IOException.class);
                    assertThat(stage.record()).contains(end);
                }
            }
        }
    }

    @Test
    void monitorThatHasEndedRefusesConnections() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT).run(spawner, "true");
            Stage.awaitNoProcess(directory);
            assertThatThrownBy(() -> stage.link().state()).isInstanceOf(ConnectException.class);
        }
    }

    @Test
    void garbageOnTheSocketIsDropped() throws Exception {
        try (var stage = stage();
                var launched = stage.pipes(NO_INPUT).start(spawner, "hang")) {
            var random = new java.util.Random(4711);
            for (int i = 0; i < 300; i++) {
                try (var channel = UnixListener.connect(stage.socket())) {
                    var bytes = new byte[random.nextInt(64)];
                    random.nextBytes(bytes);
                    if (random.nextBoolean() && bytes.length >= 4) {
                        ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN).putInt(TapeFormat.MAGIC);
                    }
                    channel.write(ByteBuffer.wrap(bytes));
                } catch (java.io.IOException dropped) {
                    // as it should be
                }
            }
            assertThat(stage.link().state().pid()).isEqualTo(launched.pid());
            Processes.signal(launched.pidfd(), Linux.SIGKILL);
            launched.awaitExit();
        }
    }

    @Test
    void socketDeepBelowWorksAsWell() throws Exception {
        var deep = directory;
        for (int i = 0; i < 10; i++) {
            deep = deep.resolve("a-rather-long-directory-name");
        }
        try (var stage = new Stage(deep)) {
            assertThat(stage.socket().toString()).hasSizeGreaterThan(300);
            assertThat(Files.getPosixFilePermissions(stage.socket())).hasSize(2);
            try (var launched = stage.pipes(NO_INPUT).start(spawner, "hang")) {
                assertThat(stage.link().state().pid()).isEqualTo(launched.pid());
                Processes.signal(launched.pidfd(), Linux.SIGKILL);
                launched.awaitExit();
            }
        }
    }
}
