package carafe.runtime;

import static carafe.kernel.Arg.number;
import static carafe.kernel.Arg.slot;
import static carafe.kernel.Arg.text;

import carafe.kernel.Errno;
import carafe.kernel.Linux;
import carafe.kernel.Slot;
import carafe.kernel.Step;
import carafe.kernel.Syscall;
import carafe.runtime.HostFacts.Hierarchies;
import carafe.spec.oci.RuntimeSpec;
import carafe.spec.oci.RuntimeSpec.Mount;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The mounts of a configuration as steps. Filesystems that belong to a namespace of the container (proc, sysfs,
/// mqueue, tmpfs, …) are made by the process; what comes from the host (binds, disks) was made by the daemon and comes
/// as a detached mount. Either way a mount is a descriptor before it has a place, and the place is a descriptor too.
final class MountSteps {

    /// Filesystems that the process makes itself, after it entered its namespaces.
    private static final Set<String> OWN = Set.of("proc", "sysfs", "tmpfs", "mqueue", "devpts", "cgroup", "cgroup2");

    /// Filesystems whose mount points are the kernel's business.
    private static final Set<String> WITHOUT_MKDIR = Set.of("proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts");

    private static final Map<String, String> CGROUP_TMPFS = new TreeMap<>(Map.of("source", "tmpfs", "mode", "755"));

    /// One mount with what is decided about it. `slot` holds it from its making to the end. `covered` is the mode of what a
    /// tmpfs covers, where it has none of its own.
    record Planned(Mount mount, MountOptions options, String destination, Slot slot, boolean file,
            Optional<Integer> covered) {

        String id() {
            return "mount:" + destination;
        }

        /// Whether the process makes this filesystem (the rest comes from the daemon).
        boolean own() {
            return !options.bind() && !mount.isBind() && OWN.contains(mount.type());
        }

        /// Whether it is a tmpfs that was given no mode.
        boolean modeless() {
            return own() && mount.type().equals("tmpfs") && !options.data().containsKey("mode");
        }
    }

    private final RuntimeSpec spec;
    private final HostFacts host;
    private final List<Planned> mounts;

    private MountSteps(RuntimeSpec spec, HostFacts host, List<Planned> mounts) {
        this.spec = spec;
        this.host = host;
        this.mounts = mounts;
    }

    static MountSteps plan(RuntimeSpec spec, HostFacts host, ImageFacts image) {
        var planned = new ArrayList<Planned>();
        for (var mount : spec.mounts()) {
            String written = normalized(mount.destination());
            String destination = image.destinations().getOrDefault(written, written);
            var options = MountOptions.parse(mount.options());
            Slot slot;
            if (mount.type().equals("proc") && !mount.isBind()) {
                slot = Slots.PROC;
            } else if (mount.type().equals("devpts") && spec.process().terminal()) {
                slot = Slots.PTS;
            } else {
                slot = Slots.tree(written);
            }
            planned.add(new Planned(mount, options, destination, slot, image.files().contains(written),
                    Optional.ofNullable(image.modes().get(written))));
        }
        return new MountSteps(spec, host, List.copyOf(planned));
    }

    /// Absolute, without `.`, `..`, doubled or trailing slashes.
    static String normalized(String path) {
        boolean already = path.startsWith("/") && !path.contains("//") && !path.contains("/.") && !path.endsWith("/");
        if (already) {
            return path;
        }
        var parts = new ArrayList<String>();
        for (String part : path.split("/")) {
            if (part.equals("..")) {
                if (!parts.isEmpty()) {
                    parts.removeLast();
                }
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return "/" + String.join("/", parts);
    }

    List<Planned> all() {
        return mounts;
    }

    /// The mount under which `path` is found when all are made: the last of the longest that contain it.
    Optional<Planned> above(String path) {
        return above(path, mounts);
    }

    static Optional<Planned> above(String path, List<Planned> mounts) {
        Optional<Planned> best = Optional.empty();
        for (var mount : mounts) {
            boolean contains = path.startsWith(mount.destination + "/");
            if (contains && (best.isEmpty() || mount.destination.length() >= best.get().destination.length())) {
                best = Optional.of(mount);
            }
        }
        return best;
    }

    /// Whether the process's terminal is in the devpts that is mounted at `/dev/pts`.
    boolean hasTerminal() {
        return mounts.stream().anyMatch(mount -> mount.slot.equals(Slots.PTS));
    }

    void write(TapeDraft draft) {
        boolean devices = mounts.stream().noneMatch(mount -> mount.destination.equals("/dev"));
        if (devices) {
            DeviceSteps.write(draft, spec.linux(), Optional.empty());
        }
        for (int i = 0; i < mounts.size(); i++) {
            var mount = mounts.get(i);
            boolean ofMonitor = ownUsers() && mount.destination.equals("/dev") && mount.own();
            if (ofMonitor) {
                draft.inMonitor(() -> makeDevices(draft, mount));
            } else if (!ownUsers() || !isSysfs(mount)) {
                make(draft, mount);
            }
            if (mount.mount.type().startsWith("cgroup") && host.cgroups() instanceof Hierarchies(var names)
                    && mount.own()) {
                cgroupTrees(draft, mount, names);
            }
            place(draft, mount, above(mount.destination, mounts.subList(0, i)));
            if (mount.destination.equals("/dev") && mount.own() && !ofMonitor) {
                DeviceSteps.write(draft, spec.linux(), Optional.of(mount.slot));
            }
        }
        if (spec.process().terminal() && hasTerminal()) {
            DeviceSteps.console(draft, above("/dev/console", mounts).filter(Planned::own).map(Planned::slot));
        }
    }

    /// Whether the container has a user namespace of its own.
    private boolean ownUsers() {
        return !spec.linux().ids().none();
    }

    private static boolean isSysfs(Planned mount) {
        return mount.own() && mount.mount.type().equals("sysfs");
    }

    /// Makes each sysfs, which gets its place later.
    void makeSysfs(TapeDraft draft) {
        mounts.stream().filter(MountSteps::isSysfs).forEach(mount -> make(draft, mount));
    }

    /// The tmpfs of devices is the host's, so that its nodes work, and belongs to the container's root.
    private void makeDevices(TapeDraft draft, Planned dev) {
        var ids = spec.linux().ids();
        make(draft, dev);
        draft.child(dev.id(), Syscall.FCHOWNAT, slot(dev.slot), TapeDraft.EMPTY, number(ids.hostUid(0)),
                number(ids.hostGid(0)), number(Linux.AT_EMPTY_PATH, "AT_EMPTY_PATH"));
        DeviceSteps.write(draft, spec.linux(), Optional.of(dev.slot));
    }

    private void make(TapeDraft draft, Planned mount) {
        long attributes = mount.options.set() | mount.options.setAll();
        String id = mount.id();
        if (mount.slot.equals(Slots.PTS)) {
            draft.add(TapeDraft.setAttributes(id, mount.slot, false, attributes, 0));
        } else if (mount.slot.equals(Slots.PROC)) {
            if (attributes != 0) { // made already, bare
                draft.add(TapeDraft.setAttributes(id, mount.slot, false, attributes, 0));
            }
        } else if (mount.own()) {
            var data = new LinkedHashMap<String, String>();
            if (!mount.mount.source().isEmpty()) {
                data.put("source", mount.mount.source());
            }
            mount.covered.ifPresent(mode -> data.put("mode", Integer.toOctalString(mode)));
            data.putAll(mount.options.data());
            switch (mount.mount.type()) {
                case "cgroup", "cgroup2" -> {
                    if (host.cgroups() instanceof HostFacts.Unified) {
                        draft.filesystem(id, "cgroup2", data, attributes, mount.slot);
                    } else {
                        draft.filesystem(id, "tmpfs", CGROUP_TMPFS,
                                attributes & ~MountOptions.RDONLY, mount.slot);
                    }
                }
                default -> draft.filesystem(id, mount.mount.type(), data, attributes, mount.slot);
            }
            if (mount.options.propagation() != 0) {
                draft.add(TapeDraft.setAttributes(id, mount.slot, mount.options.recursivePropagation(), 0,
                        mount.options.propagation()));
            }
        }
    }

    /// On cgroup v1: a directory for each hierarchy, in it the container's own group, and links for the single names of
    /// hierarchies with several controllers (`cpu` → `cpu,cpuacct`).
    private void cgroupTrees(TapeDraft draft, Planned mount, List<String> names) {
        for (String name : names) {
            draft.child(mount.id(), Syscall.MKDIRAT, slot(mount.slot), text(name), number(0755, "0755"));
            if (name.contains(",")) {
                for (String alias : name.split(",")) {
                    draft.child(mount.id(), Syscall.SYMLINKAT, text(name), slot(mount.slot), text(alias));
                }
            }
        }
    }

    private void place(TapeDraft draft, Planned mount, Optional<Planned> above) {
        String id = mount.id();
        if (above.isPresent() && above.get().own() && above.get().mount.type().equals("tmpfs")) {
            // a fresh tmpfs of ours: no link in it can lead anywhere
            String relative = mount.destination.substring(above.get().destination.length() + 1);
            mountPoint(draft, mount, above.get().slot, relative);
            draft.add(TapeDraft.attach(id, mount.slot, above.get().slot, relative));
        } else {
            if (above.isPresent() && above.get().own() && !WITHOUT_MKDIR.contains(above.get().mount.type())) {
                mountPoint(draft, mount, above.get().slot,
                        mount.destination.substring(above.get().destination.length() + 1));
            }
            var place = new Slot("place:" + mount.destination);
            draft.add(draft.place(id, mount.destination, place));
            draft.add(TapeDraft.attach(id, mount.slot, place, ""));
        }
        if (mount.mount.type().startsWith("cgroup") && host.cgroups() instanceof Hierarchies(var names)
                && mount.own()) {
            for (String name : names) {
                draft.add(TapeDraft.attach(id, Slots.cgroupTree(name), mount.slot, name));
            }
            draft.add(TapeDraft.setAttributes(id, mount.slot, true, mount.options.set(), 0));
        }
    }

    private static void mountPoint(TapeDraft draft, Planned mount, Slot parent, String relative) {
        String[] parts = relative.split("/");
        var path = new StringBuilder();
        for (int i = 0; i < parts.length; i++) {
            path.append(i == 0 ? "" : "/").append(parts[i]);
            boolean file = mount.file && i == parts.length - 1;
            var step = file
                    ? Step.child(mount.id(), Syscall.MKNODAT, slot(parent), text(path.toString()),
                            number(Linux.S_IFREG | 0755, "S_IFREG|0755"), number(0))
                    : Step.child(mount.id(), Syscall.MKDIRAT, slot(parent), text(path.toString()),
                            number(0755, "0755"));
            draft.add(step.tolerating(Errno.EEXIST));
        }
    }
}
