package carafe.spec.build;

import java.util.List;

/// What every program of a build may use, and the names it knows beside the resolver's (`name:address`). Zero and empty
/// mean no limit.
public record BuildLimits(long memoryBytes, long swapBytes, Cpu cpu, long shmBytes, String cgroupParent,
        List<String> extraHosts, List<Ulimit> ulimits) {

    /// A limit of every process (setrlimit(2)), -1 for none.
    public record Ulimit(String name, long soft, long hard) {}

    /// Processor time and places.
    public record Cpu(long shares, long periodMicros, long quotaMicros, String cpus, String memoryNodes) {
        /// No limit.
        public static final Cpu NONE = new Cpu(0, 0, 0, "", "");
    }

    /// No limit at all.
    public static final BuildLimits NONE = new BuildLimits(0, 0, Cpu.NONE, 0, "", List.of(), List.of());

    public BuildLimits {
        extraHosts = List.copyOf(extraHosts);
        ulimits = List.copyOf(ulimits);
    }
}
