package carafe.network;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;

/// The ends on the host of containers that went and whose links are removed in the background: their addresses may be
/// another's at once. Safe for several threads; never blocks.
final class Dying {

    private final ConcurrentMap<String, String> links = new ConcurrentHashMap<>(); // by #seats

    /// This place is given up; its link goes later.
    void add(Endpoint endpoint) {
        if (!endpoint.hostLink().isEmpty()) {
            seats(endpoint).forEach(seat -> links.put(seat, endpoint.hostLink()));
        }
    }

    /// These links are no more.
    void gone(List<String> hostLinks) {
        links.values().removeAll(hostLinks);
    }

    /// The links of those who had an address of this place before, and would answer in the newcomer's stead.
    List<String> before(Endpoint endpoint) {
        return seats(endpoint).map(links::get).flatMap(link -> Optional.ofNullable(link).stream()).distinct().toList();
    }

    private static Stream<String> seats(Endpoint endpoint) {
        return Stream.concat(endpoint.four().stream(), endpoint.six().stream())
                .map(host -> endpoint.networkId() + " " + host.address());
    }
}
