package carafe.runtime;

import carafe.kernel.Cgroup;
import carafe.kernel.Cgroups;
import carafe.kernel.Descriptors;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FileIdentity;
import carafe.kernel.FileStat;
import carafe.kernel.FileTree;
import carafe.kernel.FsContext;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.MountChange;
import carafe.kernel.MountChange.Propagation;
import carafe.kernel.Mounts;
import carafe.kernel.Pty;
import carafe.kernel.UnixListener;
import carafe.runtime.Explaining.Done;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.ProcessSpec.User;
import carafe.spec.oci.RootfsPlan;
import carafe.spec.oci.SeccompSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/// Does what [Preparation#list] decided, in order, and measures it. Each is a failpoint `prepare.<id>`. If one fails,
/// all others are undone.
final class Preparer {

    static final String SOCKET = "monitor.sock";

    private static final int PIPE_BYTES = 1 << 18;

    /// As mount(8) calls it.
    private static final String SUBDIRECTORY = "X-mount.subdir";

    /// As overlayfs calls the directories it reads.
    private static final String LAYERS = "lowerdir";

    private final HostProbe probe;
    private final Cgroups cgroups;
    private final Optional<Filters> filters;
    private final Failpoints failpoints;

    private final Assembly assembly;

    Preparer(HostProbe probe, Cgroups cgroups, Optional<Filters> filters, Failpoints failpoints, Assembly assembly) {
        this.probe = probe;
        this.cgroups = cgroups;
        this.filters = filters;
        this.failpoints = failpoints;
        this.assembly = assembly;
    }

    /// What the preparations are for, as far as they need it; `user` is who the process is unless the image says more.
    record Purpose(String id, Path runDir, User user, Optional<SeccompSpec> seccomp, Optional<Path> log,
            Optional<Container> container) {}

    /// The running container that an exec enters.
    record Container(LinuxProcess process, Cgroup cgroup) {}

    /// Prepares; the caller closes the result, and undoes it if the start fails later. What does not need the root is
    /// done beside what does, on a thread of its own, once the run directory is there that names it after a crash.
    Prepared prepare(Purpose purpose, List<Preparation> preparations) throws StartFailure {
        return prepare(purpose, preparations, _ -> true).prepared;
    }

    /// What is planned with what was found in the root.
    interface Plan<T> {
        T plan(Prepared inRoot) throws StartFailure;
    }

    /// All is prepared, and planned.
    record Ready<T>(Prepared prepared, T plan) {}

    /// The same; `plan` is made once the root is prepared, while what is done beside it may still be.
    <T> Ready<T> prepare(Purpose purpose, List<Preparation> preparations, Plan<T> plan) throws StartFailure {
        var prepared = new Prepared(purpose.runDir, purpose.user);
        var others = preparations.stream().filter(Preparation::besideRoot).toList();
        var beside = new FutureTask<>(() -> {
            var lane = new Prepared(purpose.runDir, purpose.user);
            boolean made = false;
            try {
                perform(others, purpose, lane);
                made = true;
                return lane;
            } finally {
                if (!made) {
                    undo(lane);
                }
            }
        });
        boolean begun = false;
        boolean complete = false;
        try {
            for (var preparation : preparations) {
                if (!preparation.besideRoot()) {
                    perform(List.of(preparation), purpose, prepared);
                }
                if (!begun && !others.isEmpty() && preparation instanceof Preparation.RunDirectory) {
                    begun = true;
                    Thread.ofVirtual().name("preparations of " + purpose.id).start(beside);
                }
            }
            T planned = plan.plan(prepared);
            if (begun) {
                prepared.adopt(ended(beside, purpose), preparations);
            }
            complete = true;
            return new Ready<>(prepared, planned);
        } finally {
            if (!complete) {
                try {
                    if (begun) {
                        adoptMade(beside, purpose, prepared, preparations);
                    }
                } finally {
                    undo(prepared);
                }
            }
        }
    }

    /// Takes over what the lane has made, if it made all of it, so that everything is undone in one order.
    private static void adoptMade(FutureTask<Prepared> lane, Purpose purpose, Prepared prepared,
            List<Preparation> preparations) {
        try {
            prepared.adopt(ended(lane, purpose), preparations);
        } catch (StartFailure itsOwn) {
            // it has undone what it made
        }
    }

    /// What a lane has made when it is over; it is short and never left alone, so an interrupt waits for it.
    private static Prepared ended(FutureTask<Prepared> lane, Purpose purpose) throws StartFailure {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return lane.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof StartFailure failure) {
                throw failure;
            }
            throw new AssertionError("preparing " + purpose.id, e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Does `preparations` in order; the caller undoes them if one fails.
    private void perform(List<Preparation> preparations, Purpose purpose, Prepared prepared) throws StartFailure {
        for (var preparation : preparations) {
            long start = System.nanoTime();
            perform(preparation, purpose, prepared);
            prepared.done.add(new Done(preparation, Duration.ofNanos(System.nanoTime() - start)));
        }
    }

    /// Takes back a start that failed; trouble doing so is only logged, because the failure is what matters.
    static void undo(Prepared prepared) {
        prepared.close();
        try {
            prepared.undo();
        } catch (IOException e) {
            System.getLogger("carafe.runtime").log(System.Logger.Level.WARNING,
                    "after a failed start something is left: " + e.getMessage());
        }
    }

    private void perform(Preparation preparation, Purpose purpose, Prepared prepared) throws StartFailure {
        try {
            if (failpoints.active()) {
                failpoints.pass("prepare." + preparation.id());
            }
            switch (preparation) {
                case Preparation.RunDirectory(var path) -> runDirectory(path, prepared);
                case Preparation.Group(var path, var resources) -> group(path, resources, prepared);
                case Preparation.UserNamespace(var namespace, var uid, var gid) -> {
                    joinNamespace(namespace, prepared);
                    var identity = FileIdentity.open(uid, gid);
                    prepared.closing(identity);
                    prepared.identity = Optional.of(identity);
                }
                case Preparation.RootMount(var plan) -> rootMount(plan, prepared);
                case Preparation.FindUser(var request) -> findUser(request, purpose.user, prepared);
                case Preparation.WorkingDirectory(var path) -> prepared.inRoot(() -> {
                    root(prepared).mkdirs(path, 0755, 0, 0).close();
                    return true;
                });
                case Preparation.Tree tree -> tree(tree, prepared);
                case Preparation.MountPoint point -> prepared.inRoot(() -> {
                    mountPoint(point, prepared);
                    return true;
                });
                case Preparation.SealRoot() -> Mounts.change(root(prepared).root(),
                        MountChange.setting(Linux.MOUNT_ATTR_RDONLY), false);
                case Preparation.Nulls(var paths) -> {
                    for (String path : paths) {
                        prepared.put(Slots.mask(path), Mounts.cloneTree(probe.nullDevice(), false));
                    }
                }
                case Preparation.CgroupTrees(var names) -> cgroupTrees(names, prepared);
                case Preparation.JoinNamespace(var namespace) -> joinNamespace(namespace, prepared);
                case Preparation.CompileFilter() -> compileFilter(purpose, prepared);
                case Preparation.Streams streams -> streams(streams, purpose, prepared);
                case Preparation.MonitorFiles(var _) -> monitorFiles(purpose, prepared);
                case Preparation.EnterContainer(var pid) -> enter(pid, purpose, prepared);
                case Preparation.JoinGroup(var _) -> entrance(purpose.container.orElseThrow().cgroup, prepared);
            }
        } catch (IOException e) {
            throw Sentences.preparing(preparation, e);
        }
    }

    private static FileTree root(Prepared prepared) {
        return prepared.root.orElseThrow(() -> new AssertionError("the root is mounted first"));
    }

    private static void runDirectory(Path path, Prepared prepared) throws IOException {
        var missing = new ArrayList<Path>();
        for (@Nullable Path p = path; p != null && !Files.exists(p); p = p.getParent()) {
            missing.add(p);
        }
        for (Path directory : missing.reversed()) {
            Files.createDirectory(directory,
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            prepared.made(directory);
        }
    }

    private void group(String path, LinuxResources resources, Prepared prepared) throws IOException, StartFailure {
        var limits = Limits.of(resources);
        var devices = Limits.devices(resources);
        Cgroups.Created created;
        try {
            created = cgroups.create(path, limits, devices);
        } catch (KernelException e) {
            if (!e.is(Errno.EEXIST)) {
                throw e;
            }
            removeLeftover(cgroups.at(path), e);
            created = cgroups.create(path, limits, devices);
        }
        prepared.cgroup = Optional.of(created.cgroup());
        created.warnings().forEach(warning -> prepared.warnings.add(warning.text()));
        entrance(created.cgroup(), prepared);
    }

    private static void entrance(Cgroup cgroup, Prepared prepared) throws KernelException {
        var entrance = cgroup.entrance();
        for (int i = 0; i < entrance.tasks().size(); i++) {
            prepared.put(Slots.cgroupTasks(i), entrance.tasks().get(i));
        }
        entrance.directory().ifPresent(directory -> prepared.put(Slots.CGROUP, directory));
    }

    /// A crash between the end of a container and its removal leaves an empty group; one with processes is in use.
    private static void removeLeftover(Cgroup leftover, KernelException original) throws KernelException {
        if (!leftover.processes().isEmpty()) {
            throw original;
        }
        leftover.remove(Duration.ofSeconds(1));
    }

    private void rootMount(RootfsPlan plan, Prepared prepared) throws IOException {
        Fd mount = prepared.inRoot(() -> RootMount.detached(plan, prepared.users(), assembly));
        prepared.closing(mount);
        prepared.descriptors.put(Slots.ROOT, mount);
        prepared.root = Optional.of(FileTree.adopt(mount));
    }

    /// Holds the container's first process, then opens its root by its number: while the process runs the number is its
    /// own.
    private static void enter(int pid, Purpose purpose, Prepared prepared) throws IOException, StartFailure {
        try {
            prepared.put(Slots.TARGET, purpose.container.orElseThrow().process.handle());
            var root = Descriptors.open(Path.of("/proc/" + pid + "/root"), Linux.O_PATH | Linux.O_DIRECTORY, 0);
            prepared.closing(root);
            prepared.root = Optional.of(FileTree.adopt(root));
            purpose.container.orElseThrow().process.handle().close();
        } catch (EngineException e) {
            throw new StartFailure(StartFailure.Kind.NOT_RUNNING, "enter-container",
                    "container " + purpose.id + " is not running", e);
        }
    }

    private static void findUser(UserRequest request, User spec, Prepared prepared) throws IOException, StartFailure {
        var database = new UserDatabase(read(root(prepared), "/etc/passwd"), read(root(prepared), "/etc/group"));
        if (request.equals(UserRequest.NONE) && !spec.equals(User.ROOT)) {
            prepared.home = database.home(spec.uid()); // the numbers are given, only HOME is looked up
            return;
        }
        var resolved = database.resolve(request, spec.umask());
        prepared.user = resolved.user();
        prepared.home = resolved.home();
    }

    /// The content of a file of the image; `""` when it is not there or no regular file.
    static String read(FileTree tree, String path) throws KernelException {
        try {
            return tree.readIfThere(path, UserDatabase.MAX_BYTES)
                    .map(bytes -> new String(bytes, StandardCharsets.UTF_8)).orElse("");
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.EISDIR, Errno.EINVAL, Errno.ELOOP)) {
                return "";
            }
            throw e;
        }
    }

    private void tree(Preparation.Tree tree, Prepared prepared) throws IOException {
        var options = tree.options();
        Fd mount;
        if (options.bind() || tree.type().equals("bind")) {
            mount = bindSource(tree);
            prepared.put(Slots.tree(tree.destination()), mount);
            if (!Inodes.stat(mount).isDirectory()) {
                prepared.files.add(tree.destination());
            }
            if (options.propagation() == 0) {
                Mounts.change(mount, MountChange.to(Propagation.PRIVATE), options.recursiveBind());
            }
            if (options.idmapped()) {
                mapOwners(mount, prepared.users().orElseThrow(), options.data().getOrDefault(OwnFile.OPTION, ""));
            }
            change(mount, options.set(), options.clear(), false);
        } else if (tree.type().equals("overlay") && options.data().containsKey(LAYERS)
                && !options.data().containsKey("upperdir")) {
            mount = RootMount.readOnly(List.of(options.data().getOrDefault(LAYERS, "").split(":")),
                    options.data().getOrDefault(SUBDIRECTORY, ""), prepared.users(), assembly);
            prepared.put(Slots.tree(tree.destination()), mount);
            if (!Inodes.stat(mount).isDirectory()) {
                prepared.files.add(tree.destination());
            }
        } else {
            var data = new LinkedHashMap<String, String>();
            if (!tree.source().isEmpty()) {
                data.put("source", tree.source());
            }
            data.putAll(options.data());
            mount = FsContext.mount(tree.type(), data, (int) options.set());
            prepared.put(Slots.tree(tree.destination()), mount);
        }
        change(mount, options.setAll(), options.clearAll(), true);
        if (options.propagation() != 0) {
            Mounts.change(mount, MountChange.to(propagation(options.propagation())), options.recursivePropagation());
        }
    }

    /// `owner` is that of an [OwnFile], `""` for all else.
    private static void mapOwners(Fd mount, Fd users, String owner) throws KernelException {
        try {
            Mounts.mapOwners(mount, users);
        } catch (KernelException e) {
            int colon = owner.indexOf(':');
            if (colon < 0 || !e.is(Errno.EINVAL)) {
                throw e;
            }
            Inodes.chown(mount, (int) Long.parseLong(owner.substring(0, colon)),
                    (int) Long.parseLong(owner.substring(colon + 1)));
        }
    }

    /// What a bind shows: the source, which may be a mount attached nowhere yet, or what its option `X-mount.subdir` names
    /// inside it, found as a process with the source as its root would: nobody who writes there leads us out (R1).
    private static Fd bindSource(Preparation.Tree tree) throws IOException {
        boolean recursive = tree.options().recursiveBind();
        String inside = tree.options().data().getOrDefault(SUBDIRECTORY, "");
        if (tree.options().data().containsKey(HeldMount.OPTION)) {
            return Descriptors.open(Path.of(tree.source()), Linux.O_PATH | Linux.O_DIRECTORY, 0);
        }
        if (inside.isEmpty()) {
            return Mounts.cloneTree(Path.of(tree.source()), recursive);
        }
        try (var source = FileTree.open(Path.of(tree.source())); var found = source.open(inside, Linux.O_PATH, 0)) {
            return Mounts.cloneTree(found, recursive);
        }
    }

    private static void change(Fd mount, long set, long clear, boolean recursive) throws KernelException {
        long cleared = (set & MountOptions.ATIME_MASK) != 0 ? clear | MountOptions.ATIME_MASK : clear;
        if ((set | cleared) != 0) {
            Mounts.change(mount, new MountChange((int) set, (int) cleared, Optional.empty()), recursive);
        }
    }

    private static Propagation propagation(long bit) {
        if (bit == MountOptions.MS_SHARED) {
            return Propagation.SHARED;
        }
        if (bit == MountOptions.MS_SLAVE) {
            return Propagation.SLAVE;
        }
        return bit == MountOptions.MS_UNBINDABLE ? Propagation.UNBINDABLE : Propagation.PRIVATE;
    }

    private static void mountPoint(Preparation.MountPoint point, Prepared prepared) throws IOException {
        String destination = point.destination();
        var above = point.above();
        boolean file = prepared.files.contains(destination);
        if (above.isPresent()) {
            var parent = prepared.descriptors.get(Slots.tree(above.get()));
            if (parent == null) {
                throw new AssertionError("no tree at " + above.get());
            }
            try (var tree = FileTree.adopt(parent.duplicate())) {
                String inside = destination.substring(above.get().length());
                mode(tree, inside, point, prepared);
                make(tree, inside, file, tree.find(inside));
            }
        } else if (destination.equals("/proc") || destination.equals("/sys") || Path.of(destination).startsWith("/dev")) {
            mode(root(prepared), destination, point, prepared);
            make(root(prepared), destination, file, root(prepared).find(destination));
        } else {
            mode(root(prepared), destination, point, prepared);
            var there = root(prepared).look(destination);
            make(root(prepared), destination, file, there.map(FileTree.Found::stat));
            String resolved = there.isPresent() ? there.get().path() : root(prepared).resolve(destination);
            if (!resolved.equals(destination)) {
                prepared.destinations.put(destination, resolved);
            }
        }
    }

    /// Source: runc's libcontainer/rootfs_linux.go, which gives a tmpfs the mode of the directory below it. A directory made
    /// for one is open to all, as the tmpfs on it is, so that the next start finds that mode.
    private static void mode(FileTree tree, String path, Preparation.MountPoint point, Prepared prepared)
            throws KernelException {
        if (point.modeless()) {
            var there = tree.find(path);
            if (there.isPresent()) {
                prepared.modes.put(point.destination(), there.get().mode() & 07777);
            } else {
                tree.mkdirs(path, 0755, 0, 0).close();
                String real = tree.resolve(path);
                try (var parent = tree.directory(real.substring(0, real.lastIndexOf('/') + 1))) {
                    parent.chmod(FileTree.nameOf(real), 01777);
                }
            }
        }
    }

    /// Makes what is mounted on at `path`, where nothing is `there`.
    private static void make(FileTree tree, String path, boolean file, Optional<FileStat> there) throws KernelException {
        if (there.isPresent()) {
            if (there.get().isDirectory() == file) {
                throw new KernelException("mount", path, Errno.ENOTDIR,
                        "are you trying to mount a directory onto a file, or a file onto a directory?");
            }
        } else if (file) {
            int slash = path.lastIndexOf('/');
            try (var parent = tree.mkdirs(path.substring(0, slash + 1), 0755, 0, 0)) {
                parent.create(FileTree.nameOf(path), 0755).close();
            }
        } else {
            tree.mkdirs(path, 0755, 0, 0).close();
        }
    }

    private void cgroupTrees(List<String> names, Prepared prepared) throws KernelException {
        String path = prepared.cgroup.orElseThrow().path();
        for (String name : names) {
            prepared.put(Slots.cgroupTree(name),
                    Mounts.cloneTree(Path.of(probe.hierarchy(name) + path), false));
        }
    }

    private static void joinNamespace(Namespace namespace, Prepared prepared) throws KernelException {
        prepared.put(Slots.namespace(namespace.type().word()),
                Descriptors.open(Path.of(namespace.path()), Linux.O_RDONLY, 0));
    }

    private void compileFilter(Purpose purpose, Prepared prepared) throws IOException, StartFailure {
        var spec = purpose.seccomp;
        if (spec.isPresent() && filters.isPresent()) {
            prepared.filter = filters.get().compile(spec.get());
        } else if (spec.isPresent()) {
            throw new StartFailure(StartFailure.Kind.PRIVILEGES, "filter", Sentences.START
                    + "this host has no libseccomp.so.2, which makes the system-call filter: install the package"
                    + " libseccomp2, or do without a filter with --security-opt seccomp=unconfined");
        }
    }

    private static void streams(Preparation.Streams streams, Purpose purpose, Prepared prepared) throws IOException {
        if (!streams.terminal()) {
            pipes(streams.input(), prepared);
            return;
        }
        var pty = purpose.container.isPresent() ? Pty.openIn(root(prepared)) : Pty.open();
        if (purpose.container.isPresent()) {
            prepared.closing(pty.mount());
        } else {
            prepared.put(Slots.PTS, pty.mount());
        }
        prepared.put(Slots.TERMINAL_MASTER, pty.master());
        prepared.put(Slots.TERMINAL, pty.slave());
        if (streams.size().isPresent()) {
            pty.size(streams.size().get().height(), streams.size().get().width());
        }
    }

    private static void pipes(boolean input, Prepared prepared) throws KernelException {
        if (input) {
            var pipe = Descriptors.pipe(0);
            prepared.put(Slots.STDIN, pipe.first());
            prepared.put(Slots.STDIN_WRITER, pipe.second());
        } else {
            prepared.put(Slots.STDIN, Descriptors.open(Path.of("/dev/null"), Linux.O_RDONLY, 0));
        }
        var out = Descriptors.pipe(0);
        prepared.put(Slots.STDOUT_READER, out.first());
        prepared.put(Slots.STDOUT, out.second());
        var err = Descriptors.pipe(0);
        prepared.put(Slots.STDERR_READER, err.first());
        prepared.put(Slots.STDERR, err.second());
        Descriptors.setPipeBytes(out.first(), PIPE_BYTES);
    }

    private static void monitorFiles(Purpose purpose, Prepared prepared) throws IOException {
        Path socket = purpose.runDir.resolve(SOCKET);
        if (!prepared.isNew(purpose.runDir)) {
            RunRecord.removeFiles(purpose.runDir); // of an earlier run that is over
        }
        var listener = UnixListener.listen(socket);
        prepared.made(socket);
        prepared.closing(listener);
        prepared.descriptors.put(Slots.DOOR, listener.socket());
        prepared.put(Slots.RUN_DIRECTORY,
                Descriptors.open(purpose.runDir, Linux.O_RDONLY | Linux.O_DIRECTORY, 0));
        if (purpose.log.isPresent()) {
            prepared.put(Slots.LOG_DIRECTORY,
                    Descriptors.open(purpose.log.get(), Linux.O_RDONLY | Linux.O_DIRECTORY, 0));
        }
    }
}
