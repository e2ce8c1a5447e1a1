package carafe.runtime;

import carafe.kernel.Capabilities;
import java.util.List;
import java.util.Map;

/// What a plan must know of the host; read once per start by [HostProbe], so that planning itself stays pure.
/// `kernelPaths` says what the maskable paths below /proc and /sys are here; a path not in it does not exist.
/// `limits` are the resource limits that a new process inherits; `mayRaise` is CAP_SYS_RESOURCE, without which hard
/// limits and oom_score_adj only go down. `capabilities` has a bit for each that this process can hand on.
record HostFacts(
        CgroupLayout cgroups,
        Map<String, PathKind> kernelPaths,
        Map<Integer, Limit> limits,
        boolean mayRaise,
        int oomScore,
        long capabilities) {

    HostFacts {
        kernelPaths = Map.copyOf(kernelPaths);
        limits = Map.copyOf(limits);
    }

    /// The same for a process in a user namespace of its own: it has every capability there, and none to raise limits.
    HostFacts insideUserNamespace() {
        return new HostFacts(cgroups, kernelPaths, limits, false, oomScore,
                Capabilities.mask(StandardContainer.allCapabilities()));
    }

    /// What a path is.
    enum PathKind {
        FILE,
        DIRECTORY
    }

    /// A resource limit; the numbers are unsigned, `-1` is none.
    record Limit(long soft, long hard) {}

    /// How control groups are mounted here.
    sealed interface CgroupLayout {}

    /// One tree for everything.
    record Unified() implements CgroupLayout {}

    /// One tree per controller or group of controllers (`cpu,cpuacct`).
    record Hierarchies(List<String> names) implements CgroupLayout {
        public Hierarchies {
            names = List.copyOf(names);
        }
    }
}
