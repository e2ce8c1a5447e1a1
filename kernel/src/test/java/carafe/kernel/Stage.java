package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/// One process to be started by a test: the probe program (native/test/probe.c) with pipes or a terminal, a log, an
/// exit record and a listening socket in a directory. Collects what it opens and closes it all.
final class Stage implements AutoCloseable {

    static final Path NATIVE = Path.of(System.getProperty("carafe.native"));
    static final Path PROBE = NATIVE.resolve("probe");
    static final Duration DEADLINE = Duration.ofSeconds(60);

    static final Slot STDIN = new Slot("stdin");
    static final Slot STDOUT = new Slot("stdout");
    static final Slot STDERR = new Slot("stderr");
    static final Slot RUN_DIR = new Slot("run-dir");
    static final Slot LISTENER = new Slot("listener");
    static final Slot MASTER = new Slot("master");
    static final Slot SLAVE = new Slot("slave");

    final Path directory;
    final Map<Slot, Fd> descriptors = new HashMap<>();
    final List<Step> steps = new ArrayList<>();
    final List<MonitorPlan.Client> clients = new ArrayList<>();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final UnixListener listener;
    private MonitorPlan.Stdio stdio =
            new MonitorPlan.Pipes(Optional.empty(), Optional.empty(), Optional.empty(), false);
    Optional<MonitorPlan.Log> log;
    Optional<Launch.Rendezvous> rendezvous = Optional.empty();
    long cloneFlags;

    Stage(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
        descriptors.put(RUN_DIR, keep(Descriptors.open(directory, Linux.O_RDONLY | Linux.O_DIRECTORY, 0)));
        listener = keep(UnixListener.listen(socket()));
        descriptors.put(LISTENER, listener.socket());
        log = Optional.of(new MonitorPlan.Log(RUN_DIR, "json.log", 0, 1));
    }

    <T extends AutoCloseable> T keep(T resource) {
        opened.add(resource);
        return resource;
    }

    Path socket() {
        return directory.resolve("monitor.sock");
    }

    MonitorLink link() {
        return MonitorLink.at(socket());
    }

    /// Output through pipes; input too, if `once` says how it ends.
    Stage pipes(Optional<Boolean> once) throws KernelException {
        for (var stream : List.of(STDOUT, STDERR)) {
            var pipe = keep(Descriptors.pipe(0));
            descriptors.put(stream, pipe.first());
            var end = new Slot(stream.name() + "-end");
            descriptors.put(end, pipe.second());
            steps.add(stdio("stdio", end, stream == STDOUT ? 1 : 2));
        }
        if (once.isPresent()) {
            var pipe = keep(Descriptors.pipe(0));
            descriptors.put(STDIN, pipe.second());
            var end = new Slot("stdin-end");
            descriptors.put(end, pipe.first());
            steps.add(stdio("stdio", end, 0));
        }
        stdio = new MonitorPlan.Pipes(
                once.map(_ -> STDIN), Optional.of(STDOUT), Optional.of(STDERR), once.orElse(false));
        return this;
    }

    Stage terminal() throws KernelException {
        var pty = keep(Pty.open());
        pty.size(24, 80);
        descriptors.put(MASTER, pty.master());
        descriptors.put(SLAVE, pty.slave());
        steps.add(Step.child("session", Syscall.SETSID));
        for (int fd = 0; fd < 3; fd++) {
            steps.add(stdio("stdio", SLAVE, fd));
        }
        steps.add(Step.child("terminal", Syscall.IOCTL,
                Arg.number(0), Arg.number(Linux.TIOCSCTTY, "TIOCSCTTY"), Arg.number(0)));
        stdio = new MonitorPlan.Terminal(MASTER, SLAVE, true);
        return this;
    }

    private static Step stdio(String id, Slot slot, int fd) {
        return Step.child(id, Syscall.DUP3, Arg.slot(slot), Arg.number(fd), Arg.number(0));
    }

    static Step exec(String... words) {
        return execOf(PROBE.toString(), words);
    }

    static Step execOf(String path, String... words) {
        var argv = new ArrayList<>(List.of("probe"));
        argv.addAll(List.of(words));
        return Step.child("exec", Syscall.EXECVE,
                Arg.text(path), Arg.strings(argv), Arg.strings(List.of("PATH=/bin")));
    }

    /// A client that is there from the start.
    SocketChannel client(MonitorStream... streams) throws IOException {
        var pair = keep(listener.connect());
        var slot = new Slot("client" + clients.size());
        descriptors.put(slot, pair.far());
        clients.add(new MonitorPlan.Client(slot, Set.of(streams)));
        return pair.near();
    }

    Launch launch(String... words) {
        var all = new ArrayList<>(steps);
        all.add(exec(words));
        return launch(all);
    }

    Launch launch(List<Step> all) {
        var tape = Tape.builder().addAll(all).cloneFlags(cloneFlags).build();
        var door = new MonitorPlan.Door(Optional.of(LISTENER), clients);
        var exit = Optional.of(new MonitorPlan.Exit(RUN_DIR, "exit"));
        return new Launch(tape, descriptors, new MonitorPlan("probe " + directory, stdio, door, log, exit),
                rendezvous);
    }

    /// Starts it and gives up our copies of its descriptors, so that ends come when they come.
    Launched start(Spawner spawner, String... words) throws Exception {
        var launched = spawner.launch(launch(words), DEADLINE);
        passedOn();
        return launched;
    }

    void passedOn() {
        descriptors.values().forEach(Fd::close);
    }

    ExitRecord run(Spawner spawner, String... words) throws Exception {
        try (var launched = start(spawner, words)) {
            return launched.awaitExit();
        }
    }

    /// Makes the JDK open what it keeps open for sockets, so that it is not taken for a leak.
    static void warmUp() throws IOException {
        var directory = Files.createTempDirectory("stage");
        try (var listener = UnixListener.listen(directory.resolve("s"));
                var pair = listener.connect()) {
            Thread.ofVirtual().start(() -> {
                try {
                    pair.near().read(ByteBuffer.allocate(1));
                } catch (IOException closed) {
                    // as intended
                }
            });
            pair.far().close();
        }
        Files.delete(directory.resolve("s"));
        Files.delete(directory);
    }

    /// What the process wrote, as its log has it.
    String output() throws IOException {
        return LogLine.read(logText()).stream().map(LogLine::log).collect(Collectors.joining());
    }

    String logText() throws IOException {
        return Files.readString(directory.resolve("json.log"));
    }

    Optional<ExitRecord> record() throws IOException {
        return ExitRecord.read(directory, "exit");
    }

    static String readAll(SocketChannel channel) throws IOException {
        var out = new java.io.ByteArrayOutputStream();
        var buffer = ByteBuffer.allocate(1 << 16);
        while (channel.read(buffer) >= 0) {
            out.write(buffer.array(), 0, buffer.position());
            buffer.clear();
        }
        return out.toString(StandardCharsets.ISO_8859_1);
    }

    /// What arrived on `stream` (1 or 2) in Docker's frames.
    static String unframed(String framed, int stream) {
        var out = new StringBuilder();
        for (int at = 0; at < framed.length(); ) {
            int length = 0;
            for (int i = 4; i < 8; i++) {
                length = length << 8 | framed.charAt(at + i) & 0xff;
            }
            if (framed.charAt(at) == stream) {
                out.append(framed, at + 8, at + 8 + length);
            }
            at += 8 + length;
        }
        return out.toString();
    }

    @Override
    public void close() {
        for (var resource : opened.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    /// Waits until no monitor with a title of `directory` is left.
    static void awaitNoProcess(Path directory) throws Exception {
        await("no monitor of " + directory, () -> monitors(directory).isEmpty());
    }

    /// The monitors whose titles name something below `directory`.
    static List<Integer> monitors(Path directory) throws IOException {
        var found = new ArrayList<Integer>();
        try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (var process : processes) {
                try {
                    var words = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
                    if (words.startsWith("carafe-monitor") && words.contains(directory.toString())) {
                        found.add(Integer.parseInt(process.getFileName().toString()));
                    }
                } catch (IOException gone) {
                    // it ended meanwhile
                }
            }
        }
        return found;
    }

    interface Check {
        boolean holds() throws Exception;
    }

    /// Waits for what must come true soon.
    static void await(String what, Check check) throws Exception {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (!check.holds()) {
            assertThat(System.nanoTime()).as("deadline of: " + what).isLessThan(end);
            LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
        }
    }
}
