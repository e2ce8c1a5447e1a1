package carafe.network;

import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The ends on the host of containers that went and whose links are removed in the background: their addresses may be
/// another's at once. Safe for several threads; never blocks for long.
final class Dying {

    private final Map<String, Set<String>> links = new ConcurrentHashMap<>(); // by #seats

    /// This place is given up; its link goes later.
    void add(Endpoint endpoint) {
        String link = endpoint.hostLink();
        if (!link.isEmpty()) {
            seats(endpoint).forEach(seat -> links.compute(seat, (_, before) -> before == null
                    ? Set.of(link)
                    : Stream.concat(before.stream(), Stream.of(link)).collect(Collectors.toUnmodifiableSet())));
        }
    }

    /// The link of this place is no more.
    void gone(Endpoint endpoint) {
        silenced(endpoint, List.of(endpoint.hostLink()));
    }

    /// These links, found [before][#before] `endpoint`, answer to nothing any more.
    void silenced(Endpoint endpoint, List<String> those) {
        seats(endpoint).forEach(seat -> links.computeIfPresent(seat, (_, before) -> {
            var others = before.stream().filter(link -> !those.contains(link)).collect(Collectors.toUnmodifiableSet());
            return others.isEmpty() ? null : others;
        }));
    }

    /// The links of those who had an address of this place before, IP or hardware, and would answer in the newcomer's stead.
    List<String> before(Endpoint endpoint) {
        return seats(endpoint).flatMap(seat -> links.getOrDefault(seat, Set.of()).stream()).distinct().toList();
    }

    private static Stream<String> seats(Endpoint endpoint) {
        var own = Stream.concat(endpoint.four().stream(), endpoint.six().stream()).map(Cidr.Host::address);
        var addresses = Stream.concat(own, endpoint.linkLocal().stream()).map(IpAddress::toString);
        return Stream.concat(addresses, Stream.of(endpoint.mac().toString())).map(seat -> endpoint.networkId() + " " + seat);
    }
}
