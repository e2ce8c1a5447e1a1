package carafe.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/// cgroup v2: one directory per cgroup, controllers enabled from parent to child, device rules as eBPF programs, which
/// are loaded once per list of rules and attached to every cgroup that has it. `home` is where our cgroups go;
/// `delegated` says that somebody (systemd) gave us that one and rules above it.
/// Source: Documentation/admin-guide/cgroup-v2.
record CgroupV2(Hierarchy hierarchy, String home, boolean delegated, Set<String> prepared,
        Map<List<DeviceRule>, Fd> filters) implements CgroupDriver {

    private static final Set<String> WANTED =
            Set.of("cpu", "cpuset", "io", "memory", "pids", "hugetlb", "rdma", "misc");
    private static final int KEPT_FILTERS = 64;
    private static final long NANOS_PER_MICRO = 1000;

    static CgroupV2 of(Fd root, String home, boolean delegated) {
        return new CgroupV2(new Hierarchy(root, Set.of()), home, delegated, ConcurrentHashMap.newKeySet(),
                new ConcurrentHashMap<>());
    }

    @Override
    public Cgroups.Version version() {
        return Cgroups.Version.V2;
    }

    @Override
    public Set<String> controllers() {
        try {
            String above = delegated ? home : "";
            return new TreeSet<>(words(hierarchy.readOrEmpty(above, "cgroup.controllers")));
        } catch (KernelException e) {
            return Set.of();
        }
    }

    @Override
    public List<Hierarchy> hierarchies() {
        return List.of(hierarchy);
    }

    @Override
    public Hierarchy processHierarchy() {
        return hierarchy;
    }

    @Override
    public Optional<Hierarchy> hierarchyOf(String controller) {
        return Optional.of(hierarchy);
    }

    @Override
    public List<LimitWarning> create(String path, CgroupLimits limits, List<DeviceRule> devices)
            throws KernelException {
        String parent = Cgroups.parentOf(path);
        if (!prepared.contains(parent)) {
            prepare(parent);
        }
        int errno = hierarchy.tryMkdir(path);
        if (errno == Errno.ENOENT) { // somebody removed our parent
            prepare(parent);
            errno = hierarchy.tryMkdir(path);
        }
        if (errno != 0) {
            throw new KernelException("mkdir", "cgroup /" + path, errno);
        }
        try {
            var warnings = apply(path, CgroupV2Plan.of(limits));
            if (!devices.isEmpty()) {
                attach(path, devices);
            }
            return warnings;
        } catch (KernelException e) {
            hierarchy.tryRmdir(path);
            throw e;
        }
    }

    private void attach(String path, List<DeviceRule> devices) throws KernelException {
        try (var directory = hierarchy.openDirectory(path)) {
            var kept = filters.get(devices);
            if (kept != null) {
                DeviceFilter.attach(kept, directory);
                return;
            }
            var program = DeviceFilter.load(DeviceFilter.assemble(devices));
            try {
                DeviceFilter.attach(program, directory);
            } catch (KernelException e) {
                program.close();
                throw e;
            }
            if (filters.size() >= KEPT_FILTERS || filters.putIfAbsent(List.copyOf(devices), program) != null) {
                program.close();
            }
        }
    }

    /// Makes `parent` and enables all controllers we use in it and above it, as far as we rule there.
    private void prepare(String parent) throws KernelException {
        boolean below = delegated && (parent + "/").startsWith(home + "/");
        String walked = below ? home : "";
        enable(walked);
        for (String name : parent.substring(walked.length()).split("/")) {
            if (name.isEmpty()) {
                continue;
            }
            walked = walked.isEmpty() ? name : walked + "/" + name;
            int errno = hierarchy.tryMkdir(walked);
            if (errno != 0 && errno != Errno.EEXIST) {
                throw new KernelException("mkdir", "cgroup /" + walked, errno);
            }
            enable(walked);
        }
        prepared.add(parent);
    }

    /// What cannot be enabled is missed, and warned of, when a limit needs it.
    private void enable(String path) throws KernelException {
        var missing = new TreeSet<>(words(hierarchy.read(path, "cgroup.controllers")));
        missing.retainAll(WANTED);
        missing.removeAll(words(hierarchy.read(path, "cgroup.subtree_control")));
        if (missing.isEmpty()) {
            return;
        }
        if (path.isEmpty() && hierarchy.exists("cgroup.type")) { // the host's true root has no type
            moveIntoLeaf();
        }
        String all = "+" + String.join(" +", missing);
        if (hierarchy.tryWrite(path, "cgroup.subtree_control", all) != 0) {
            for (String one : missing) {
                hierarchy.tryWrite(path, "cgroup.subtree_control", "+" + one);
            }
        }
    }

    /// In a container of another engine the root we see is an ordinary cgroup with everybody of that container in it;
    /// it can hand controllers down once they have moved into a leaf. (It could hand down some while they are there, but
    /// would become a root of threads, below which no container can live.)
    private void moveIntoLeaf() throws KernelException {
        var inhabitants = words(hierarchy.read("", "cgroup.procs"));
        if (inhabitants.isEmpty()) {
            return;
        }
        int errno = hierarchy.tryMkdir(Cgroups.LEAF);
        if (errno != 0 && errno != Errno.EEXIST) {
            throw new KernelException("mkdir", "cgroup /" + Cgroups.LEAF, errno);
        }
        for (String pid : inhabitants) {
            errno = hierarchy.tryWrite(Cgroups.LEAF, "cgroup.procs", pid);
            if (errno != 0 && errno != Errno.ESRCH) {
                throw new KernelException("write", "cgroup.procs of /" + Cgroups.LEAF, errno);
            }
        }
    }

    private static List<String> words(String text) {
        return text.isEmpty() ? List.of() : Arrays.asList(text.split("\\s+"));
    }

    @Override
    public List<LimitWarning> update(String path, CgroupLimits limits) throws KernelException {
        return apply(path, CgroupV2Plan.of(limits));
    }

    @Override
    public CgroupEntrance entrance(String path) throws KernelException {
        return new CgroupEntrance(List.of(), Optional.of(hierarchy.openDirectory(path)));
    }

    @Override
    public CgroupStats stats(String path) throws KernelException {
        var cpu = KeyedNumbers.parse(hierarchy.readOrEmpty(path, "cpu.stat"));
        long memory = number(path, "memory.current");
        return new CgroupStats(
                micros(cpu, "usage_usec"), micros(cpu, "user_usec"), micros(cpu, "system_usec"), List.of(),
                cpu.getOrDefault("nr_periods", 0L), cpu.getOrDefault("nr_throttled", 0L),
                micros(cpu, "throttled_usec"),
                memory, Math.max(memory, number(path, "memory.peak")), limit(path, "memory.max"),
                KeyedNumbers.parse(hierarchy.readOrEmpty(path, "memory.events")).getOrDefault("max", 0L),
                KeyedNumbers.parse(hierarchy.readOrEmpty(path, "memory.stat")),
                number(path, "pids.current"), limit(path, "pids.max"),
                BlockIo.parseV2(hierarchy.readOrEmpty(path, "io.stat")));
    }

    private static long micros(Map<String, Long> numbers, String key) {
        return numbers.getOrDefault(key, 0L) * NANOS_PER_MICRO;
    }

    private long number(String path, String file) throws KernelException {
        return KeyedNumbers.number(hierarchy.readOrEmpty(path, file));
    }

    private OptionalLong limit(String path, String file) throws KernelException {
        return KeyedNumbers.limit(hierarchy.readOrEmpty(path, file));
    }

    @Override
    public long oomKills(String path) throws KernelException {
        return KeyedNumbers.parse(hierarchy.readOrEmpty(path, "memory.events")).getOrDefault("oom_kill", 0L);
    }

    @Override
    public void setFrozen(String path, boolean frozen) throws KernelException {
        hierarchy.write(path, "cgroup.freeze", frozen ? "1" : "0");
    }

    @Override
    public boolean isFrozen(String path) throws KernelException {
        return KeyedNumbers.parse(hierarchy.read(path, "cgroup.events")).getOrDefault("frozen", 0L) == 1;
    }

    @Override
    public boolean killAtOnce(String path) throws KernelException {
        if (!Features.has(Features.CGROUP_KILL)) {
            return false;
        }
        int errno = hierarchy.tryWrite(path, "cgroup.kill", "1");
        if (errno == Errno.ENOENT && hierarchy.exists(path)) {
            return false; // Linux before 5.14
        }
        if (errno != 0 && errno != Errno.ENOENT && errno != Errno.ENODEV) {
            throw new KernelException("kill", "cgroup /" + path, errno);
        }
        return true;
    }
}
