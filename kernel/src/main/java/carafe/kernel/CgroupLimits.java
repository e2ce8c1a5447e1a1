package carafe.kernel;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/// What a cgroup may use; an empty field is left as the kernel has it. Numbers are those of cgroup v1 and of Docker's
/// API (shares, not weight); [Cgroups] converts. `memorySwapBytes` is memory and swap together, -1 for no limit of
/// either limit; `pids` of -1 is no limit. `hugePages` maps a page size (`2MB`) to bytes, `unified` a file of cgroup v2
/// to its content.
public record CgroupLimits(OptionalLong memoryBytes, OptionalLong memorySwapBytes, OptionalLong reservationBytes,
        OptionalInt swappiness, boolean oomKillDisable,
        OptionalLong cpuShares, OptionalLong cpuQuotaMicros, OptionalLong cpuPeriodMicros,
        String cpusetCpus, String cpusetMems, OptionalLong pids,
        OptionalInt blkioWeight, List<Throttle> throttles,
        Map<String, Long> hugePages, Map<String, String> unified) {

    /// No limit at all.
    public static final CgroupLimits NONE = new Builder().build();

    public CgroupLimits {
        throttles = List.copyOf(throttles);
        hugePages = Map.copyOf(hugePages);
        unified = Map.copyOf(unified);
    }

    /// A bound on one block device's rate, per second; `kind` says in what.
    public record Throttle(Kind kind, long major, long minor, long perSecond) {

        /// What is bounded.
        public enum Kind { READ_BYTES, WRITE_BYTES, READ_OPERATIONS, WRITE_OPERATIONS }
    }

    /// Starts with no limit.
    public static Builder builder() {
        return new Builder();
    }

    /// Collects limits one by one.
    public static final class Builder {
        private OptionalLong memoryBytes = OptionalLong.empty();
        private OptionalLong memorySwapBytes = OptionalLong.empty();
        private OptionalLong reservationBytes = OptionalLong.empty();
        private OptionalInt swappiness = OptionalInt.empty();
        private boolean oomKillDisable;
        private OptionalLong cpuShares = OptionalLong.empty();
        private OptionalLong cpuQuotaMicros = OptionalLong.empty();
        private OptionalLong cpuPeriodMicros = OptionalLong.empty();
        private String cpusetCpus = "";
        private String cpusetMems = "";
        private OptionalLong pids = OptionalLong.empty();
        private OptionalInt blkioWeight = OptionalInt.empty();
        private List<Throttle> throttles = List.of();
        private Map<String, Long> hugePages = Map.of();
        private final Map<String, String> unified = new TreeMap<>();

        private Builder() {}

        /// Memory in bytes; -1 for no limit.
        public Builder memory(long bytes) {
            memoryBytes = OptionalLong.of(bytes);
            return this;
        }

        /// Memory and swap together in bytes; -1 for no limit.
        public Builder memorySwap(long bytes) {
            memorySwapBytes = OptionalLong.of(bytes);
            return this;
        }

        /// What is protected from reclaim as long as others have more.
        public Builder reservation(long bytes) {
            reservationBytes = OptionalLong.of(bytes);
            return this;
        }

        /// How eagerly anonymous memory is swapped, 0 to 100 (cgroup v1 only).
        public Builder swappiness(int percent) {
            swappiness = OptionalInt.of(percent);
            return this;
        }

        /// Whether processes wait instead of being killed when memory is short (cgroup v1 only).
        public Builder oomKillDisable(boolean disable) {
            oomKillDisable = disable;
            return this;
        }

        /// The share of a contended processor, 2 to 262144, 1024 being everybody's default.
        public Builder cpuShares(long shares) {
            cpuShares = OptionalLong.of(shares);
            return this;
        }

        /// At most `quotaMicros` of processor time in `periodMicros`; a quota of -1 is no limit.
        public Builder cpuQuota(long quotaMicros, long periodMicros) {
            cpuQuotaMicros = OptionalLong.of(quotaMicros);
            cpuPeriodMicros = OptionalLong.of(periodMicros);
            return this;
        }

        /// Which processors and memory nodes, `0-2,4`; empty for all.
        public Builder cpuset(String cpus, String mems) {
            cpusetCpus = cpus;
            cpusetMems = mems;
            return this;
        }

        /// The most processes and threads; -1 for no limit.
        public Builder pids(long most) {
            pids = OptionalLong.of(most);
            return this;
        }

        /// The share of contended block devices, 10 to 1000.
        public Builder blkioWeight(int weight) {
            blkioWeight = OptionalInt.of(weight);
            return this;
        }

        /// Bounds on single devices.
        public Builder throttles(List<Throttle> bounds) {
            throttles = bounds;
            return this;
        }

        /// Bytes of huge pages by page size, `2MB`.
        public Builder hugePages(Map<String, Long> bytesBySize) {
            hugePages = bytesBySize;
            return this;
        }

        /// A file of cgroup v2 and its content, as the OCI specification's `unified` has them.
        public Builder unified(String file, String content) {
            unified.put(file, content);
            return this;
        }

        /// The limits collected so far.
        public CgroupLimits build() {
            return new CgroupLimits(memoryBytes, memorySwapBytes, reservationBytes, swappiness, oomKillDisable,
                    cpuShares, cpuQuotaMicros, cpuPeriodMicros, cpusetCpus, cpusetMems, pids, blkioWeight, throttles,
                    hugePages, unified);
        }
    }
}
