package carafe.kernel;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/// What the processes of a cgroup have used. Times are nanoseconds since its creation; `perCpuNanos` is empty on cgroup
/// v2, which does not count it; a limit is empty where none is set; `memoryDetail` is the kernel's memory.stat.
public record CgroupStats(long cpuNanos, long cpuUserNanos, long cpuSystemNanos, List<Long> perCpuNanos,
        long periods, long throttledPeriods, long throttledNanos,
        long memoryBytes, long memoryMaxBytes, OptionalLong memoryLimitBytes, long memoryFailures,
        Map<String, Long> memoryDetail,
        long pids, OptionalLong pidsLimit, List<Io> io) {

    public CgroupStats {
        perCpuNanos = List.copyOf(perCpuNanos);
        memoryDetail = Map.copyOf(memoryDetail);
        io = List.copyOf(io);
    }

    /// What one block device has moved.
    public record Io(long major, long minor, long readBytes, long writeBytes, long reads, long writes) {}

    /// File pages that the kernel may drop first; clients subtract them from the usage.
    public long inactiveFileBytes() {
        return memoryDetail.getOrDefault("total_inactive_file", memoryDetail.getOrDefault("inactive_file", 0L));
    }
}
