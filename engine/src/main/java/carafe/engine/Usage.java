package carafe.engine;

import carafe.runtime.ContainerStats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Turns the runtime's counters into a [UsageSample].
final class Usage {
    private static final long NANOS_PER_TICK = 10_000_000; // USER_HZ is 100 on every Linux we run on

    private Usage() {}

    static UsageSample sample(ContainerStats stats, int processors, Map<String, UsageSample.Traffic> networks) {
        var cpu = stats.cpu();
        var memory = stats.memory();
        long read = 0;
        long written = 0;
        for (var io : stats.blockIo()) {
            switch (io.op()) {
                case "Read" -> read += io.bytes();
                case "Write" -> written += io.bytes();
                default -> { }
            }
        }
        return new UsageSample(
                stats.read(),
                new UsageSample.Cpu(
                        cpu.totalNanos(),
                        cpu.userNanos(),
                        cpu.systemNanos(),
                        hostNanos(),
                        processors,
                        new UsageSample.Throttling(cpu.periods(), cpu.throttledPeriods(), cpu.throttledNanos())),
                new UsageSample.Memory(memory.usageBytes(), memory.maxUsageBytes(), memory.limitBytes()),
                new UsageSample.Pids(stats.pids().current(), Math.max(0, stats.pids().limit())),
                new UsageSample.BlockIo(read, written),
                memory.detail(),
                networks);
    }

    /// All time the host's processors have counted, idle included. Source: proc_stat(5).
    private static long hostNanos() {
        try (var lines = Files.lines(Path.of("/proc/stat"))) {
            String[] fields = lines.findFirst().orElse("cpu").split("\\s+");
            long ticks = 0;
            for (int index = 1; index < Math.min(fields.length, 8); index++) {
                ticks += Long.parseLong(fields[index]);
            }
            return ticks * NANOS_PER_TICK;
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }
}
