package carafe.kernel;

import java.util.ArrayList;
import java.util.List;

/// Limits as the files of cgroup v2, with v1's numbers converted the way runc and crun do. A pure function.
/// Source: Documentation/admin-guide/cgroup-v2.
final class CgroupV2Plan {

    private static final long DEFAULT_PERIOD_MICROS = 100_000;

    private final List<LimitWrite> writes = new ArrayList<>();

    private CgroupV2Plan() {}

    static List<LimitWrite> of(CgroupLimits limits) {
        var plan = new CgroupV2Plan();
        plan.memory(limits);
        plan.cpu(limits);
        plan.io(limits);
        limits.pids().ifPresent(pids -> plan.add(LimitWarning.Kind.PIDS, "pids", "pids.max",
                LimitWrite.maximum(pids), LimitWrite.NO_PIDS));
        limits.hugePages().forEach((size, bytes) -> plan.add(LimitWarning.Kind.HUGE_PAGES, "hugetlb",
                "hugetlb." + size + ".max", Long.toString(bytes), LimitWrite.NO_HUGE_PAGES));
        limits.unified().forEach((file, value) -> plan.add(LimitWarning.Kind.UNIFIED, controllerOf(file), file, value,
                "Your kernel does not have " + file + "; it is discarded."));
        return plan.writes;
    }

    private static String controllerOf(String file) {
        return file.contains(".") ? file.substring(0, file.indexOf('.')) : file;
    }

    private void memory(CgroupLimits limits) {
        limits.memoryBytes().ifPresent(bytes -> add(LimitWarning.Kind.MEMORY, "memory", "memory.max",
                LimitWrite.maximum(bytes), LimitWrite.NO_MEMORY));
        limits.memorySwapBytes().ifPresent(both -> {
            long memory = limits.memoryBytes().orElse(-1);
            long swap = both < 0 ? -1 : Math.max(0, both - Math.max(0, memory));
            add(LimitWarning.Kind.SWAP, "memory", "memory.swap.max", LimitWrite.maximum(swap), LimitWrite.NO_SWAP);
        });
        limits.reservationBytes().ifPresent(bytes -> add(LimitWarning.Kind.RESERVATION, "memory", "memory.low",
                LimitWrite.maximum(bytes), LimitWrite.NO_RESERVATION));
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
        limits.cpuShares().ifPresent(shares -> add(LimitWarning.Kind.CPU, "cpu", "cpu.weight",
                Long.toString(weightOfShares(shares)), LimitWrite.NO_SHARES));
        if (limits.cpuQuotaMicros().isPresent() || limits.cpuPeriodMicros().isPresent()) {
            long quota = limits.cpuQuotaMicros().orElse(-1);
            add(LimitWarning.Kind.CPU, "cpu", "cpu.max",
                    (quota <= 0 ? "max" : Long.toString(quota)) + " "
                            + limits.cpuPeriodMicros().orElse(DEFAULT_PERIOD_MICROS),
                    LimitWrite.NO_QUOTA);
        }
        if (!limits.cpusetCpus().isEmpty()) {
            add(LimitWarning.Kind.CPUSET, "cpuset", "cpuset.cpus", limits.cpusetCpus(), LimitWrite.NO_CPUSET);
        }
        if (!limits.cpusetMems().isEmpty()) {
            add(LimitWarning.Kind.CPUSET, "cpuset", "cpuset.mems", limits.cpusetMems(), LimitWrite.NO_CPUSET);
        }
    }

    private void io(CgroupLimits limits) {
        limits.blkioWeight().ifPresent(weight -> add(LimitWarning.Kind.BLKIO, "io", "io.weight",
                "default " + weightOfBlkio(weight), LimitWrite.NO_WEIGHT));
        for (var throttle : limits.throttles()) {
            String key = switch (throttle.kind()) {
                case READ_BYTES -> "rbps";
                case WRITE_BYTES -> "wbps";
                case READ_OPERATIONS -> "riops";
                case WRITE_OPERATIONS -> "wiops";
            };
            add(LimitWarning.Kind.BLKIO, "io", "io.max",
                    throttle.major() + ":" + throttle.minor() + " " + key + "=" + throttle.perSecond(),
                    LimitWrite.NO_THROTTLE);
        }
    }

    /// 2..262144 shares onto 1..10000.
    static long weightOfShares(long shares) {
        long inside = Math.clamp(shares, 2, 262_144);
        return 1 + (inside - 2) * 9999 / 262_142;
    }

    /// 10..1000 onto 1..10000.
    static long weightOfBlkio(long weight) {
        long inside = Math.clamp(weight, 10, 1000);
        return 1 + (inside - 10) * 9999 / 990;
    }

    private void add(LimitWarning.Kind kind, String controller, String file, String value, String lacking) {
        writes.add(new LimitWrite(kind, controller, file, value, lacking));
    }
}
