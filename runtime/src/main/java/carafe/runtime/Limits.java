package carafe.runtime;

import carafe.kernel.CgroupLimits;
import carafe.kernel.CgroupLimits.Throttle;
import carafe.kernel.DeviceRule;
import carafe.spec.oci.LinuxResources;
import carafe.spec.oci.LinuxResources.DeviceRate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;

/// The resources of a configuration in the kernel room's words.
final class Limits {

    private static final long DEFAULT_PERIOD_MICROS = 100_000;

    private Limits() {}

    static CgroupLimits of(LinuxResources resources) {
        var limits = CgroupLimits.builder();
        var memory = resources.memory();
        memory.limit().ifPresent(limits::memory);
        memory.swap().ifPresent(limits::memorySwap);
        memory.reservation().ifPresent(limits::reservation);
        memory.swappiness().ifPresent(percent -> limits.swappiness(percent.intValue()));
        limits.oomKillDisable(memory.disableOomKiller());
        var cpu = resources.cpu();
        cpu.shares().filter(shares -> shares > 0).ifPresent(limits::cpuShares);
        if (cpu.quota().isPresent() || cpu.period().isPresent()) {
            limits.cpuQuota(cpu.quota().filter(quota -> quota != 0).orElse(-1L),
                    cpu.period().filter(period -> period > 0).orElse(DEFAULT_PERIOD_MICROS));
        }
        limits.cpuset(cpu.cpus(), cpu.mems());
        resources.pidsLimit().ifPresent(most -> limits.pids(most <= 0 ? -1 : most));
        resources.blockIo().weight().filter(weight -> weight > 0).ifPresent(weight ->
                limits.blkioWeight(weight.intValue()));
        var throttles = new ArrayList<Throttle>();
        add(throttles, Throttle.Kind.READ_BYTES, resources.blockIo().throttleReadBps());
        add(throttles, Throttle.Kind.WRITE_BYTES, resources.blockIo().throttleWriteBps());
        add(throttles, Throttle.Kind.READ_OPERATIONS, resources.blockIo().throttleReadIops());
        add(throttles, Throttle.Kind.WRITE_OPERATIONS, resources.blockIo().throttleWriteIops());
        limits.throttles(throttles);
        var hugePages = new HashMap<String, Long>();
        resources.hugepageLimits().forEach(limit -> hugePages.put(limit.pageSize(), limit.limit()));
        limits.hugePages(hugePages);
        resources.unified().forEach(limits::unified);
        return limits.build();
    }

    private static void add(List<Throttle> all, Throttle.Kind kind, List<DeviceRate> rates) {
        rates.forEach(rate -> all.add(new Throttle(kind, rate.major(), rate.minor(), rate.rate())));
    }

    static List<DeviceRule> devices(LinuxResources resources) throws StartFailure {
        var rules = new ArrayList<DeviceRule>();
        for (var rule : resources.devices()) {
            var kind = switch (rule.type()) {
                case "c" -> DeviceRule.Kind.CHARACTER;
                case "b" -> DeviceRule.Kind.BLOCK;
                case "a", "" -> DeviceRule.Kind.ALL;
                default -> throw Checks.invalid("invalid device type \"" + rule.type() + "\"");
            };
            try {
                rules.add(new DeviceRule(
                        rule.allow(), kind, rule.major().orElse(-1L), rule.minor().orElse(-1L), rule.access()));
            } catch (IllegalArgumentException e) {
                throw Checks.invalid("invalid device rule: " + e.getMessage());
            }
        }
        return rules;
    }
}
