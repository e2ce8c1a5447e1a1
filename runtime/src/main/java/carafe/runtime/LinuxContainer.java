package carafe.runtime;

import carafe.kernel.Cgroup;
import carafe.kernel.CgroupStats;
import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.Launched;
import carafe.kernel.MountNamespace;
import carafe.kernel.Processes;
import carafe.spec.EngineException;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.ProcessSpec;
import carafe.spec.oci.ProcessSpec.Capabilities;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// A container on this kernel: its first process, its control group, and what an exec must know of it.
final class LinuxContainer implements RunningContainer {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String SHARED_MEMORY = "/dev/shm";

    private final LinuxProcess process;
    private final Cgroup cgroup;
    private final RunRecord record;
    private final LinuxRuntime runtime;

    LinuxContainer(LinuxProcess process, Cgroup cgroup, RunRecord record, LinuxRuntime runtime) {
        this.process = process;
        this.cgroup = cgroup;
        this.record = record;
        this.runtime = runtime;
    }

    @Override
    public String id() {
        return record.id();
    }

    @Override
    public int pid() {
        return process.pid();
    }

    @Override
    public Instant startedAt() {
        return process.startedAt();
    }

    @Override
    public ExitInfo awaitExit() throws InterruptedException, EngineException {
        return process.awaitExit();
    }

    @Override
    public Optional<ExitInfo> exited() throws EngineException {
        return process.exited();
    }

    @Override
    public void signal(int number) throws EngineException {
        process.signal(number);
    }

    @Override
    public void resize(ProcessSpec.ConsoleSize size) throws EngineException {
        process.resize(size);
    }

    @Override
    public SocketChannel attach(Set<StdStream> streams) throws EngineException {
        return process.attach(streams);
    }

    @Override
    public Supplier<TapeExplanation> explanation() throws EngineException {
        return process.explanation();
    }

    @Override
    public void pause() throws EngineException {
        on("pausing", cgroup::freeze);
    }

    @Override
    public void resume() throws EngineException {
        on("resuming", cgroup::thaw);
    }

    @Override
    public boolean paused() throws EngineException {
        return ask("looking at", cgroup::isFrozen);
    }

    @Override
    public List<Integer> processes() throws EngineException {
        return ask("listing the processes of", cgroup::processes);
    }

    @Override
    public boolean oomKilled() throws EngineException {
        return LinuxProcess.oomKilled(cgroup);
    }

    @Override
    public void update(LinuxResources resources) throws EngineException {
        on("updating", () -> cgroup.update(Limits.of(resources)));
    }

    @Override
    public ContainerStats stats() throws EngineException {
        return stats(ask("reading the usage of", cgroup::stats));
    }

    private static ContainerStats stats(CgroupStats stats) {
        var blocks = new ArrayList<ContainerStats.BlockIo>();
        for (var io : stats.io()) {
            blocks.add(new ContainerStats.BlockIo(io.major(), io.minor(), "Read", io.readBytes(), io.reads()));
            blocks.add(new ContainerStats.BlockIo(io.major(), io.minor(), "Write", io.writeBytes(), io.writes()));
        }
        return new ContainerStats(
                Instant.now(),
                new ContainerStats.Cpu(
                        stats.cpuNanos(), stats.cpuUserNanos(), stats.cpuSystemNanos(), stats.periods(),
                        stats.throttledPeriods(), stats.throttledNanos()),
                new ContainerStats.Memory(
                        stats.memoryBytes(), stats.memoryMaxBytes(), stats.memoryLimitBytes().orElse(Long.MAX_VALUE),
                        stats.memoryFailures(), stats.memoryDetail()),
                new ContainerStats.Pids(stats.pids(), stats.pidsLimit().orElse(-1)),
                blocks);
    }

    @Override
    public SharedNamespaces namespaces() throws EngineException {
        try (var process = this.process.handle()) {
            var found = LinuxNamespaces.of(this.process.pid());
            if (Processes.isRunning(process)) {
                return found;
            }
            found.close(); // perhaps those of another process that got the number
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT, Errno.ESRCH)) {
                throw RunRecord.internal("opening the namespaces of container " + id(), e);
            }
        }
        throw notRunning();
    }

    private EngineException notRunning() {
        return new EngineException.Conflict("container " + id() + " is not running");
    }

    @Override
    public HeldMount sharedMemory() throws EngineException {
        try (var process = this.process.handle(); var mounts = MountNamespace.of(process)) {
            var mount = mounts.copyMount(SHARED_MEMORY);
            return new HeldMount() {
                @Override
                public String path() {
                    return mount.path();
                }

                @Override
                public void close() {
                    mount.close();
                }
            };
        } catch (KernelException e) {
            if (e.is(Errno.ESRCH)) {
                throw notRunning();
            }
            if (e.is(Errno.ENOENT, Errno.ELOOP, Errno.ENOTDIR, Errno.EINVAL)) {
                throw new EngineException.Conflict("container " + id() + " has nothing mounted at " + SHARED_MEMORY
                        + " that could be shared");
            }
            throw RunRecord.internal("sharing " + SHARED_MEMORY + " of container " + id(), e);
        }
    }

    @Override
    public RunningProcess exec(ExecSpec spec, List<AttachEndpoint> clients) throws StartFailure {
        if (!record.filter().trouble().isEmpty()) {
            throw new StartFailure(StartFailure.Kind.PRIVILEGES, "filter", "the system-call filter of container "
                    + record.id() + " is lost, and nothing is run in it without one: " + record.filter().trouble()
                    + "; stop and start the container");
        }
        var container = record.process();
        var plain = runtime.probe().plain();
        var host = record.ids().none() ? plain : plain.insideUserNamespace();
        var purpose = new Preparer.Purpose(
                record.id(), spec.runDir(), container.user(), Optional.empty(), Optional.empty(),
                Optional.of(new Preparer.Container(process, cgroup)));
        var preparations = Preparation.listExec(spec, process.pid(), cgroup.path());
        var prepared = runtime.preparer().prepare(purpose, preparations);
        boolean started = false;
        try {
            var filter = record.filter(); // also if privileged: rights are more capabilities, not fewer fences
            var plan = ProcessPlan.of(merged(container, spec), host, new ProcessPlan.Found(
                    prepared.user, prepared.home, filter, spec.stdio().open()));
            var planned = TapePlanner.planExec(spec.id(), plan, record.namespaces(), record.ids(), host);
            var service = new Launcher.Service(
                    record.id() + " exec " + spec.id(), spec.terminal(), spec.stdio(), Optional.empty(), clients);
            var execRecord = new RunRecord(
                    spec.id(), "", record.namespaces(), record.ids(), plan.toSpec(), Filter.NONE);
            runtime.failpoints().pass("exec.record");
            execRecord.write(spec.runDir());
            var launched = runtime.launcher().launch(planned.tape(), prepared, service, plan, () -> {});
            started = true;
            prepared.close();
            return LinuxProcess.started(spec.runDir(), cgroup, launched,
                    explanation(prepared, planned, launched));
        } catch (IOException e) {
            throw new StartFailure(StartFailure.Kind.OTHER, "", "writing the record of exec " + spec.id() + ": "
                    + e.getMessage(), e);
        } finally {
            if (!started) {
                Preparer.undo(prepared);
            }
        }
    }

    /// The explanation of a start that worked, put into words when somebody wants it.
    static Supplier<TapeExplanation> explanation(Prepared prepared, TapePlanner.Planned planned, Launched launched) {
        var done = List.copyOf(prepared.done);
        var warnings = new ArrayList<>(prepared.warnings);
        warnings.addAll(planned.warnings());
        return () -> Explaining.of(done, planned.tape(), launched.times(), warnings);
    }

    /// What the exec asks for, with the container's limits and privileges. A privileged one gets every capability and
    /// nothing else, as Docker's does: filter, AppArmor profile and no-new-privileges stay the container's.
    private static ProcessSpec merged(ProcessSpec container, ExecSpec spec) {
        var capabilities = spec.privileged()
                ? Capabilities.same(StandardContainer.allCapabilities())
                : container.capabilities();
        return new ProcessSpec(
                spec.terminal(), spec.consoleSize(), container.user(), spec.args(), spec.env(),
                spec.cwd().isEmpty() ? container.cwd() : spec.cwd(), capabilities, container.rlimits(),
                container.noNewPrivileges(), container.oomScoreAdj(), container.apparmorProfile());
    }

    @Override
    public Optional<RunningProcess> adoptExec(Path execRunDir) throws EngineException {
        return ask("adopting an exec of", () -> LinuxProcess.find(execRunDir, cgroup).map(found -> found));
    }

    @Override
    public void release() {
        process.release();
    }

    @Override
    public void delete() throws EngineException {
        if (process.exited().isEmpty()) {
            throw new EngineException.Conflict("container " + record.id() + " is running");
        }
        on("deleting", () -> runtime.failpoints().pass("delete.cgroup"));
        removeCgroup(cgroup);
        on("deleting", () -> runtime.failpoints().pass("delete.run-directory"));
        process.delete();
    }

    static void removeCgroup(Cgroup cgroup) throws EngineException {
        try {
            try {
                cgroup.remove(Duration.ZERO);
            } catch (KernelException e) {
                if (!e.is(Errno.EBUSY)) {
                    throw e;
                }
                cgroup.kill();
                cgroup.remove(PATIENCE);
            }
        } catch (KernelException e) {
            throw RunRecord.internal("removing the control group " + cgroup, e);
        }
    }

    private interface Action {
        void run() throws IOException;
    }

    private interface Question<T> {
        T ask() throws IOException;
    }

    private void on(String doing, Action action) throws EngineException {
        this.<Boolean>ask(doing, () -> {
            action.run();
            return true;
        });
    }

    private <T> T ask(String doing, Question<T> question) throws EngineException {
        try {
            return question.ask();
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENODEV)) {
                throw new EngineException.Conflict("container " + record.id() + " is not running");
            }
            if (e.is(Errno.EINVAL, Errno.ERANGE)) {
                throw new EngineException.Invalid(doing + " container " + record.id() + ": " + e.getMessage());
            }
            if (e.is(Errno.EBUSY)) {
                throw new EngineException.Conflict(doing + " container " + record.id() + ": " + e.getMessage());
            }
            throw RunRecord.internal(doing + " container " + record.id(), e);
        } catch (IOException e) {
            throw RunRecord.internal(doing + " container " + record.id(), e);
        }
    }
}
