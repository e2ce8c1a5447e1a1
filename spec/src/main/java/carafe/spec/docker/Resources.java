package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The limits of a container. Bytes and counts; 0 is "no limit" unless a component is optional.
public record Resources(
        Memory memory, Cpu cpu, BlockIo blockIo, Optional<Long> pids, List<Ulimit> ulimits, Devices devices,
        String cgroupParent) {

    /// The fields of a host configuration that this reads; `update` changes these.
    static final List<String> KEYS = List.of(
            "CpuShares", "Memory", "NanoCpus", "CgroupParent", "BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps",
            "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps", "CpuPeriod", "CpuQuota",
            "CpuRealtimePeriod", "CpuRealtimeRuntime", "CpusetCpus", "CpusetMems", "MemoryReservation", "MemorySwap",
            "MemorySwappiness", "OomKillDisable", "PidsLimit");
    private static final long LEAST_MEMORY = 6L << 20;

    /// `swapBytes` is memory and swap together, −1 unlimited, 0 the default (twice the memory).
    public record Memory(
            long limitBytes,
            long swapBytes,
            long reservationBytes,
            Optional<Long> swappiness,
            boolean disableOomKiller) {}

    /// `quotaMicros` per `periodMicros`; a share given as nano CPUs is already turned into these two.
    public record Cpu(
            long shares, long periodMicros, long quotaMicros, long nanoCpus, String cpus, String memoryNodes) {}

    /// Weight 10..1000 of block I/O, and rates per device.
    public record BlockIo(
            int weight, List<Rate> readBytes, List<Rate> writeBytes, List<Rate> readOps, List<Rate> writeOps) {
        public BlockIo {
            readBytes = List.copyOf(readBytes);
            writeBytes = List.copyOf(writeBytes);
            readOps = List.copyOf(readOps);
            writeOps = List.copyOf(writeOps);
        }
    }

    /// A rate per second on one block device of the host.
    public record Rate(String path, long perSecond) {}

    /// A resource limit by its name in lower case without RLIMIT_ (`nofile`); −1 unlimited.
    public record Ulimit(String name, long soft, long hard) {
        private static final List<String> KNOWN = List.of(
                "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
                "rtprio", "rttime", "sigpending", "stack", "as");

        /// Reads and checks one as clients write it.
        public static Ulimit read(Json.Obj document) throws EngineException.Invalid {
            var ulimit = new Ulimit(document.text("Name"), document.number("Soft", 0), document.number("Hard", 0));
            if (!KNOWN.contains(ulimit.name)) {
                throw new EngineException.Invalid("invalid ulimit type: " + ulimit.name);
            }
            if (ulimit.hard != -1 && (ulimit.soft == -1 || ulimit.soft > ulimit.hard)) {
                throw new EngineException.Invalid("ulimit soft limit must be less than or equal to hard limit: "
                        + ulimit.soft + " > " + ulimit.hard);
            }
            return ulimit;
        }
    }

    /// Device nodes of the host to show inside, and raw rules (`c 1:3 rwm`).
    public record Devices(List<Device> nodes, List<String> rules, boolean requestsGpus) {
        public Devices {
            nodes = List.copyOf(nodes);
            rules = List.copyOf(rules);
        }
    }

    /// One device: host path, container path, and any of r, w, m.
    public record Device(String hostPath, String containerPath, String permissions) {}

    public Resources {
        ulimits = List.copyOf(ulimits);
    }

    static Resources parse(Json.Obj document) throws EngineException.Invalid {
        var pids = document.number("PidsLimit").filter(limit -> limit > 0);
        return new Resources(
                memory(document),
                cpu(document),
                blockIo(document),
                pids,
                ulimits(document),
                devices(document),
                document.text("CgroupParent"));
    }

    private static Memory memory(Json.Obj document) throws EngineException.Invalid {
        long limit = document.number("Memory", 0);
        long swap = document.number("MemorySwap", 0);
        long reservation = document.number("MemoryReservation", 0);
        var swappiness = document.number("MemorySwappiness").filter(value -> value != -1);
        if (limit != 0 && limit < LEAST_MEMORY) {
            throw new EngineException.Invalid("Minimum memory limit allowed is 6MB");
        }
        if (limit > 0 && swap > 0 && swap < limit) {
            throw new EngineException.Invalid(
                    "Minimum memoryswap limit should be larger than memory limit, see usage");
        }
        if (limit == 0 && swap > 0) {
            throw new EngineException.Invalid(
                    "You should always set the Memory limit when using Memoryswap limit, see usage");
        }
        if (swappiness.isPresent() && (swappiness.get() < 0 || swappiness.get() > 100)) {
            throw new EngineException.Invalid(
                    "Invalid value: " + swappiness.get() + ", valid memory swappiness range is 0-100");
        }
        if (reservation != 0 && reservation < LEAST_MEMORY) {
            throw new EngineException.Invalid("Minimum memory reservation allowed is 6MB");
        }
        if (limit > 0 && reservation > 0 && limit < reservation) {
            throw new EngineException.Invalid(
                    "Minimum memory limit can not be less than memory reservation limit, see usage");
        }
        return new Memory(limit, swap, reservation, swappiness, document.truth("OomKillDisable"));
    }

    private static Cpu cpu(Json.Obj document) throws EngineException.Invalid {
        long nano = document.number("NanoCpus", 0);
        long period = document.number("CpuPeriod", 0);
        long quota = document.number("CpuQuota", 0);
        long shares = document.number("CpuShares", 0);
        if (nano > 0 && period > 0) {
            throw new EngineException.Invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set");
        }
        if (nano > 0 && quota > 0) {
            throw new EngineException.Invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        }
        if (shares < 0) {
            throw new EngineException.Invalid("invalid CPU shares (" + shares + "): value must be a positive integer");
        }
        if (period != 0 && (period < 1000 || period > 1_000_000)) {
            throw new EngineException.Invalid(
                    "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        }
        if (quota > 0 && quota < 1000) {
            throw new EngineException.Invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)");
        }
        String cpus = document.text("CpusetCpus");
        String nodes = document.text("CpusetMems");
        if (!cpus.matches("[0-9,-]*")) {
            throw new EngineException.Invalid("Invalid value " + cpus + " for cpuset cpus");
        }
        if (!nodes.matches("[0-9,-]*")) {
            throw new EngineException.Invalid("Invalid value " + nodes + " for cpuset mems");
        }
        return nano != 0
                ? new Cpu(shares, 100_000, nano / 10_000, nano, cpus, nodes)
                : new Cpu(shares, period, quota, 0, cpus, nodes);
    }

    private static BlockIo blockIo(Json.Obj document) throws EngineException.Invalid {
        long weight = document.number("BlkioWeight", 0);
        if (weight != 0 && (weight < 10 || weight > 1000)) {
            throw new EngineException.Invalid("Range of blkio weight is from 10 to 1000");
        }
        return new BlockIo(
                (int) weight,
                rates(document, "BlkioDeviceReadBps"),
                rates(document, "BlkioDeviceWriteBps"),
                rates(document, "BlkioDeviceReadIOps"),
                rates(document, "BlkioDeviceWriteIOps"));
    }

    private static List<Rate> rates(Json.Obj document, String key) throws EngineException.Invalid {
        var rates = new ArrayList<Rate>();
        for (var rate : document.objects(key)) {
            rates.add(new Rate(rate.text("Path"), rate.number("Rate", 0)));
        }
        return rates;
    }

    private static List<Ulimit> ulimits(Json.Obj document) throws EngineException.Invalid {
        var ulimits = new ArrayList<Ulimit>();
        for (var each : document.objects("Ulimits")) {
            ulimits.add(Ulimit.read(each));
        }
        return ulimits;
    }

    private static Devices devices(Json.Obj document) throws EngineException.Invalid {
        var nodes = new ArrayList<Device>();
        for (var each : document.objects("Devices")) {
            String host = each.text("PathOnHost");
            String inside = each.text("PathInContainer", host);
            String permissions = each.text("CgroupPermissions");
            if (!host.startsWith("/") || !inside.isEmpty() && !inside.startsWith("/")) {
                throw new EngineException.Invalid("invalid device path: \"" + host + ":" + inside + "\"");
            }
            if (!permissions.matches("[rwm]{0,3}")) {
                throw new EngineException.Invalid("invalid device mode: " + permissions);
            }
            nodes.add(new Device(host, inside.isEmpty() ? host : inside, permissions.isEmpty() ? "rwm" : permissions));
        }
        var rules = document.texts("DeviceCgroupRules");
        for (var rule : rules) {
            if (!rule.matches("[acb] ([0-9]+|\\*):([0-9]+|\\*) [rwm]{1,3}")) {
                throw new EngineException.Invalid("invalid device cgroup rule format: '" + rule + "'");
            }
        }
        return new Devices(nodes, rules, !document.list("DeviceRequests").isEmpty());
    }
}
