package carafe.runtime;

import carafe.spec.EngineException;
import carafe.spec.oci.IdMaps;
import carafe.spec.Failpoints;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.ProcessSpec;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A kernel and its monitors in memory, for tests of the engine: it outlives engines as the real ones do, is strict
/// about what the real runtime is strict about, and knows what was left behind.
///
/// Programs: `true`; `exit N`; `say TEXT` (prints to clients and log, ends); `sleep` (until a signal); `stubborn` (until
/// SIGKILL); `oom` (killed for lack of memory); anything else is not found.
public final class MemoryRuntime implements ContainerRuntime {
    private final Map<Path, MemoryProcess> processes = new ConcurrentHashMap<>();
    private final Map<Path, ExitInfo> records = new ConcurrentHashMap<>();
    private final AtomicInteger nextPid = new AtomicInteger(1000);
    private final AtomicInteger openEndpoints = new AtomicInteger();
    private final AtomicInteger openUsers = new AtomicInteger();
    private final Path sockets;
    private final Failpoints failpoints;
    private final List<Bundle> started = new ArrayList<>();
    private volatile CountDownLatch births = new CountDownLatch(0);

    /// `sockets` is a directory for unix sockets.
    public MemoryRuntime(Path sockets, Failpoints failpoints) {
        this.sockets = sockets;
        this.failpoints = failpoints;
    }

    /// From now on starts wait, with all they need, until the answer is counted down.
    public CountDownLatch hold() {
        births = new CountDownLatch(1);
        return births;
    }

    /// Bundles of all successful starts.
    public synchronized List<Bundle> started() {
        return List.copyOf(started);
    }

    /// What still lives or lies around: running processes, records nobody deleted, endpoints nobody closed.
    public List<String> leftBehind() {
        var left = new ArrayList<String>();
        processes.forEach((run, process) -> left.add("process " + process.id + " of " + run));
        records.forEach((run, record) -> left.add("exit record of " + run));
        if (openUsers.get() != 0) {
            left.add(openUsers.get() + " held namespaces");
        }
        if (openEndpoints.get() != 0) {
            left.add(openEndpoints.get() + " endpoints");
        }
        return left;
    }

    /// Ends the process of a run directory behind the engine's back, as a kill from outside or an OOM would.
    public void end(Path runDir, int code) {
        processOf(runDir).finish(code, 0, false);
    }

    /// The monitor dies without a record, as when the host reboots.
    public void vanish(Path runDir) {
        processes.remove(runDir);
    }

    private MemoryProcess processOf(Path runDir) {
        var process = processes.get(runDir);
        if (process == null) {
            throw new AssertionError("no process runs in " + runDir);
        }
        return process;
    }

    @Override
    public LaunchPlan plan(Bundle bundle) {
        return new LaunchPlan(explanation(), List.of("clone3"));
    }

    private static TapeExplanation explanation() {
        var step = new TapeExplanation.Step(
                "clone", "monitor", "clone3(...)", "makes the process", "clone(2)", Optional.of(1.0));
        return new TapeExplanation(List.of(step), List.of());
    }

    @Override
    public AttachEndpoint endpoint(Set<StdStream> streams) throws EngineException {
        Path path = sockets.resolve("s" + nextPid.incrementAndGet());
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            var address = UnixDomainSocketAddress.of(path);
            server.bind(address);
            var near = SocketChannel.open(address);
            var far = server.accept();
            openEndpoints.incrementAndGet();
            return new MemoryEndpoint(streams, near, far);
        } catch (IOException e) {
            throw new EngineException.Internal("no endpoint", e);
        } finally {
            path.toFile().delete();
        }
    }

    private final class MemoryEndpoint implements AttachEndpoint {
        private final Set<StdStream> streams;
        private final SocketChannel near;
        private final SocketChannel far;
        private boolean open = true;

        MemoryEndpoint(Set<StdStream> streams, SocketChannel near, SocketChannel far) {
            this.streams = Set.copyOf(streams);
            this.near = near;
            this.far = far;
        }

        @Override
        public Set<StdStream> streams() {
            return streams;
        }

        @Override
        public SocketChannel channel() {
            return near;
        }

        @Override
        public synchronized void close() {
            if (open) {
                open = false;
                openEndpoints.decrementAndGet();
                closeQuietly(near);
                closeQuietly(far);
            }
        }
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public HeldNamespaces users(IdMaps ids) throws EngineException {
        ids.check();
        return new MemoryNamespaces("/proc/self/fd/USER", "/proc/self/fd/NET");
    }

    @Override
    public HeldNamespaces networkOf(HeldNamespaces namespaces) {
        return new MemoryNamespaces(namespaces.users(), "/proc/self/fd/NET");
    }

    private final class MemoryNamespaces implements SharedNamespaces {
        private final String users;
        private final String network;

        MemoryNamespaces(String users, String network) {
            this.users = users;
            this.network = network;
            openUsers.incrementAndGet();
        }

        @Override
        public String users() {
            return users;
        }

        @Override
        public String processes() {
            return network.replace("net", "pid");
        }

        @Override
        public String ipc() {
            return network.replace("net", "ipc");
        }

        @Override
        public boolean hasUsersOf(SharedNamespaces other) {
            return users.equals(other.users());
        }

        @Override
        public String network() {
            return network;
        }

        @Override
        public void close() {
            openUsers.decrementAndGet();
        }
    }

    @Override
    public <E extends Exception> RunningContainer start(Bundle bundle, List<AttachEndpoint> clients, Rest<E> rest)
            throws StartFailure, E {
        var args = bundle.spec().process().args();
        fail("runtime.start");
        check(args);
        if (processes.containsKey(bundle.runDir()) || records.containsKey(bundle.runDir())) {
            throw new StartFailure(StartFailure.Kind.OTHER, "", "the run directory is in use: " + bundle.runDir());
        }
        rest.await();
        rest.underway();
        awaitBirth();
        var process = new MemoryProcess(bundle.id(), bundle.runDir(), args, clients);
        try {
            Files.createDirectories(bundle.runDir());
        } catch (IOException e) {
            throw new StartFailure(StartFailure.Kind.OTHER, "", "run directory", e);
        }
        processes.put(bundle.runDir(), process);
        synchronized (this) {
            started.add(bundle);
        }
        process.begin(bundle.log());
        return process;
    }

    private void awaitBirth() throws StartFailure {
        try {
            births.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StartFailure(StartFailure.Kind.OTHER, "", "interrupted", e);
        }
    }

    private static void check(List<String> args) throws StartFailure {
        if (!List.of("true", "exit", "say", "sleep", "stubborn", "oom").contains(args.getFirst())) {
            throw new StartFailure(StartFailure.Kind.EXECUTABLE_NOT_FOUND, "exec", "exec: \"" + args.getFirst()
                    + "\": executable file not found in $PATH");
        }
    }

    private void fail(String point) throws StartFailure {
        try {
            failpoints.pass(point);
        } catch (Failpoints.Injected e) {
            throw new StartFailure(StartFailure.Kind.OTHER, point, "injected at " + point, e);
        }
    }

    @Override
    public Optional<RunningContainer> adopt(Path runDir) {
        var process = processes.get(runDir);
        return process == null ? Optional.empty() : Optional.of(process);
    }

    @Override
    public Optional<ExitInfo> exitRecord(Path runDir) {
        return Optional.ofNullable(records.get(runDir));
    }

    @Override
    public Optional<TapeExplanation> explanation(Path runDir) {
        return Optional.of(explanation());
    }

    @Override
    public void discard(Path runDir, Optional<String> cgroupsPath) throws EngineException {
        var process = processes.remove(runDir);
        if (process != null) {
            process.finish(137, 9, false);
        }
        records.remove(runDir);
        deleteDirectory(runDir);
    }

    private static void deleteDirectory(Path directory) throws EngineException {
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new EngineException.Internal("cannot delete " + directory, e);
        }
    }

    private final class MemoryProcess implements RunningContainer {
        private final String id;
        private final Path runDir;
        private final List<String> args;
        private final List<AttachEndpoint> clients;
        private final int pid = nextPid.incrementAndGet();
        private final Instant startedAt = Instant.now();
        private final CountDownLatch ended = new CountDownLatch(1);
        private final List<SocketChannel> joined = new CopyOnWriteArrayList<>();
        private final List<MemoryProcess> execs = new CopyOnWriteArrayList<>();
        private volatile @Nullable ExitInfo exit;
        private volatile boolean paused;
        private volatile boolean deleted;

        MemoryProcess(String id, Path runDir, List<String> args, List<AttachEndpoint> clients) {
            this.id = id;
            this.runDir = runDir;
            this.args = args;
            this.clients = List.copyOf(clients);
        }

        void begin(LogOptions log) {
            switch (args.getFirst()) {
                case "true" -> finish(0, 0, false);
                case "exit" -> finish(Integer.parseInt(args.get(1)), 0, false);
                case "oom" -> finish(137, 9, true);
                case "say" -> {
                    say(args.get(1), log);
                    finish(0, 0, false);
                }
                default -> { }
            }
        }

        private void say(String text, LogOptions log) {
            byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
            var frame = ByteBuffer.allocate(8 + bytes.length).put((byte) 1).put(new byte[3]).putInt(bytes.length)
                    .put(bytes).flip();
            try {
                for (var client : clients) {
                    ((MemoryEndpoint) client).far.write(frame.duplicate());
                }
                if (log.enabled()) {
                    Files.writeString(log.file(), "{\"log\":\"" + text
                            + "\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05.000000006Z\"}\n");
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        synchronized void finish(int code, int signal, boolean oom) {
            if (exit == null) {
                exit = new ExitInfo(code, signal, Instant.now(), oom);
                if (processes.remove(runDir, this)) {
                    records.put(runDir, exit);
                }
                clients.forEach(client -> closeQuietly(((MemoryEndpoint) client).far));
                joined.forEach(MemoryRuntime::closeQuietly);
                execs.forEach(exec -> exec.finish(137, 9, false)); // a pid namespace dies with its first process
                ended.countDown();
            }
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public int pid() {
            return pid;
        }

        @Override
        public Instant startedAt() {
            return startedAt;
        }

        @Override
        public ExitInfo awaitExit() throws InterruptedException {
            ended.await();
            var known = exit;
            if (known == null) {
                throw new AssertionError();
            }
            return known;
        }

        @Override
        public Optional<ExitInfo> exited() {
            return Optional.ofNullable(exit);
        }

        @Override
        public void signal(int number) throws EngineException {
            running();
            boolean fatal = number == 9 || number == 15 && !args.getFirst().equals("stubborn");
            if (fatal && !paused || number == 9) {
                finish(128 + number, number, false);
            }
        }

        private void running() throws EngineException.Conflict {
            if (exit != null) {
                throw new EngineException.Conflict("container " + id + " is not running");
            }
        }

        @Override
        public void resize(ProcessSpec.ConsoleSize size) throws EngineException {
            running();
        }

        @Override
        public SocketChannel attach(Set<StdStream> streams) throws EngineException {
            running();
            var endpoint = (MemoryEndpoint) endpoint(streams);
            joined.add(endpoint.far);
            openEndpoints.decrementAndGet(); // the channel alone is the caller's
            return endpoint.channel();
        }

        @Override
        public Supplier<TapeExplanation> explanation() throws EngineException {
            if (deleted) {
                throw new EngineException.NotFound("explanation of " + runDir);
            }
            return MemoryRuntime::explanation;
        }

        @Override
        public void delete() throws EngineException {
            if (exit == null) {
                throw new EngineException.Conflict("container " + id + " is running");
            }
            deleted = true;
            records.remove(runDir);
            deleteDirectory(runDir);
        }

        @Override
        public void pause() throws EngineException {
            running();
            paused = true;
        }

        @Override
        public void resume() throws EngineException {
            running();
            paused = false;
        }

        @Override
        public boolean paused() {
            return paused;
        }

        @Override
        public RunningProcess exec(ExecSpec spec, List<AttachEndpoint> endpoints) throws StartFailure {
            if (exit != null) {
                throw new StartFailure(StartFailure.Kind.NOT_RUNNING, "", "container " + id + " is not running");
            }
            check(spec.args());
            var process = new MemoryProcess(spec.id(), spec.runDir(), spec.args(), endpoints);
            processes.put(spec.runDir(), process);
            execs.add(process);
            process.begin(LogOptions.none(spec.runDir()));
            return process;
        }

        @Override
        public Optional<RunningProcess> adoptExec(Path execRunDir) {
            return Optional.ofNullable(processes.get(execRunDir));
        }

        @Override
        public ContainerStats stats() {
            return new ContainerStats(
                    Instant.now(),
                    new ContainerStats.Cpu(1, 1, 0, 0, 0, 0),
                    new ContainerStats.Memory(4096, 8192, Long.MAX_VALUE, 0, Map.of("cache", 0L)),
                    new ContainerStats.Pids(1, -1),
                    List.of());
        }

        @Override
        public void update(LinuxResources resources) throws EngineException {
            running();
        }

        @Override
        public HeldMount sharedMemory() throws EngineException {
            namespaces().close(); // it runs
            openUsers.incrementAndGet();
            String path = "/proc/" + pid() + "/root/dev/shm";
            return new HeldMount() {
                @Override
                public String path() {
                    return path;
                }

                @Override
                public void close() {
                    openUsers.decrementAndGet();
                }
            };
        }

        @Override
        public SharedNamespaces namespaces() throws EngineException {
            if (exited().isPresent()) {
                throw new EngineException.Conflict("container " + id() + " is not running");
            }
            return new MemoryNamespaces("/proc/" + pid() + "/ns/user", "/proc/" + pid() + "/ns/net");
        }

        @Override
        public List<Integer> processes() {
            return List.of((int) ProcessHandle.current().pid());
        }

        @Override
        public boolean oomKilled() {
            return false;
        }
    }

    /// The run directories in use.
    public Collection<Path> runs() {
        return List.copyOf(processes.keySet());
    }
}
