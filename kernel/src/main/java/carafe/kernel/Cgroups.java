package carafe.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The host's cgroups, v1 or v2, found once at start. v1 is used when any controller we limit by is bound to it, so a
/// hybrid host (all controllers on v1, an empty v2 beside) counts as v1. Owns one descriptor per hierarchy.
///
/// On v2 nobody may live in a cgroup that hands controllers to children. Our cgroups go below a top-level cgroup
/// `/carafe`, also in a service with Delegate=yes: were they in the service's own cgroup, systemd could not put a
/// restarted daemon there as long as a container lives (status=219/CGROUP, seen with systemd 252). Only where systemd
/// keeps the daemon in a leaf of what it delegated (DelegateSubgroup=daemon, systemd 254) they go beside that leaf.
public final class Cgroups implements AutoCloseable {

    static final String NAME = "carafe";

    /// The leaf for processes beside containers.
    static final String LEAF = "daemon";
    private static final Set<String> LIMITING = Set.of("memory", "cpu", "pids", "devices", "blkio", "cpuset");

    /// Which generation the host uses.
    public enum Version { V1, V2 }

    /// A cgroup that was made and the limits it could not be given.
    public record Created(Cgroup cgroup, List<LimitWarning> warnings) {
        public Created {
            warnings = List.copyOf(warnings);
        }
    }

    private final CgroupDriver driver;

    private Cgroups(CgroupDriver driver) {
        this.driver = driver;
    }

    /// Finds out what the host has.
    /// @throws KernelException ENODEV no cgroups are mounted
    public static Cgroups open() throws KernelException {
        try {
            return open(Mounts.list(), Files.readString(Path.of("/proc/self/cgroup")));
        } catch (KernelException e) {
            throw e;
        } catch (IOException e) {
            throw new KernelException("read", "/proc/self", Errno.EIO, String.valueOf(e.getMessage()));
        }
    }

    private static Cgroups open(List<MountEntry> mounts, String ownCgroups) throws KernelException {
        var hierarchies = v1Mounts(mounts);
        if (hierarchies.values().stream().anyMatch(names -> names.stream().anyMatch(LIMITING::contains))) {
            return openV1(hierarchies);
        }
        for (var mount : mounts) {
            if (mount.fsType().equals("cgroup2")) {
                return openV2(mount, ownCgroups);
            }
        }
        throw new KernelException("open", "cgroups", Errno.ENODEV, "neither cgroup v2 nor v1 is mounted");
    }

    /// Mount points and the controllers of each v1 hierarchy, every hierarchy once.
    static Map<String, Set<String>> v1Mounts(List<MountEntry> mounts) {
        var byDevice = new LinkedHashMap<String, MountEntry>();
        for (var mount : mounts) {
            if (mount.fsType().equals("cgroup")) {
                byDevice.putIfAbsent(mount.device(), mount);
            }
        }
        var hierarchies = new LinkedHashMap<String, Set<String>>();
        for (var mount : byDevice.values()) {
            var names = new TreeSet<String>();
            for (String option : mount.superOptions().split(",")) {
                if (!Set.of("rw", "ro", "xattr", "clone_children", "noprefix", "seclabel").contains(option)
                        && !option.startsWith("release_agent")) {
                    names.add(option);
                }
            }
            hierarchies.put(mount.target(), names);
        }
        return hierarchies;
    }

    private static Cgroups openV1(Map<String, Set<String>> mounts) throws KernelException {
        var hierarchies = new ArrayList<Hierarchy>();
        try {
            for (var mount : mounts.entrySet()) {
                hierarchies.add(new Hierarchy(root(mount.getKey()), mount.getValue()));
            }
            return new Cgroups(CgroupV1.of(hierarchies));
        } catch (KernelException e) {
            hierarchies.forEach(hierarchy -> hierarchy.root().close());
            throw e;
        }
    }

    private static Fd root(String mountPoint) throws KernelException {
        return Descriptors.open(Path.of(mountPoint), Linux.O_PATH | Linux.O_DIRECTORY, 0);
    }

    private static Cgroups openV2(MountEntry mount, String ownCgroups) throws KernelException {
        String own = ownCgroups.lines().filter(line -> line.startsWith("0::/")).findFirst()
                .map(line -> line.substring(4)).orElse("");
        String mounted = mount.root().substring(1);
        if (!mounted.isEmpty() && (own + "/").startsWith(mounted + "/")) {
            own = own.equals(mounted) ? "" : own.substring(mounted.length() + 1);
        }
        return openV2(Path.of(mount.target()), own);
    }

    /// cgroup v2 at `mountPoint`, as seen from the cgroup `own`; tests name a v2 hierarchy that the host does not use.
    static Cgroups openV2(Path mountPoint, String own) throws KernelException {
        var root = root(mountPoint.toString());
        try {
            var all = new Hierarchy(root, Set.of());
            boolean delegated = own.endsWith("/" + LEAF) && isDelegated(all, parentOf(own));
            String home = delegated ? parentOf(own) : NAME;
            return new Cgroups(CgroupV2.of(root, home, delegated));
        } catch (KernelException e) {
            root.close();
            throw e;
        }
    }

    /// systemd marks what it delegates; see its CGROUP_DELEGATION.
    private static boolean isDelegated(Hierarchy all, String path) throws KernelException {
        if (path.isEmpty() || path.startsWith("..") || !all.exists(path)) {
            return false;
        }
        try (var directory = all.openDirectory(path)) {
            for (String name : List.of("trusted.delegate", "user.delegate")) {
                var value = Inodes.xattr(directory, name);
                if (value.isPresent() && NativeText.decode(value.get()).equals("1")) {
                    return true;
                }
            }
            return false;
        }
    }

    /// Which generation the host uses.
    public Version version() {
        return driver.version();
    }

    /// Below which path our cgroups go unless the user names another parent, `/carafe`.
    public String home() {
        return "/" + driver.home();
    }

    /// The controllers that our cgroups have.
    public Set<String> controllers() {
        return driver.controllers();
    }

    /// Makes the cgroup `path` with everything above it. No rules in `devices` leave devices as the parent has them.
    /// @return the cgroup, and the limits that this host cannot give
    /// @throws KernelException EEXIST there is one already; EINVAL a value out of range; ENODEV device rules on a host
    /// without a way to enforce them
    public Created create(String path, CgroupLimits limits, List<DeviceRule> devices) throws KernelException {
        String relative = relative(path);
        var warnings = driver.create(relative, limits, devices);
        return new Created(new Cgroup(driver, relative), warnings);
    }

    /// The cgroup `path`, there or not.
    public Cgroup at(String path) throws KernelException {
        return new Cgroup(driver, relative(path));
    }

    /// The cgroups directly below `parent` in any hierarchy, halves that a crash left included; without the daemon's
    /// own leaf.
    public List<Cgroup> list(String parent) throws KernelException {
        String relative = relative(parent);
        var names = new TreeSet<String>();
        for (var hierarchy : driver.hierarchies()) {
            names.addAll(hierarchy.children(relative));
        }
        if (relative.equals(driver.home())) {
            names.remove(LEAF);
        }
        return names.stream().map(name -> new Cgroup(driver, relative + "/" + name)).toList();
    }

    /// `path` without the slash in front; a path that is none is refused.
    static String relative(String path) throws KernelException {
        var names = new ArrayList<String>();
        for (String name : path.split("/")) {
            if (name.equals("..") || name.indexOf('\n') >= 0) {
                throw new KernelException("cgroup", path, Errno.EINVAL, "not a path of a cgroup");
            }
            if (!name.isEmpty() && !name.equals(".")) {
                names.add(name);
            }
        }
        if (names.isEmpty()) {
            throw new KernelException("cgroup", "\"" + path + "\"", Errno.EINVAL, "not a path of a cgroup");
        }
        return String.join("/", names);
    }

    static String parentOf(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    /// The hierarchy that `controller` is bound to, for tests.
    Optional<Hierarchy> hierarchyOf(String controller) {
        return driver.hierarchyOf(controller);
    }

    List<Hierarchy> hierarchies() {
        return driver.hierarchies();
    }

    /// Lets go of the hierarchies; the cgroups stay, the [Cgroup]s of this object are of no more use.
    @Override
    public void close() {
        driver.hierarchies().forEach(hierarchy -> hierarchy.root().close());
        if (driver instanceof CgroupV2 v2) {
            v2.filters().values().forEach(Fd::close);
        }
    }
}
