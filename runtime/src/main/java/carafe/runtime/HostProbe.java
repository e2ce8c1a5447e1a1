package carafe.runtime;

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
import carafe.runtime.HostFacts.CgroupLayout;
import carafe.runtime.HostFacts.Hierarchies;
import carafe.runtime.HostFacts.Limit;
import carafe.runtime.HostFacts.PathKind;
import carafe.runtime.HostFacts.Unified;
import carafe.spec.oci.LinuxSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/// Looks at the host: once at start for what stays (cgroups, limits, capabilities), once per container for paths below
/// /proc and /sys that a module may have added meanwhile. Owns the verified null device.
final class HostProbe implements AutoCloseable {

    private static final long CAP_SYS_RESOURCE = 1L << 24;

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
        return new HostProbe(hierarchies, limits(), capabilities(), score);
    }

    /// /dev/null, proven to be the null device and not what somebody put in its place (CVE-2025-31133).
    private static Fd openNull() throws KernelException {
        var fd = Descriptors.open(Path.of("/dev/null"), Linux.O_PATH | Linux.O_NOFOLLOW, 0);
        try {
            var stat = Inodes.stat(fd);
            if (stat.type() != FileType.CHARACTER || stat.rdevMajor() != 1 || stat.rdevMinor() != 3) {
                throw new KernelException("open", "/dev/null", Errno.ENODEV, "it is not the null device");
            }
            return fd;
        } catch (KernelException e) {
            fd.close();
            throw e;
        }
    }

    private static long capabilities() throws IOException {
        long bounding = 0;
        long permitted = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("CapBnd:")) {
                bounding = Long.parseUnsignedLong(line.substring(7).strip(), 16);
            } else if (line.startsWith("CapPrm:")) {
                permitted = Long.parseUnsignedLong(line.substring(7).strip(), 16);
            }
        }
        return bounding & permitted;
    }

    private static Map<Integer, Limit> limits() throws IOException {
        var limits = new HashMap<Integer, Limit>();
        var order = Map.ofEntries(
                Map.entry("Max cpu time", 0), Map.entry("Max file size", 1), Map.entry("Max data size", 2),
                Map.entry("Max stack size", 3), Map.entry("Max core file size", 4), Map.entry("Max resident set", 5),
                Map.entry("Max processes", 6), Map.entry("Max open files", 7), Map.entry("Max locked memory", 8),
                Map.entry("Max address space", 9), Map.entry("Max file locks", 10),
                Map.entry("Max pending signals", 11), Map.entry("Max msgqueue size", 12),
                Map.entry("Max nice priority", 13), Map.entry("Max realtime priority", 14),
                Map.entry("Max realtime timeout", 15));
        for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
            for (var resource : order.entrySet()) {
                if (line.startsWith(resource.getKey() + " ")) {
                    String[] fields = line.substring(26).strip().split("\\s+");
                    limits.put(resource.getValue(), new Limit(limit(fields[0]), limit(fields[1])));
                }
            }
        }
        return limits;
    }

    private static long limit(String text) {
        return text.equals("unlimited") ? -1 : Long.parseUnsignedLong(text);
    }

    /// The facts for a container with these hidden and read-only paths.
    HostFacts facts(LinuxSpec linux) throws KernelException {
        var kinds = new HashMap<String, PathKind>();
        for (String path : (Iterable<String>) Stream.concat(
                linux.maskedPaths().stream(), linux.readonlyPaths().stream())::iterator) {
            String normal = MountSteps.normalized(path);
            if (normal.startsWith("/proc/") || normal.startsWith("/sys/")) {
                root.find(normal).ifPresent(stat ->
                        kinds.put(normal, stat.isDirectory() ? PathKind.DIRECTORY : PathKind.FILE));
            }
        }
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
