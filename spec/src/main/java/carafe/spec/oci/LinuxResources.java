package carafe.spec.oci;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The limits of a container's control group; what is empty is left as the kernel makes it.
/// Source: runtime-spec 1.2 config-linux.md#control-groups.
public record LinuxResources(
        List<DeviceRule> devices,
        Memory memory,
        Cpu cpu,
        Optional<Long> pidsLimit,
        BlockIo blockIo,
        List<HugepageLimit> hugepageLimits,
        Map<String, String> unified) {

    /// Nothing limited.
    public static final LinuxResources NONE = new LinuxResources(
            List.of(), Memory.NONE, Cpu.NONE, Optional.empty(), BlockIo.NONE, List.of(), Map.of());

    public LinuxResources {
        devices = List.copyOf(devices);
        hugepageLimits = List.copyOf(hugepageLimits);
        unified = Collections.unmodifiableMap(new LinkedHashMap<>(unified));
    }

    /// One rule of the device allow-list, applied in order. `type` is `a`, `b` or `c`; empty numbers stand for all.
    public record DeviceRule(
            boolean allow, String type, Optional<Long> major, Optional<Long> minor, String access) {}

    /// Memory in bytes; `-1` is unlimited. `swap` counts memory and swap together.
    public record Memory(
            Optional<Long> limit,
            Optional<Long> reservation,
            Optional<Long> swap,
            Optional<Long> swappiness,
            boolean disableOomKiller) {

        /// Nothing limited.
        public static final Memory NONE =
                new Memory(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), false);
    }

    /// Processor time: `quota` of `period` in microseconds, relative `shares` (1024 is one), processors and nodes
    /// as lists (`0-2,7`).
    public record Cpu(
            Optional<Long> shares,
            Optional<Long> quota,
            Optional<Long> period,
            Optional<Long> realtimeRuntime,
            Optional<Long> realtimePeriod,
            String cpus,
            String mems) {

        /// Nothing limited.
        public static final Cpu NONE = new Cpu(
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), "", "");
    }

    /// Block devices: a weight (10 to 1000) and rates per device.
    public record BlockIo(
            Optional<Long> weight,
            List<DeviceRate> weightDevice,
            List<DeviceRate> throttleReadBps,
            List<DeviceRate> throttleWriteBps,
            List<DeviceRate> throttleReadIops,
            List<DeviceRate> throttleWriteIops) {

        /// Nothing limited.
        public static final BlockIo NONE =
                new BlockIo(Optional.empty(), List.of(), List.of(), List.of(), List.of(), List.of());

        public BlockIo {
            weightDevice = List.copyOf(weightDevice);
            throttleReadBps = List.copyOf(throttleReadBps);
            throttleWriteBps = List.copyOf(throttleWriteBps);
            throttleReadIops = List.copyOf(throttleReadIops);
            throttleWriteIops = List.copyOf(throttleWriteIops);
        }
    }

    /// A rate (bytes or operations a second) or a weight for one device.
    public record DeviceRate(long major, long minor, long rate) {}

    /// A limit in bytes for pages of one size (`2MB`).
    public record HugepageLimit(String pageSize, long limit) {}

    /// These resources with other device rules.
    public LinuxResources withDevices(List<DeviceRule> rules) {
        return new LinuxResources(rules, memory, cpu, pidsLimit, blockIo, hugepageLimits, unified);
    }

    /// Reads the section `resources`.
    public static LinuxResources fromJson(Json.Obj json) throws EngineException.Invalid {
        var devices = new ArrayList<DeviceRule>();
        for (var rule : json.objects("devices")) {
            devices.add(new DeviceRule(
                    rule.truth("allow"),
                    rule.text("type", "a"),
                    rule.number("major"),
                    rule.number("minor"),
                    rule.text("access", "rwm")));
        }
        var memory = json.object("memory");
        var cpu = json.object("cpu");
        var hugepages = new ArrayList<HugepageLimit>();
        for (var limit : json.objects("hugepageLimits")) {
            hugepages.add(new HugepageLimit(limit.text("pageSize"), limit.number("limit", 0)));
        }
        return new LinuxResources(
                devices,
                new Memory(
                        memory.number("limit"),
                        memory.number("reservation"),
                        memory.number("swap"),
                        memory.number("swappiness"),
                        memory.truth("disableOOMKiller")),
                new Cpu(
                        cpu.number("shares"),
                        cpu.number("quota"),
                        cpu.number("period"),
                        cpu.number("realtimeRuntime"),
                        cpu.number("realtimePeriod"),
                        cpu.text("cpus"),
                        cpu.text("mems")),
                json.object("pids").number("limit"),
                blockIo(json.object("blockIO")),
                hugepages,
                json.textMap("unified"));
    }

    /// These resources as the section `resources`.
    public Json.Obj toJson() {
        return new Fields()
                .putAll("devices", devices, LinuxResources::json)
                .put("memory", new Fields()
                        .put("limit", memory.limit)
                        .put("reservation", memory.reservation)
                        .put("swap", memory.swap)
                        .put("swappiness", memory.swappiness)
                        .put("disableOOMKiller", memory.disableOomKiller)
                        .build())
                .put("cpu", new Fields()
                        .put("shares", cpu.shares)
                        .put("quota", cpu.quota)
                        .put("period", cpu.period)
                        .put("realtimeRuntime", cpu.realtimeRuntime)
                        .put("realtimePeriod", cpu.realtimePeriod)
                        .put("cpus", cpu.cpus)
                        .put("mems", cpu.mems)
                        .build())
                .put("pids", new Fields().put("limit", pidsLimit).build())
                .put("blockIO", new Fields()
                        .put("weight", blockIo.weight)
                        .putAll("weightDevice", blockIo.weightDevice, rate -> json(rate, "weight"))
                        .putAll("throttleReadBpsDevice", blockIo.throttleReadBps, rate -> json(rate, "rate"))
                        .putAll("throttleWriteBpsDevice", blockIo.throttleWriteBps, rate -> json(rate, "rate"))
                        .putAll("throttleReadIOPSDevice", blockIo.throttleReadIops, rate -> json(rate, "rate"))
                        .putAll("throttleWriteIOPSDevice", blockIo.throttleWriteIops, rate -> json(rate, "rate"))
                        .build())
                .putAll("hugepageLimits", hugepageLimits, limit -> Json.object()
                        .put("pageSize", limit.pageSize)
                        .put("limit", limit.limit)
                        .build())
                .put("unified", unified)
                .build();
    }

    private static BlockIo blockIo(Json.Obj json) throws EngineException.Invalid {
        return new BlockIo(
                json.number("weight"),
                rates(json, "weightDevice", "weight"),
                rates(json, "throttleReadBpsDevice", "rate"),
                rates(json, "throttleWriteBpsDevice", "rate"),
                rates(json, "throttleReadIOPSDevice", "rate"),
                rates(json, "throttleWriteIOPSDevice", "rate"));
    }

    private static List<DeviceRate> rates(Json.Obj json, String key, String value) throws EngineException.Invalid {
        var rates = new ArrayList<DeviceRate>();
        for (var rate : json.objects(key)) {
            rates.add(new DeviceRate(rate.number("major", 0), rate.number("minor", 0), rate.number(value, 0)));
        }
        return rates;
    }

    private static Json json(DeviceRate rate, String value) {
        return Json.object()
                .put("major", rate.major)
                .put("minor", rate.minor)
                .put(value, rate.rate)
                .build();
    }

    private static Json json(DeviceRule rule) {
        return new Fields()
                .always("allow", Json.of(rule.allow))
                .put("type", rule.type)
                .put("major", rule.major)
                .put("minor", rule.minor)
                .put("access", rule.access)
                .build();
    }
}
