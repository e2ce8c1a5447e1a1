package carafe.runtime;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/// What a container uses, read at one moment from its control group. Counters only grow.
public record ContainerStats(Instant read, Cpu cpu, Memory memory, Pids pids, List<BlockIo> blockIo) {

    public ContainerStats {
        blockIo = List.copyOf(blockIo);
    }

    /// Processor time in nanoseconds; periods of the quota and how many were throttled for how long.
    public record Cpu(
            long totalNanos,
            long userNanos,
            long systemNanos,
            long periods,
            long throttledPeriods,
            long throttledNanos) {}

    /// Memory in bytes; `limitBytes` is the limit in force ([Long#MAX_VALUE] if none), `detail` the kernel's
    /// memory.stat by its own names.
    public record Memory(
            long usageBytes, long maxUsageBytes, long limitBytes, long failures, Map<String, Long> detail) {
        public Memory {
            detail = Map.copyOf(detail);
        }
    }

    /// Tasks now and at most (`-1`: no limit).
    public record Pids(long current, long limit) {}

    /// One counter of one block device; `op` is Read, Write, Sync, Async, Discard or Total.
    public record BlockIo(long major, long minor, String op, long bytes, long operations) {}
}
