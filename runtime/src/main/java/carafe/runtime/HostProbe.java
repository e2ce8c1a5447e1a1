package carafe.runtime;

import carafe.kernel.Capabilities;
import carafe.kernel.Cgroups;
import carafe.kernel.Descriptors;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.Mounts;
import carafe.kernel.Rlimits;
import carafe.runtime.HostFacts.CgroupLayout;
import carafe.runtime.HostFacts.Hierarchies;
import carafe.runtime.HostFacts.Limit;
import carafe.runtime.HostFacts.PathKind;
import carafe.runtime.HostFacts.Unified;
import carafe.spec.oci.LinuxSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Looks at the host: once at start for what stays (cgroups, limits, capabilities), once per container for paths below
/// /proc and /sys that a module may have added meanwhile. Owns the verified null device.
final class HostProbe implements AutoCloseable {

    private static final long CAP_SYS_RESOURCE = 1L << 24;
    private static final int RESOURCES = Linux.RLIMIT_RTTIME + 1;

    /// How long a look at paths is believed: a burst of starts takes one, a module loaded by hand is seen in time.
    private static final Duration FRESH = Duration.ofMillis(500);

    /// What paths below /proc and /sys were, and when.
    private record Looked(long at, List<String> masked, List<String> readonly, Map<String, PathKind> kinds) {}

    private volatile Looked looked = new Looked(System.nanoTime(), List.of(), List.of(), Map.of());
    private final Map<String, Path> hierarchies;
    private final CgroupLayout layout;
    private final Map<Integer, Limit> limits;
    private final long capabilities;
    private final int oomScore;
    private final FileTree root;
    private final Fd nullDevice;

    private HostProbe(Map<String, Path> hierarchies, Map<Integer, Limit> limits, long capabilities, int oomScore)
            throws KernelException {
        this.hierarchies = hierarchies;
        this.layout = hierarchies.isEmpty() ? new Unified() : new Hierarchies(hierarchies.keySet().stream().toList());
        this.limits = limits;
        this.capabilities = capabilities;
        this.oomScore = oomScore;
        this.root = FileTree.open(Path.of("/"));
        try {
            this.nullDevice = openNull();
        } catch (KernelException e) {
            root.close();
            throw e;
        }
    }

    static HostProbe look(Cgroups cgroups) throws IOException {
        var hierarchies = new LinkedHashMap<String, Path>();
        if (cgroups.version() == Cgroups.Version.V1) {
            var devices = new HashMap<String, Path>();
            for (var mount : Mounts.list()) {
                if (mount.fsType().equals("cgroup") && devices.putIfAbsent(mount.device(), Path.of(mount.target()))
                        == null) {
                    Path target = Path.of(mount.target());
                    hierarchies.put(String.valueOf(target.getFileName()), target);
                }
            }
        }
        int score = Integer.parseInt(Files.readString(Path.of("/proc/self/oom_score_adj")).strip());
        return new HostProbe(hierarchies, limits(), Capabilities.available(), score);
    }

    /// /dev/null, proven to be the null device and not what somebody put in its place (CVE-2025-31133).
    private static Fd openNull() throws KernelException {
        var fd = Descriptors.open(Path.of("/dev/null"), Linux.O_PATH | Linux.O_NOFOLLOW, 0);
        try {
            var stat = Inodes.stat(fd);
            if (stat.type() != FileType.CHARACTER_DEVICE || stat.rdevMajor() != 1 || stat.rdevMinor() != 3) {
                throw new KernelException("open", "/dev/null", Errno.ENODEV, "it is not the null device");
            }
            return fd;
        } catch (KernelException e) {
            fd.close();
            throw e;
        }
    }

    private static Map<Integer, Limit> limits() throws KernelException {
        var limits = new HashMap<Integer, Limit>();
        for (int resource = 0; resource < RESOURCES; resource++) {
            var own = Rlimits.own(resource);
            limits.put(resource, new Limit(own.soft(), own.hard()));
        }
        return limits;
    }

    /// The facts for a container with these hidden and read-only paths.
    HostFacts facts(LinuxSpec linux) throws KernelException {
        var last = looked;
        if (System.nanoTime() - last.at > FRESH.toNanos() || !last.masked.equals(linux.maskedPaths())
                || !last.readonly.equals(linux.readonlyPaths())) {
            last = new Looked(System.nanoTime(), linux.maskedPaths(), linux.readonlyPaths(), look(linux));
            looked = last;
        }
        return facts(last.kinds);
    }

    private Map<String, PathKind> look(LinuxSpec linux) throws KernelException {
        var kinds = new HashMap<String, PathKind>();
        for (var paths : List.of(linux.maskedPaths(), linux.readonlyPaths())) {
            for (String path : paths) {
                String normal = MountSteps.normalized(path);
                if (normal.startsWith("/proc/") || normal.startsWith("/sys/")) {
                    root.find(normal).ifPresent(stat ->
                            kinds.put(normal, stat.isDirectory() ? PathKind.DIRECTORY : PathKind.FILE));
                }
            }
        }
        return Map.copyOf(kinds);
    }

    /// The facts for an exec, which hides no path.
    HostFacts plain() {
        return facts(Map.of());
    }

    private HostFacts facts(Map<String, PathKind> kinds) {
        return new HostFacts(
                layout, kinds, limits, (capabilities & CAP_SYS_RESOURCE) != 0, oomScore, capabilities);
    }

    /// The verified null device, borrowed.
    Fd nullDevice() {
        return nullDevice;
    }

    /// Where the hierarchy `name` is mounted (v1).
    Path hierarchy(String name) {
        var path = hierarchies.get(name);
        if (path == null) {
            throw new AssertionError("no cgroup hierarchy " + name);
        }
        return path;
    }

    @Override
    public void close() {
        root.close();
        nullDevice.close();
    }
}
