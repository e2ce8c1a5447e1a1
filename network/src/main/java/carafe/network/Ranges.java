package carafe.network;

import carafe.network.FabricConfig.PoolRule;
import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Chooses ranges that nobody uses: no network of this engine, no address and no route of the host (which is where other
/// engines' bridges and VPNs show).
final class Ranges {

    /// What Docker gives its default bridge, in its order.
    private static final int FIRST_DEFAULT = 17;
    private static final int LAST_DEFAULT = 31;

    /// Addresses that name no single host of a network, by what they are called.
    private static final Map<Cidr, String> NOBODYS = Map.of(
            new Cidr(IpAddress.four(127L << 24), 8), "loopback",
            new Cidr(IpAddress.four(224L << 24), 4), "multicast",
            new Cidr(IpAddress.four(0xffffffffL), 32), "broadcast",
            new Cidr(new IpAddress(true, 0, 0), 128), "unspecified",
            new Cidr(new IpAddress(true, 0, 1), 128), "loopback",
            new Cidr(new IpAddress(true, 0xffL << 56, 0), 8), "multicast");

    private final List<PoolRule> rules;
    private final String engineId;

    Ranges(List<PoolRule> rules, String engineId) {
        this.rules = rules;
        this.engineId = engineId;
    }

    /// Refuses a range with addresses that no container can have; `subject` begins the sentence.
    static void refuseUnfit(String subject, Cidr range) throws EngineException.Invalid {
        for (var unfit : NOBODYS.entrySet()) {
            if (range.overlaps(unfit.getKey())) {
                throw new EngineException.Invalid(subject + ": the " + unfit.getValue() + " addresses "
                        + unfit.getKey() + " can be nobody's in a network; name a private range, such as "
                        + (range.six() ? "fd00:77::/64" : "10.77.0.0/24"));
            }
        }
    }

    /// Where ranges come from, in this order.
    List<PoolRule> pools() {
        if (rules.stream().anyMatch(rule -> rule.base().six())) {
            return rules;
        }
        var all = new ArrayList<>(rules);
        all.add(new PoolRule(uniqueLocal(), 64));
        return all;
    }

    /// A free range of this family among the pools; if there is none, one that only a route to a whole pool leads to.
    Optional<Cidr> choose(boolean six, NetworkPlanner.Surroundings around) {
        return choose(six, around.all()).or(() -> choose(six, around.certain(pools())));
    }

    Optional<Cidr> choose(boolean six, Collection<Cidr> used) {
        for (var pool : pools()) {
            if (pool.base().six() == six) {
                var found = firstFree(pool.base(), pool.size(), used);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    /// A free range for the default bridge: 172.17.0.0/16 where Docker has it, else the next like it, else any.
    Optional<Cidr> chooseDefault(Collection<Cidr> used) {
        if (rules.equals(FabricConfig.usualPools())) {
            for (int second = FIRST_DEFAULT; second <= LAST_DEFAULT; second++) {
                var candidate = new Cidr(IpAddress.four(172L << 24 | (long) second << 16), 16);
                if (used.stream().noneMatch(candidate::overlaps)) {
                    return Optional.of(candidate);
                }
            }
        }
        return choose(false, used);
    }

    /// Steps over what is in the way, so that a large pool is searched in as many steps as there are used ranges.
    private static Optional<Cidr> firstFree(Cidr base, int size, Collection<Cidr> used) {
        var candidate = Cidr.around(base.base(), size);
        while (base.contains(candidate)) {
            var at = candidate;
            var obstacle = used.stream().filter(at::overlaps).findFirst();
            if (obstacle.isEmpty()) {
                return Optional.of(candidate);
            }
            var behind = obstacle.get().contains(candidate) ? obstacle.get().last() : candidate.last();
            var next = behind.plus(1);
            if (next.compareTo(behind) <= 0) {
                return Optional.empty();
            }
            var rounded = Cidr.around(next, size);
            candidate = rounded.base().equals(next) ? rounded : Cidr.around(rounded.last().plus(1), size);
        }
        return Optional.empty();
    }

    /// The /48 of unique local addresses that is this engine's. Source: RFC 4193.
    private Cidr uniqueLocal() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(engineId.getBytes(StandardCharsets.UTF_8));
            long global = 0;
            for (int i = 0; i < 5; i++) {
                global = global << 8 | digest[i] & 0xff;
            }
            return new Cidr(new IpAddress(true, 0xfdL << 56 | global << 16, 0), 48);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /// What is said when nothing is free; `unused` are networks that nobody is in.
    static EngineException.Unavailable exhausted(boolean six, Collection<String> unused) {
        String sentence = "could not find an available, non-overlapping " + (six ? "IPv6" : "IPv4")
                + " address pool among the defaults to assign to the network";
        return new EngineException.Unavailable(unused.isEmpty()
                ? sentence + "; add ranges to default-address-pools in daemon.json, or name one with --subnet"
                : sentence + "; no container uses " + String.join(", ", unused)
                        + ": \"docker network prune\" gives their ranges back");
    }
}
