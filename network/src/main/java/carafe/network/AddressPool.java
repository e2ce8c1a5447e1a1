package carafe.network;

import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.math.BigInteger;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The addresses of one subnet: which are given out. The lowest free one is the next. Taking and giving back cost the
/// same in a /64 as in a /24: what was never given out is known by one mark, what came back by a sorted set.
/// Threads: any; the lock of this object guards all fields.
final class AddressPool {

    private final Subnet subnet;
    private final Cidr choice;
    private final Set<IpAddress> taken = new HashSet<>();
    private final TreeSet<IpAddress> returned = new TreeSet<>();
    private IpAddress next;

    AddressPool(Subnet subnet) {
        this.subnet = subnet;
        this.choice = subnet.allocation().orElse(subnet.range());
        this.next = choice.base();
        subnet.gateway().ifPresent(taken::add);
        taken.addAll(subnet.auxiliary().values());
    }

    Subnet subnet() {
        return subnet;
    }

    /// The lowest free address that is none of `others`, which somebody else has now; empty when all are given out.
    synchronized Optional<IpAddress> take(Set<IpAddress> others) {
        var passed = new HashSet<IpAddress>();
        try {
            return lowest(others, passed);
        } finally {
            returned.addAll(passed);
        }
    }

    private Optional<IpAddress> lowest(Set<IpAddress> others, Set<IpAddress> passed) {
        while (!returned.isEmpty()) {
            var lowest = returned.pollFirst();
            if (usable(lowest) && others.contains(lowest)) {
                passed.add(lowest);
            } else if (usable(lowest) && taken.add(lowest)) {
                return Optional.of(lowest);
            }
        }
        while (choice.contains(next)) {
            var candidate = next;
            boolean last = candidate.equals(choice.last());
            if (!last) {
                next = next.plus(1);
            }
            if (usable(candidate) && others.contains(candidate)) {
                passed.add(candidate);
            } else if (usable(candidate) && taken.add(candidate)) {
                return Optional.of(candidate);
            }
            if (last) {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    /// Takes this one; false when it is given out already.
    synchronized boolean take(IpAddress address) {
        return taken.add(address);
    }

    /// Gives an address back.
    synchronized void free(IpAddress address) {
        if (taken.remove(address) && choice.contains(address) && address.compareTo(next) <= 0) {
            returned.add(address);
        }
    }

    /// Neither the range's own name nor, in IPv4, its broadcast address; a range of two or one has neither.
    boolean usable(IpAddress address) {
        if (subnet.range().base().bits() - subnet.range().prefix() <= 1) {
            return true;
        }
        boolean broadcast = !address.six() && address.equals(subnet.range().last());
        return !address.equals(subnet.range().base()) && !broadcast;
    }

    /// How many are given out, the gateway and auxiliary ones included.
    synchronized long inUse() {
        return taken.size();
    }

    /// How many can still be chosen, at most 2^53 - 1.
    synchronized long available() {
        var limit = BigInteger.ONE.shiftLeft(53).subtract(BigInteger.ONE);
        long inside = taken.stream().filter(address -> choice.contains(address) && usable(address)).count();
        long unusable = (usable(choice.base()) ? 0 : 1)
                + (choice.size().bitLength() > 1 && !usable(choice.last()) ? 1 : 0);
        return choice.size().subtract(BigInteger.valueOf(inside + unusable)).min(limit).longValueExact();
    }
}
