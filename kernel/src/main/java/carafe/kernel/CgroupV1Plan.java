package carafe.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// Limits as the files of cgroup v1. A pure function; order matters only in that a write refused with EINVAL is tried
/// again after the others (memory and memory+swap, quota and period bound each other).
/// Source: Documentation/admin-guide/cgroup-v1.
final class CgroupV1Plan {

    private final List<LimitWrite> writes = new ArrayList<>();

    private CgroupV1Plan() {}

    static List<LimitWrite> of(CgroupLimits limits) {
        var plan = new CgroupV1Plan();
        plan.memory(limits);
        plan.cpu(limits);
        plan.blkio(limits);
        plan.number(LimitWarning.Kind.PIDS, "pids", "pids.max", limits.pids(), LimitWrite.NO_PIDS);
        limits.hugePages().forEach((size, bytes) -> plan.add(LimitWarning.Kind.HUGE_PAGES, "hugetlb",
                "hugetlb." + size + ".limit_in_bytes", Long.toString(bytes), LimitWrite.NO_HUGE_PAGES));
        limits.unified().keySet().forEach(file -> plan.add(LimitWarning.Kind.UNIFIED, "unified", file, "",
                file + " is a setting of cgroup v2, which this host does not use; it is discarded."));
        return plan.writes;
    }

    private void memory(CgroupLimits limits) {
        number(LimitWarning.Kind.MEMORY, "memory", "memory.limit_in_bytes", limits.memoryBytes(),
                LimitWrite.NO_MEMORY);
        number(LimitWarning.Kind.SWAP, "memory", "memory.memsw.limit_in_bytes", limits.memorySwapBytes(),
                LimitWrite.NO_SWAP);
        number(LimitWarning.Kind.RESERVATION, "memory", "memory.soft_limit_in_bytes", limits.reservationBytes(),
                LimitWrite.NO_RESERVATION);
        if (limits.swappiness().isPresent()) {
            add(LimitWarning.Kind.SWAPPINESS, "memory", "memory.swappiness",
                    Integer.toString(limits.swappiness().getAsInt()), LimitWrite.NO_SWAPPINESS);
        }
        if (limits.oomKillDisable()) {
            add(LimitWarning.Kind.OOM_KILL_DISABLE, "memory", "memory.oom_control", "1",
                    LimitWrite.NO_OOM_KILL_DISABLE);
        }
    }

    private void cpu(CgroupLimits limits) {
        number(LimitWarning.Kind.CPU, "cpu", "cpu.shares", limits.cpuShares(), LimitWrite.NO_SHARES);
        number(LimitWarning.Kind.CPU, "cpu", "cpu.cfs_period_us", limits.cpuPeriodMicros(), LimitWrite.NO_QUOTA);
        number(LimitWarning.Kind.CPU, "cpu", "cpu.cfs_quota_us", limits.cpuQuotaMicros(), LimitWrite.NO_QUOTA);
        text(LimitWarning.Kind.CPUSET, "cpuset", "cpuset.cpus", limits.cpusetCpus(), LimitWrite.NO_CPUSET);
        text(LimitWarning.Kind.CPUSET, "cpuset", "cpuset.mems", limits.cpusetMems(), LimitWrite.NO_CPUSET);
    }

    private void blkio(CgroupLimits limits) {
        if (limits.blkioWeight().isPresent()) {
            add(LimitWarning.Kind.BLKIO, "blkio", "blkio.bfq.weight",
                    Integer.toString(limits.blkioWeight().getAsInt()), LimitWrite.NO_WEIGHT);
        }
        for (var throttle : limits.throttles()) {
            String file = switch (throttle.kind()) {
                case READ_BYTES -> "blkio.throttle.read_bps_device";
                case WRITE_BYTES -> "blkio.throttle.write_bps_device";
                case READ_OPERATIONS -> "blkio.throttle.read_iops_device";
                case WRITE_OPERATIONS -> "blkio.throttle.write_iops_device";
            };
            add(LimitWarning.Kind.BLKIO, "blkio", file,
                    throttle.major() + ":" + throttle.minor() + " " + throttle.perSecond(), LimitWrite.NO_THROTTLE);
        }
    }

    private void number(LimitWarning.Kind kind, String controller, String file, OptionalLong value, String lacking) {
        if (value.isPresent()) {
            boolean pids = controller.equals("pids");
            add(kind, controller, file,
                    pids ? LimitWrite.maximum(value.getAsLong()) : Long.toString(value.getAsLong()), lacking);
        }
    }

    private void text(LimitWarning.Kind kind, String controller, String file, String value, String lacking) {
        if (!value.isEmpty()) {
            add(kind, controller, file, value, lacking);
        }
    }

    private void add(LimitWarning.Kind kind, String controller, String file, String value, String lacking) {
        writes.add(new LimitWrite(kind, controller, file, value, lacking));
    }
}
