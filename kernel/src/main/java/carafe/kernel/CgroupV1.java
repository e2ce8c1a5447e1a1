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

/// cgroup v1: a directory per hierarchy. A parent of ours is prepared once: made everywhere, its cpuset filled from
/// above and set to fill its children's (`cgroup.clone_children`), so that a container's cgroup costs one mkdir per
/// hierarchy and nothing more. Source: Documentation/admin-guide/cgroup-v1.
record CgroupV1(List<Hierarchy> hierarchies, Map<String, Hierarchy> byController, Map<String, Boolean> prepared)
        implements CgroupDriver {

    /// What the kernel shows for "no limit": the largest multiple of a page.
    private static final long UNLIMITED_BYTES = 0x7000_0000_0000_0000L;
    private static final long NANOS_PER_TICK = 10_000_000; // USER_HZ is 100 for user space, always

    static CgroupV1 of(List<Hierarchy> hierarchies) {
        var byController = new ConcurrentHashMap<String, Hierarchy>();
        hierarchies.forEach(hierarchy -> hierarchy.controllers().forEach(name -> byController.put(name, hierarchy)));
        return new CgroupV1(List.copyOf(hierarchies), byController, new ConcurrentHashMap<>());
    }

    @Override
    public Cgroups.Version version() {
        return Cgroups.Version.V1;
    }

    @Override
    public String home() {
        return Cgroups.NAME;
    }

    @Override
    public Set<String> controllers() {
        var names = new TreeSet<>(byController.keySet());
        names.removeIf(name -> name.startsWith("name="));
        return names;
    }

    @Override
    public Optional<Hierarchy> hierarchyOf(String controller) {
        return Optional.ofNullable(byController.get(controller));
    }

    @Override
    public Hierarchy processHierarchy() {
        for (String name : List.of("pids", "memory", "freezer", "cpu")) {
            if (byController.containsKey(name)) {
                return byController.get(name);
            }
        }
        return hierarchies.getFirst();
    }

    @Override
    public List<LimitWarning> create(String path, CgroupLimits limits, List<DeviceRule> devices)
            throws KernelException {
        String parent = Cgroups.parentOf(path);
        if (!prepared.containsKey(parent)) {
            prepare(parent);
        }
        var made = new ArrayList<Hierarchy>();
        try {
            for (var hierarchy : hierarchies) {
                int errno = hierarchy.tryMkdir(path);
                if (errno == Errno.ENOENT) { // somebody removed our parent
                    prepare(parent);
                    errno = hierarchy.tryMkdir(path);
                }
                if (errno != 0) {
                    throw new KernelException("mkdir", "cgroup /" + path + " " + hierarchy.controllers(), errno);
                }
                made.add(hierarchy);
            }
            if (Boolean.FALSE.equals(prepared.get(parent)) && byController.containsKey("cpuset")) {
                fillCpuset(path);
            }
            var warnings = apply(path, CgroupV1Plan.of(limits));
            applyDevices(path, devices);
            return warnings;
        } catch (KernelException e) {
            for (var hierarchy : made) {
                hierarchy.tryRmdir(path);
            }
            throw e;
        }
    }

    private void prepare(String parent) throws KernelException {
        var walked = new StringBuilder();
        boolean cloning = true;
        for (String name : parent.split("/")) {
            if (name.isEmpty()) {
                continue;
            }
            walked.append(walked.isEmpty() ? "" : "/").append(name);
            for (var hierarchy : hierarchies) {
                int errno = hierarchy.tryMkdir(walked.toString());
                if (errno != 0 && errno != Errno.EEXIST) {
                    throw new KernelException("mkdir", "cgroup /" + walked + " " + hierarchy.controllers(), errno);
                }
            }
            if (byController.containsKey("cpuset")) {
                fillCpuset(walked.toString());
                cloning = byController.get("cpuset").tryWrite(walked.toString(), "cgroup.clone_children", "1") == 0;
            }
        }
        prepared.put(parent, cloning && !parent.isEmpty());
    }

    /// A cpuset without processors or memory nodes lets no process in.
    private void fillCpuset(String path) throws KernelException {
        var cpuset = byController.get("cpuset");
        if (cpuset == null) {
            return;
        }
        for (String file : List.of("cpuset.cpus", "cpuset.mems")) {
            if (cpuset.read(path, file).isEmpty()) {
                cpuset.write(path, file, cpuset.read(Cgroups.parentOf(path), file));
            }
        }
    }

    private void applyDevices(String path, List<DeviceRule> rules) throws KernelException {
        if (rules.isEmpty()) {
            return;
        }
        var hierarchy = byController.get("devices");
        if (hierarchy == null) {
            throw new KernelException("write", "device rules", Errno.ENODEV, "the devices cgroup is not mounted");
        }
        var batch = new ArrayList<String>();
        for (int i = 0; i < rules.size(); i++) {
            var rule = rules.get(i);
            batch.add(rule.text());
            if (i + 1 == rules.size() || rules.get(i + 1).allow() != rule.allow()) {
                hierarchy.writeEach(path, rule.allow() ? "devices.allow" : "devices.deny", batch);
                batch.clear();
            }
        }
    }

    @Override
    public List<LimitWarning> update(String path, CgroupLimits limits) throws KernelException {
        return apply(path, CgroupV1Plan.of(limits));
    }

    @Override
    public CgroupEntrance entrance(String path) throws KernelException {
        var tasks = new ArrayList<Fd>();
        try {
            for (var hierarchy : hierarchies) {
                tasks.add(hierarchy.openFile(path, "tasks", Linux.O_WRONLY));
            }
            return new CgroupEntrance(tasks, Optional.empty());
        } catch (KernelException e) {
            tasks.forEach(Fd::close);
            throw e;
        }
    }

    @Override
    public CgroupStats stats(String path) throws KernelException {
        var cpuUse = KeyedNumbers.parse(read(path, "cpuacct", "cpuacct.stat"));
        var cpu = KeyedNumbers.parse(read(path, "cpu", "cpu.stat"));
        return new CgroupStats(
                number(path, "cpuacct", "cpuacct.usage"),
                cpuUse.getOrDefault("user", 0L) * NANOS_PER_TICK, cpuUse.getOrDefault("system", 0L) * NANOS_PER_TICK,
                perCpu(path),
                cpu.getOrDefault("nr_periods", 0L), cpu.getOrDefault("nr_throttled", 0L),
                cpu.getOrDefault("throttled_time", 0L),
                number(path, "memory", "memory.usage_in_bytes"), number(path, "memory", "memory.max_usage_in_bytes"),
                memoryLimit(path), number(path, "memory", "memory.failcnt"),
                KeyedNumbers.parse(read(path, "memory", "memory.stat")),
                number(path, "pids", "pids.current"), KeyedNumbers.limit(read(path, "pids", "pids.max")),
                BlockIo.parseV1(recursive(path, "io_service_bytes"), recursive(path, "io_serviced")));
    }

    private String recursive(String path, String file) throws KernelException {
        String text = read(path, "blkio", "blkio.throttle." + file + "_recursive");
        return text.isEmpty() ? read(path, "blkio", "blkio.throttle." + file) : text;
    }

    private OptionalLong memoryLimit(String path) throws KernelException {
        long limit = number(path, "memory", "memory.limit_in_bytes");
        return limit == 0 || limit >= UNLIMITED_BYTES ? OptionalLong.empty() : OptionalLong.of(limit);
    }

    private List<Long> perCpu(String path) throws KernelException {
        String text = read(path, "cpuacct", "cpuacct.usage_percpu");
        return text.isEmpty() ? List.of() : Arrays.stream(text.split(" ")).map(Long::valueOf).toList();
    }

    private String read(String path, String controller, String file) throws KernelException {
        var hierarchy = byController.get(controller);
        return hierarchy == null ? "" : hierarchy.readOrEmpty(path, file);
    }

    private long number(String path, String controller, String file) throws KernelException {
        return KeyedNumbers.number(read(path, controller, file));
    }

    @Override
    public long oomKills(String path) throws KernelException {
        return KeyedNumbers.parse(read(path, "memory", "memory.oom_control")).getOrDefault("oom_kill", 0L);
    }

    @Override
    public void setFrozen(String path, boolean frozen) throws KernelException {
        freezer().write(path, "freezer.state", frozen ? "FROZEN" : "THAWED");
    }

    @Override
    public boolean isFrozen(String path) throws KernelException {
        String state = freezer().read(path, "freezer.state");
        if (state.equals("FREEZING")) { // a process forked meanwhile: asking again reaches it
            setFrozen(path, true);
        }
        return state.equals("FROZEN");
    }

    private Hierarchy freezer() throws KernelException {
        return hierarchyOf("freezer").orElseThrow(() ->
                new KernelException("freeze", "cgroup", Errno.ENODEV, "the freezer cgroup is not mounted"));
    }

    @Override
    public boolean killAtOnce(String path) {
        return false;
    }
}
