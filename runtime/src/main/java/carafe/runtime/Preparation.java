package carafe.runtime;

import carafe.runtime.HostFacts.Hierarchies;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.LinuxSpec.Namespace;
import carafe.spec.oci.LinuxSpec.NamespaceType;
import carafe.spec.oci.ProcessSpec.ConsoleSize;
import carafe.spec.oci.RootfsPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/// One thing the daemon does before any process of the container exists (R2). [#list] decides what and in which order,
/// purely; [Preparer] does it.
sealed interface Preparation {

    /// What names it in messages, timings and failpoints.
    String id();

    /// What is called, for people.
    String call();

    /// Whether it needs nothing of the root and of what the others make, and can be done at the same time.
    default boolean besideRoot() {
        return false;
    }

    /// Makes the directory for the life of the running container.
    record RunDirectory(Path path) implements Preparation {
        @Override
        public String id() {
            return "run-directory";
        }

        @Override
        public String call() {
            return "mkdir(\"" + path + "\", 0700)";
        }
    }

    /// Makes the control group with its limits.
    record Group(String path, LinuxResources resources) implements Preparation {
        @Override
        public boolean besideRoot() {
            return true;
        }

        @Override
        public String id() {
            return "cgroup";
        }

        @Override
        public String call() {
            return "mkdir(\"/sys/fs/cgroup/…" + path + "\"), write limits";
        }
    }

    /// Mounts the root, attached nowhere.
    record RootMount(RootfsPlan plan) implements Preparation {
        @Override
        public String id() {
            return "root-mount";
        }

        @Override
        public String call() {
            return switch (plan) {
                case RootfsPlan.Overlay(var lowers, var upper, var _, var discardable) -> "fsopen(\"overlay\"), "
                        + lowers.size() + (lowers.size() == 1 ? " lower" : " lowers") + ", upper \"" + upper.getFileName()
                        + "\"" + (discardable ? ", volatile" : "") + ", fsmount() = root";
                case RootfsPlan.Directory(var path) -> "open_tree(\"" + path + "\", OPEN_TREE_CLONE) = root";
            };
        }
    }

    /// Turns names into numbers with the image's own passwd and group files.
    record FindUser(UserRequest request) implements Preparation {
        @Override
        public String id() {
            return "find-user";
        }

        @Override
        public String call() {
            return "openat2(root, \"etc/passwd\", RESOLVE_IN_ROOT) → \"" + request.user() + "\"";
        }
    }

    /// Makes the working directory if the image has none.
    record WorkingDirectory(String path) implements Preparation {
        @Override
        public String id() {
            return "make-working-directory";
        }

        @Override
        public String call() {
            return "openat2(root, \"" + path + "\", RESOLVE_IN_ROOT), mkdirat()";
        }
    }

    /// Takes a detached copy of a host's file or tree, or mounts a filesystem of the host's.
    record Tree(String destination, String type, String source, MountOptions options) implements Preparation {
        @Override
        public String id() {
            return "tree:" + destination;
        }

        @Override
        public String call() {
            String attributes = MountOptions.words(options.set() | options.setAll());
            return options.bind() || type.equals("bind")
                    ? "open_tree(\"" + source + "\", OPEN_TREE_CLONE" + (options.recursiveBind() ? "|AT_RECURSIVE" : "")
                            + "), mount_setattr(" + attributes + ")"
                    : "fsopen(\"" + type + "\"), source \"" + source + "\", fsmount(" + attributes + ")";
        }
    }

    /// Makes the place of a mount: in the root, or in the tree that will be mounted `above` it. A tmpfs that was given no
    /// mode (`modeless`) has that of the directory it is mounted on, and 01777 where there was none.
    record MountPoint(String destination, Optional<String> above, boolean modeless) implements Preparation {
        @Override
        public String id() {
            return "mount-point:" + destination;
        }

        @Override
        public String call() {
            return "openat2(" + above.map(tree -> "tree:" + tree).orElse("root") + ", \"" + destination
                    + "\", RESOLVE_IN_ROOT), mkdirat()";
        }
    }

    /// Makes the root read-only once everything in it is in its place.
    record SealRoot() implements Preparation {
        @Override
        public String id() {
            return "root-readonly";
        }

        @Override
        public String call() {
            return "mount_setattr(root, ro)";
        }
    }

    /// Takes one detached copy of the verified null device for each file to hide.
    record Nulls(List<String> paths) implements Preparation {
        public Nulls {
            paths = List.copyOf(paths);
        }

        @Override
        public String id() {
            return "null-devices";
        }

        @Override
        public String call() {
            return "open_tree(\"/dev/null\" 1:3, OPEN_TREE_CLONE) × " + paths.size();
        }
    }

    /// Takes detached copies of the container's cgroups for /sys/fs/cgroup (v1).
    record CgroupTrees(List<String> names) implements Preparation {
        public CgroupTrees {
            names = List.copyOf(names);
        }

        @Override
        public boolean besideRoot() {
            return true;
        }

        @Override
        public String id() {
            return "cgroup-trees";
        }

        @Override
        public String call() {
            return "open_tree(cgroup, OPEN_TREE_CLONE) × " + names.size();
        }
    }

    /// Opens a namespace of another process, and checks that it is one.
    record JoinNamespace(Namespace namespace) implements Preparation {
        @Override
        public String id() {
            return "namespace:" + namespace.type().word();
        }

        @Override
        public String call() {
            return "open(\"" + namespace.path() + "\")";
        }
    }

    /// Opens the container's user namespace, and begins to make files as its root.
    record UserNamespace(Namespace namespace, long rootUid, long rootGid) implements Preparation {
        @Override
        public String id() {
            return "user-namespace";
        }

        @Override
        public String call() {
            return "open(\"" + namespace.path() + "\"), setfsuid(" + rootUid + "), setfsgid(" + rootGid + ")";
        }
    }

    /// Translates the system-call filter, or takes the translation made before.
    record CompileFilter() implements Preparation {
        @Override
        public String id() {
            return "filter";
        }

        @Override
        public String call() {
            return "seccomp_export_bpf(), kept by the profile's digest";
        }
    }

    /// Makes the terminal or the pipes.
    record Streams(boolean terminal, boolean input, boolean exec, Optional<ConsoleSize> size)
            implements Preparation {
        @Override
        public String id() {
            return "streams";
        }

        @Override
        public String call() {
            if (!terminal) {
                return "pipe2() × " + (input ? 3 : 2);
            }
            return exec
                    ? "openat2(root, \"dev/pts/ptmx\", RESOLVE_IN_ROOT), fstatfs(), ioctl(TIOCGPTPEER)"
                    : "fsopen(\"devpts\"), fsmount() = pts, open(ptmx), ioctl(TIOCGPTPEER)";
        }
    }

    /// Opens what the monitor writes to and listens on.
    record MonitorFiles(boolean log) implements Preparation {
        @Override
        public String id() {
            return "monitor-files";
        }

        @Override
        public String call() {
            return "socket(AF_UNIX), bind(), listen(), open(run directory)" + (log ? ", open(log directory)" : "");
        }
    }

    /// Takes hold of the container's first process and of its root.
    record EnterContainer(int pid) implements Preparation {
        @Override
        public String id() {
            return "enter-container";
        }

        @Override
        public String call() {
            return "pidfd_open(" + pid + "), open(\"/proc/" + pid + "/root\")";
        }
    }

    /// Opens the running container's control group to join.
    record JoinGroup(String path) implements Preparation {
        @Override
        public String id() {
            return "join-cgroup-files";
        }

        @Override
        public String call() {
            return "open(\"/sys/fs/cgroup/…" + path + "\")";
        }
    }

    /// All of them for an exec in the container whose first process is `pid`.
    static List<Preparation> listExec(ExecSpec spec, int pid, String cgroup) {
        return List.of(
                new RunDirectory(spec.runDir()),
                new EnterContainer(pid),
                new FindUser(spec.user()),
                new JoinGroup(cgroup),
                new Streams(spec.terminal(), spec.stdio().open(), true, spec.consoleSize()),
                new MonitorFiles(false));
    }

    /// All of them for `bundle` in the order they are done; `cgroup` is the path of its control group.
    static List<Preparation> list(Bundle bundle, HostFacts host, String cgroup) {
        var spec = bundle.spec();
        var all = new ArrayList<Preparation>();
        all.add(new RunDirectory(bundle.runDir()));
        spec.linux().namespace(NamespaceType.USER).ifPresent(user -> all.add(new UserNamespace(
                user, spec.linux().ids().hostUid(0), spec.linux().ids().hostGid(0))));
        all.add(new RootMount(bundle.rootfs()));
        if (!bundle.user().equals(UserRequest.NONE) || spec.process().env().stream().noneMatch(v ->
                v.startsWith("HOME="))) {
            all.add(new FindUser(bundle.user()));
        }
        var made = new HashSet<String>();
        mounts(all, MountSteps.plan(spec, host, ImageFacts.unknown(spec.process().user())), made);
        if (!spec.process().cwd().equals("/") && !made.contains(spec.process().cwd())) {
            all.add(new WorkingDirectory(spec.process().cwd()));
        }
        if (spec.root().readonly()) {
            all.add(new SealRoot());
        }
        var nulls = spec.linux().maskedPaths().stream()
                .map(MountSteps::normalized)
                .filter(path -> HiddenPathSteps.needsNull(path, host))
                .toList();
        if (!nulls.isEmpty()) {
            all.add(new Nulls(nulls));
        }
        for (var namespace : spec.linux().namespaces()) {
            if (!namespace.path().isEmpty() && namespace.type() != NamespaceType.USER) {
                all.add(new JoinNamespace(namespace));
            }
        }
        all.add(new Group(cgroup, spec.linux().resources()));
        boolean showsCgroups = spec.mounts().stream().anyMatch(m -> m.type().startsWith("cgroup") && !m.isBind());
        if (showsCgroups && host.cgroups() instanceof Hierarchies(var names)) {
            all.add(new CgroupTrees(names));
        }
        if (spec.linux().seccomp().isPresent()) {
            all.add(new CompileFilter());
        }
        all.add(new Streams(
                spec.process().terminal(), bundle.stdio().open(), false, spec.process().consoleSize()));
        all.add(new MonitorFiles(bundle.log().enabled()));
        return List.copyOf(all);
    }

    private static void mounts(List<Preparation> all, MountSteps mounts, HashSet<String> made) {
        var before = new ArrayList<MountSteps.Planned>();
        for (var mount : mounts.all()) {
            var above = MountSteps.above(mount.destination(), before);
            if (!mount.own()) {
                all.add(new Tree(mount.destination(), mount.mount().type(), mount.mount().source(), mount.options()));
            }
            if (above.isEmpty() || !above.get().own()) {
                all.add(new MountPoint(mount.destination(), above.map(MountSteps.Planned::destination), mount.modeless()));
                made.add(mount.destination());
            }
            before.add(mount);
        }
    }
}
