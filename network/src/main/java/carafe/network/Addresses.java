package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/// Which addresses of which network are given out: the owner of that fact while the engine runs. After a restart it is
/// recomputed from the notes of the containers that run.
final class Addresses {

    private final ConcurrentMap<String, List<AddressPool>> pools = new ConcurrentHashMap<>();
    private final Others others;

    /// `others` are asked each time that somebody joins.
    Addresses(Others others) {
        this.others = others;
    }

    /// Who says what others than containers have in a network: the link of the host's that it is on.
    interface Others {
        Set<IpAddress> in(Network network) throws EngineException;
    }

    /// Knows the network's subnets from now on; what was given out stays given out while the subnets are the same.
    void add(Network network) {
        pools.compute(network.id(), (_, before) -> {
            var subnets = network.addressing().subnets();
            boolean same = before != null && before.stream().map(AddressPool::subnet).toList().equals(subnets);
            return same ? before : subnets.stream().map(AddressPool::new).toList();
        });
    }

    void remove(String networkId) {
        pools.remove(networkId);
    }

    /// Its pools.
    List<AddressPool> of(String networkId) {
        return pools.getOrDefault(networkId, List.of());
    }

    /// Takes an address of the family for somebody who joins: the one wanted, or the next free one; empty where the
    /// network has none of this family.
    Optional<Cidr.Host> take(Network network, boolean six, Optional<IpAddress> wanted) throws EngineException {
        var family = of(network.id()).stream().filter(pool -> pool.subnet().six() == six).toList();
        var foreign = family.isEmpty() ? Set.<IpAddress>of() : others.in(network);
        if (wanted.isPresent()) {
            return Optional.of(takeWanted(network, family, wanted.get(), foreign));
        }
        for (var pool : family) {
            var address = pool.take(foreign);
            if (address.isPresent()) {
                return Optional.of(new Cidr.Host(address.get(), pool.subnet().range().prefix()));
            }
        }
        if (family.isEmpty()) {
            return Optional.empty();
        }
        throw new EngineException.Unavailable("no available " + (six ? "IPv6" : "IPv4") + " addresses on network "
                + network.name() + ": all of " + ranges(family) + " are in use");
    }

    private static Cidr.Host takeWanted(Network network, List<AddressPool> family, IpAddress wanted,
            Set<IpAddress> foreign) throws EngineException {
        for (var pool : family) {
            if (pool.subnet().range().contains(wanted)) {
                if (!pool.usable(wanted) || foreign.contains(wanted) || !pool.take(wanted)) {
                    throw new EngineException.Forbidden("Address already in use");
                }
                return new Cidr.Host(wanted, pool.subnet().range().prefix());
            }
        }
        throw network.without(wanted);
    }

    private static String ranges(List<AddressPool> pools) {
        var texts = new ArrayList<String>();
        pools.forEach(pool -> texts.add(pool.subnet().allocation().orElse(pool.subnet().range()).toString()));
        return String.join(", ", texts);
    }

    /// Takes what an endpoint has, for one that exists already: nothing, and false, if another has some of it.
    boolean retake(Endpoint endpoint) {
        var taken = new ArrayList<Runnable>();
        var refused = new ArrayList<IpAddress>();
        each(endpoint, (pool, address) -> {
            if (pool.take(address)) {
                taken.add(() -> pool.free(address));
            } else {
                refused.add(address);
            }
        });
        if (!refused.isEmpty()) {
            taken.forEach(Runnable::run);
        }
        return refused.isEmpty();
    }

    /// Gives back what an endpoint has.
    void free(Endpoint endpoint) {
        each(endpoint, AddressPool::free);
    }

    /// Each of its addresses, with the pool whose range it lies in.
    private void each(Endpoint endpoint, BiConsumer<AddressPool, IpAddress> action) {
        for (var pool : of(endpoint.networkId())) {
            Stream.concat(endpoint.four().stream(), endpoint.six().stream())
                    .map(Cidr.Host::address)
                    .filter(pool.subnet().range()::contains)
                    .forEach(address -> action.accept(pool, address));
        }
    }
}
