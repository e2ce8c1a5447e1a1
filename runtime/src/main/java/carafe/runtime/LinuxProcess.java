package carafe.runtime;

import carafe.kernel.Cgroup;
import carafe.kernel.Errno;
import carafe.kernel.ExitRecord;
import carafe.kernel.Fd;
import carafe.kernel.KernelException;
import carafe.kernel.Launched;
import carafe.kernel.Linux;
import carafe.kernel.MonitorLink;
import carafe.kernel.MonitorStream;
import carafe.kernel.Processes;
import carafe.spec.EngineException;
import carafe.spec.Later;
import carafe.spec.oci.ProcessSpec;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.channels.SocketChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// A process under its monitor, started by us or found again. Owns a pidfd until the end was seen.
/// The lock guards `exit`, `released` and the pidfd's closing, so that no signal goes to a closed descriptor.
final class LinuxProcess implements RunningProcess {

    private static final Set<String> GONE = Set.of("Connection reset", "Broken pipe", "No such file or directory");

    private static final Duration REST = Duration.ofMillis(300);
    private static final Later RESTS = new Later("explanations", REST.dividedBy(3));

    private final Path runDir;
    private final int pid;
    private final Instant startedAt;
    private final Fd pidfd;
    private final Cgroup cgroup;
    private final MonitorLink link;
    private final Optional<Launched> launched;
    private final Optional<Later.Entry> keeping;
    private final Object explaining = new Object(); // held while the explanation is written; guards `unwanted`
    private final Object lock = new Object();
    private boolean unwanted;
    private Optional<ExitInfo> exit = Optional.empty();
    private boolean released;
    private volatile Optional<Supplier<TapeExplanation>> explanation;

    private LinuxProcess(Path runDir, Cgroup cgroup, Identity identity, Optional<Launched> launched,
            Optional<Supplier<TapeExplanation>> explanation) {
        this.runDir = runDir;
        this.cgroup = cgroup;
        this.pid = identity.pid;
        this.startedAt = identity.startedAt;
        this.pidfd = identity.pidfd;
        this.link = MonitorLink.at(runDir.resolve(Preparer.SOCKET));
        this.launched = launched;
        this.explanation = explanation;
        this.keeping = explanation.map(_ -> RESTS.after(REST, this::keepExplanation)); // which must not hold it
    }

    private record Identity(int pid, Instant startedAt, Fd pidfd) {}

    /// The process of a launch that just succeeded; takes ownership of it.
    static LinuxProcess started(Path runDir, Cgroup cgroup, Launched launched,
            Supplier<TapeExplanation> explanation) {
        var identity = new Identity(launched.pid(), launched.started(), launched.pidfd());
        return new LinuxProcess(runDir, cgroup, identity, Optional.of(launched), Optional.of(explanation));
    }

    /// The process whose monitor listens in `runDir`; empty if none does.
    static Optional<LinuxProcess> find(Path runDir, Cgroup cgroup) throws IOException {
        var link = MonitorLink.at(runDir.resolve(Preparer.SOCKET));
        try {
            var before = link.state();
            var pidfd = Processes.open(before.pid());
            if (pidfd.isEmpty()) {
                return Optional.empty();
            }
            boolean found = false;
            try {
                // the monitor reaps it only at its end, so one that still answers proves that the number is its own
                var state = link.state();
                if (ExitRecord.read(runDir, RunRecord.EXIT).isPresent()) {
                    return Optional.empty();
                }
                var identity = new Identity(state.pid(), state.started(), pidfd.get());
                found = true;
                return Optional.of(new LinuxProcess(runDir, cgroup, identity, Optional.empty(), Optional.empty()));
            } finally {
                if (!found) {
                    pidfd.get().close();
                }
            }
        } catch (IOException e) {
            if (isGone(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Whether a conversation with a monitor failed because there is no monitor any more; nothing else may be taken for
    /// that, least of all a daemon out of descriptors.
    private static boolean isGone(IOException e) {
        return switch (e) {
            case ConnectException _, EOFException _, NoSuchFileException _ -> true;
            case KernelException _ -> false;
            default -> GONE.contains(String.valueOf(e.getMessage())); // a write into a closed end is a plain IOException
        };
    }

    /// Writes the explanation when the start is a moment past: most short-lived processes are gone by then and nobody
    /// asks; for the others memory is given back.
    private void keepExplanation() {
        synchronized (explaining) {
            var fresh = explanation;
            if (unwanted || fresh.isEmpty()) {
                return; // deleted meanwhile
            }
            try {
                RunRecord.writeExplanation(runDir, fresh.get().get());
                explanation = Optional.empty();
            } catch (IOException e) {
                System.getLogger("carafe.runtime").log(System.Logger.Level.DEBUG,
                        "explanation of " + runDir + " not kept: " + e.getMessage());
            }
        }
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
    public ExitInfo awaitExit() throws InterruptedException, EngineException {
        synchronized (lock) {
            if (exit.isPresent()) {
                return exit.get();
            }
        }
        if (launched.isPresent()) {
            try {
                return ended(launched.get().awaitExit());
            } catch (KernelException e) {
                // The spawner is gone, which says nothing about the process: its monitor goes on and is asked itself.
            }
        }
        try {
            return ended(link.watch());
        } catch (IOException e) {
            if (isGone(e)) {
                return endedUnseen();
            }
            throw RunRecord.internal("waiting for process " + pid, e);
        }
    }

    private ExitInfo ended(ExitRecord record) {
        return remember(info(record, cgroup));
    }

    /// The monitor is gone without a word: its file may know, else the process is ended too, because nobody would ever
    /// learn how it ends.
    private ExitInfo endedUnseen() throws EngineException {
        try {
            var record = ExitRecord.read(runDir, RunRecord.EXIT);
            if (record.isPresent()) {
                return ended(record.get());
            }
            synchronized (lock) {
                if (exit.isEmpty() && !released) {
                    Processes.signal(pidfd, Linux.SIGKILL);
                }
            }
            return remember(new ExitInfo(128 + Linux.SIGKILL, Linux.SIGKILL, Instant.now(), oomKilled(cgroup)));
        } catch (IOException e) {
            throw RunRecord.internal("learning how process " + pid + " ended", e);
        }
    }

    private ExitInfo remember(ExitInfo info) {
        synchronized (lock) {
            if (exit.isEmpty()) {
                exit = Optional.of(info);
                pidfd.close();
            }
            return exit.get();
        }
    }

    static ExitInfo info(ExitRecord record, Cgroup cgroup) {
        return new ExitInfo(record.code(), record.signal(), record.finished(), oomKilled(cgroup));
    }

    /// Whether memory ran out in `cgroup`; no when it is gone.
    static boolean oomKilled(Cgroup cgroup) {
        try {
            return cgroup.oomKills() > 0;
        } catch (KernelException | IllegalStateException e) { // the latter: the daemon ends and has let go of cgroups
            return false;
        }
    }

    @Override
    public Optional<ExitInfo> exited() throws EngineException {
        synchronized (lock) {
            if (exit.isPresent()) {
                return exit;
            }
        }
        try {
            return ExitRecord.read(runDir, RunRecord.EXIT).map(this::ended);
        } catch (IOException e) {
            throw RunRecord.internal("reading the exit record in " + runDir, e);
        }
    }

    @Override
    public void signal(int number) throws EngineException {
        try {
            synchronized (lock) {
                if (exit.isEmpty() && !released && Processes.signal(pidfd, number)) {
                    return;
                }
            }
        } catch (KernelException e) {
            if (e.is(Errno.EINVAL)) {
                throw new EngineException.Invalid("invalid signal: " + number);
            }
            throw RunRecord.internal("sending signal " + number + " to process " + pid, e);
        }
        throw notRunning();
    }

    private EngineException notRunning() {
        return new EngineException.Conflict("process " + pid + " is not running");
    }

    /// A second descriptor of the process; fails when it ended.
    Fd handle() throws EngineException {
        try {
            synchronized (lock) {
                if (exit.isEmpty() && !released && Processes.isRunning(pidfd)) {
                    return pidfd.duplicate();
                }
            }
        } catch (KernelException e) {
            throw RunRecord.internal("looking at process " + pid, e);
        }
        throw notRunning();
    }

    @Override
    public void resize(ProcessSpec.ConsoleSize size) throws EngineException {
        try {
            link.resize(size.height(), size.width());
        } catch (IOException e) {
            if (isGone(e)) {
                throw notRunning();
            }
            if (e instanceof KernelException kernel && kernel.is(Errno.ENOTTY)) {
                throw new EngineException.Conflict("process " + pid + " has no terminal");
            }
            throw RunRecord.internal("resizing the terminal of process " + pid, e);
        }
    }

    @Override
    public SocketChannel attach(Set<StdStream> streams) throws EngineException {
        try {
            return link.attach(kernelStreams(streams));
        } catch (IOException e) {
            if (isGone(e)) {
                throw notRunning();
            }
            throw RunRecord.internal("attaching to process " + pid, e);
        }
    }

    static Set<MonitorStream> kernelStreams(Set<StdStream> streams) {
        var set = EnumSet.noneOf(MonitorStream.class);
        streams.forEach(stream -> set.add(switch (stream) {
            case STDIN -> MonitorStream.STDIN;
            case STDOUT -> MonitorStream.STDOUT;
            case STDERR -> MonitorStream.STDERR;
        }));
        return set;
    }

    @Override
    public Supplier<TapeExplanation> explanation() throws EngineException {
        var fresh = explanation;
        if (fresh.isPresent()) {
            return fresh.get();
        }
        try {
            var kept = RunRecord.readExplanation(runDir)
                    .orElseThrow(() -> new EngineException.NotFound("no explanation was kept in " + runDir));
            return () -> kept;
        } catch (IOException e) {
            throw RunRecord.internal("reading the explanation", e);
        }
    }

    @Override
    public void release() {
        synchronized (lock) {
            released = true;
            pidfd.close();
        }
    }

    @Override
    public void delete() throws EngineException {
        if (exited().isEmpty()) {
            throw new EngineException.Conflict("process " + pid + " is running");
        }
        keeping.ifPresent(Later.Entry::callOff);
        synchronized (explaining) {
            unwanted = true;
        }
        try {
            RunRecord.remove(runDir);
        } catch (IOException e) {
            throw RunRecord.internal("removing " + runDir, e);
        }
    }
}
