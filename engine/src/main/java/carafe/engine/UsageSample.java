package carafe.engine;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a container used up to `readAt`: nanoseconds of CPU, bytes, counts. `memoryDetail` is the kernel's memory.stat,
/// `networks` what passed its interfaces, by name.
public record UsageSample(
        Instant readAt, Cpu cpu, Memory memory, Pids pids, BlockIo blockIo, Map<String, Long> memoryDetail,
        Map<String, Traffic> networks) {

    /// Nanoseconds used in all, in user mode, in kernel mode; of the whole host; how often and how long throttled.
    public record Cpu(long totalNanos, long userNanos, long kernelNanos, long hostNanos, int onlineCpus,
            Throttling throttling) {}

    /// Periods that passed, that were throttled, and for how long.
    public record Throttling(long periods, long throttled, long throttledNanos) {}

    /// Bytes used, most ever used (0 where the kernel does not say), the limit.
    public record Memory(long usedBytes, long peakBytes, long limitBytes) {}

    /// Processes and threads now, and the limit (0: none).
    public record Pids(long current, long limit) {}

    /// Bytes read and written.
    public record BlockIo(long readBytes, long writtenBytes) {}

    /// What passed one interface, in and out.
    public record Traffic(Flow in, Flow out) {}

    /// Counts of one direction.
    public record Flow(long bytes, long packets, long errors, long dropped) {}

    public UsageSample {
        networks = Collections.unmodifiableMap(new LinkedHashMap<>(networks));
        memoryDetail = Map.copyOf(memoryDetail);
    }
}
