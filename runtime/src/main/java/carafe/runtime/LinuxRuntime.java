package carafe.runtime;

import carafe.kernel.Cgroup;
import carafe.kernel.Cgroups;
import carafe.kernel.Descriptors;
import carafe.kernel.ExitRecord;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.Seccomp;
import carafe.kernel.Spawner;
import carafe.kernel.UnixListener;
import carafe.kernel.UserNamespace;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.oci.IdMaps;
import carafe.spec.oci.LinuxSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// [ContainerRuntime] on this kernel. Borrows spawner and cgroups; owns a few descriptors until [#close], which disturbs
/// no container.
public final class LinuxRuntime implements ContainerRuntime, AutoCloseable {

    private static final String RENDEZVOUS = "attach.sock";
    private static final String FILTERS = "filters";

    private final Cgroups cgroups;
    private final HostProbe probe;
    private final Failpoints failpoints;
    private final Preparer preparer;
    private final Launcher launcher;
    private final Spawner spawner;
    private final Path rendezvous;
    private final UnixListener listener;

    private LinuxRuntime(Host host, HostProbe probe, Failpoints failpoints, Path directory, Assembly assembly)
            throws IOException {
        this.cgroups = host.cgroups;
        this.probe = probe;
        this.failpoints = failpoints;
        this.preparer = new Preparer(probe, host.cgroups, filters(host, directory), failpoints, assembly);
        this.launcher = new Launcher(host.spawner, failpoints);
        this.spawner = host.spawner;
        this.rendezvous = directory.resolve(RENDEZVOUS);
        Files.deleteIfExists(rendezvous);
        this.listener = UnixListener.listen(rendezvous);
    }

    /// What a runtime stands on. `seccomp` is empty where the host has no libseccomp: a container that wants a filter
    /// is refused then.
    public record Host(Spawner spawner, Cgroups cgroups, Optional<Seccomp> seccomp) {}

    /// A runtime whose own files are in `directory` (below the run root; made if missing).
    public static LinuxRuntime open(Host host, Path directory, Failpoints failpoints) throws EngineException {
        return open(host, directory, failpoints, Assembly.ofThisKernel());
    }

    /// The same as on a kernel that puts mounts together only in the way `assembly`.
    static LinuxRuntime open(Host host, Path directory, Failpoints failpoints, Assembly assembly) throws EngineException {
        try {
            Files.createDirectories(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            var probe = HostProbe.look(host.cgroups);
            try {
                return new LinuxRuntime(host, probe, failpoints, directory, assembly);
            } catch (IOException e) {
                probe.close();
                throw e;
            }
        } catch (IOException e) {
            throw RunRecord.internal("opening the container runtime", e);
        }
    }

    private static Optional<Filters> filters(Host host, Path directory) {
        return host.seccomp.map(seccomp -> new SeccompFilters(seccomp, directory.resolve(FILTERS)));
    }

    HostProbe probe() {
        return probe;
    }

    Failpoints failpoints() {
        return failpoints;
    }

    Preparer preparer() {
        return preparer;
    }

    Launcher launcher() {
        return launcher;
    }

    @Override
    public LaunchPlan plan(Bundle bundle) throws EngineException {
        try {
            Checks.check(bundle.spec());
            var host = probe.facts(bundle.spec().linux());
            var image = ImageFacts.unknown(bundle.spec().process().user());
            var filter = bundle.spec().linux().seccomp().isPresent()
                    ? new Filter(new byte[8], 0, Optional.empty())
                    : Filter.NONE;
            var planned = TapePlanner.plan(bundle, host, image, filter);
            return Explaining.plan(
                    Preparation.list(bundle, host, cgroupPath(bundle)), planned.tape(), planned.warnings());
        } catch (StartFailure e) {
            throw e.toEngineException();
        } catch (KernelException e) {
            throw RunRecord.internal("looking at the host", e);
        }
    }

    @Override
    public AttachEndpoint endpoint(Set<StdStream> streams) throws EngineException {
        try {
            var pair = listener.connect();
            return new LinuxEndpoint(streams, pair.near(), pair.far());
        } catch (IOException e) {
            throw RunRecord.internal("making a connection", e);
        }
    }

    /// The control group of `bundle`: a relative path is below our own home.
    private String cgroupPath(Bundle bundle) {
        String wanted = bundle.spec().linux().cgroupsPath();
        return cgroupPath(wanted.isEmpty() ? bundle.id() : wanted);
    }

    private String cgroupPath(String wanted) {
        return wanted.startsWith("/") ? wanted : cgroups.home() + "/" + wanted;
    }

    @Override
    public <E extends Exception> RunningContainer start(Bundle bundle, List<AttachEndpoint> clients, Rest<E> rest)
            throws StartFailure, E {
        var spec = bundle.spec();
        Checks.check(spec);
        HostFacts host;
        try {
            host = probe.facts(spec.linux());
        } catch (KernelException e) {
            throw new StartFailure(StartFailure.Kind.OTHER, "", "looking at the host: " + e.getMessage(), e);
        }
        var purpose = new Preparer.Purpose(
                bundle.id(), bundle.runDir(), spec.process().user(), spec.linux().seccomp(),
                bundle.log().enabled() ? Optional.ofNullable(bundle.log().file().getParent()) : Optional.empty(),
                Optional.empty());
        var ready = preparer.prepare(purpose, Preparation.list(bundle, host, cgroupPath(bundle)),
                inRoot -> TapePlanner.plan(bundle, host, inRoot.image(), inRoot.filter));
        var prepared = ready.prepared();
        var planned = ready.plan();
        boolean started = false;
        try {
            var cgroup = prepared.cgroup.orElseThrow();
            var record = new RunRecord(
                    bundle.id(), cgroup.path(), types(spec.linux()), spec.linux().ids(),
                    spec.process().withUser(prepared.user), prepared.filter);
            failpoints.pass("start.record");
            record.write(bundle.runDir());
            var service = new Launcher.Service(
                    bundle.id(), spec.process().terminal(), bundle.stdio(), Optional.of(bundle.log()), clients);
            rest.await();
            var launched = launcher.launch(planned.tape(), prepared, service, planned.process(), rest::underway);
            started = true;
            prepared.close();
            var process = LinuxProcess.started(
                    bundle.runDir(), cgroup, launched, LinuxContainer.explanation(prepared, planned, launched));
            return new LinuxContainer(process, cgroup, record, this);
        } catch (IOException e) {
            throw new StartFailure(StartFailure.Kind.OTHER, "record",
                    Sentences.START + "writing the record of the start: " + e.getMessage(), e);
        } finally {
            if (!started) {
                Preparer.undo(prepared);
            }
        }
    }

    @Override
    public HeldNamespaces users(IdMaps ids) throws EngineException {
        ids.check();
        return made(() -> UserNamespace.make(spawner, ids.uidLines(), ids.gidLines()));
    }

    @Override
    public HeldNamespaces networkOf(HeldNamespaces namespaces) throws EngineException {
        return made(() -> {
            try (var users = Descriptors.open(Path.of(namespaces.users()), Linux.O_RDONLY, 0)) {
                return UserNamespace.beside(spawner, users);
            }
        });
    }

    private interface Making {
        UserNamespace make() throws KernelException, InterruptedException;
    }

    private HeldNamespaces made(Making making) throws EngineException {
        try {
            failpoints.pass("users");
            return new LinuxNamespaces(making.make(), Optional.empty());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("making a user namespace was interrupted");
        } catch (IOException e) {
            throw new EngineException.Unavailable("cannot make a user namespace for a container: " + e.getMessage()
                    + "; see /proc/sys/user/max_user_namespaces, or start the container with --userns=host");
        }
    }

    private static Set<LinuxSpec.NamespaceType> types(LinuxSpec linux) {
        return linux.namespaces().stream().map(LinuxSpec.Namespace::type).collect(Collectors.toSet());
    }

    @Override
    public Optional<RunningContainer> adopt(Path runDir) throws EngineException {
        try {
            var record = RunRecord.read(runDir);
            if (record.isEmpty()) {
                return Optional.empty();
            }
            var cgroup = cgroups.at(record.get().cgroup());
            return LinuxProcess.find(runDir, cgroup)
                    .map(process -> new LinuxContainer(process, cgroup, record.get(), this));
        } catch (IOException e) {
            throw RunRecord.internal("adopting the container of " + runDir, e);
        }
    }

    @Override
    public Optional<ExitInfo> exitRecord(Path runDir) throws EngineException {
        try {
            var exit = ExitRecord.read(runDir, RunRecord.EXIT);
            var cgroup = cgroupOf(runDir);
            if (exit.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(cgroup.isPresent()
                    ? LinuxProcess.info(exit.get(), cgroup.get())
                    : new ExitInfo(exit.get().code(), exit.get().signal(), exit.get().finished(), false));
        } catch (IOException e) {
            throw RunRecord.internal("reading the exit record in " + runDir, e);
        }
    }

    /// The group that the record names: none for an exec, whose group is the container's and never its own to remove.
    private Optional<Cgroup> cgroupOf(Path runDir) throws IOException {
        var path = RunRecord.read(runDir).map(RunRecord::cgroup).filter(named -> !named.isEmpty());
        return path.isEmpty() ? Optional.empty() : Optional.of(cgroups.at(path.get()));
    }

    @Override
    public Optional<TapeExplanation> explanation(Path runDir) throws EngineException {
        try {
            return RunRecord.readExplanation(runDir);
        } catch (IOException e) {
            throw RunRecord.internal("reading the explanation in " + runDir, e);
        }
    }

    @Override
    public void discard(Path runDir, Optional<String> cgroupsPath) throws EngineException {
        try {
            var cgroup = cgroupOf(runDir);
            if (cgroup.isEmpty() && cgroupsPath.isPresent()) {
                cgroup = Optional.of(cgroups.at(cgroupPath(cgroupsPath.get())));
            }
            if (cgroup.isPresent()) {
                LinuxContainer.removeCgroup(cgroup.get());
            }
            RunRecord.remove(runDir);
        } catch (IOException e) {
            throw RunRecord.internal("discarding " + runDir, e);
        }
    }

    /// Lets go of descriptors and of the socket; containers are not disturbed.
    @Override
    public void close() {
        probe.close();
        listener.close();
        try {
            Files.deleteIfExists(rendezvous);
        } catch (IOException e) {
            System.getLogger("carafe.runtime").log(System.Logger.Level.WARNING, "socket left: " + e.getMessage());
        }
    }
}
