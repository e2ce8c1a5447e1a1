package carafe.network.dns;

import carafe.network.Endpoint;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Who is who, network by network. A name may be many containers': all their addresses answer, in another order each
/// time. Not safe for threads; its user locks.
final class Names {

    /// One network: its name, and its endpoints by container.
    private record Zone(String network, Map<String, Endpoint> endpoints) {}

    private final Map<String, Zone> zones = new LinkedHashMap<>();

    /// `containerId` is in the network with this endpoint.
    void add(String networkId, String network, String containerId, Endpoint endpoint) {
        zones.computeIfAbsent(networkId, _ -> new Zone(network, new LinkedHashMap<>()))
                .endpoints.put(containerId, endpoint);
    }

    /// The container has other names in the endpoint's network, if it is there.
    void rename(String containerId, Endpoint endpoint) {
        var zone = zones.get(endpoint.networkId());
        if (zone != null) {
            zone.endpoints.computeIfPresent(containerId, (_, _) -> endpoint);
        }
    }

    void remove(String networkId, String containerId) {
        var zone = zones.get(networkId);
        if (zone != null) {
            zone.endpoints.remove(containerId);
            if (zone.endpoints.isEmpty()) {
                zones.remove(networkId);
            }
        }
    }

    /// The networks that the container is in.
    Set<String> networksOf(String containerId) {
        var networks = new TreeSet<String>();
        zones.forEach((id, zone) -> {
            if (zone.endpoints.containsKey(containerId)) {
                networks.add(id);
            }
        });
        return networks;
    }

    /// The addresses of a name, as `containerId` sees it: of the first of its networks that has the name, which may also
    /// be written with the network's own behind a dot. Empty when nobody is called so; a list without any when who is
    /// called so has none of this family.
    Optional<List<IpAddress>> addresses(String containerId, List<String> networks, String name, boolean six) {
        for (var zone : zones(containerId, networks)) {
            var named = named(zone, name);
            String suffix = "." + zone.network.toLowerCase(Locale.ROOT);
            if (named.isEmpty() && name.endsWith(suffix)) {
                named = named(zone, name.substring(0, name.length() - suffix.length()));
            }
            if (!named.isEmpty()) {
                var addresses = new ArrayList<IpAddress>();
                for (var endpoint : named) {
                    (six ? endpoint.six() : endpoint.four()).ifPresent(host -> addresses.add(host.address()));
                }
                Collections.shuffle(addresses);
                return Optional.of(addresses);
            }
        }
        return Optional.empty();
    }

    private static List<Endpoint> named(Zone zone, String name) {
        return zone.endpoints.values().stream()
                .filter(endpoint -> endpoint.names().stream().anyMatch(name::equalsIgnoreCase))
                .toList();
    }

    private Stream<Zone> ofClient(String containerId, List<String> networks) {
        return networks.stream()
                .map(zones::get)
                .filter(zone -> zone != null && zone.endpoints.containsKey(containerId));
    }

    private List<Zone> zones(String containerId, List<String> networks) {
        return ofClient(containerId, networks).toList();
    }

    /// What an address is called in the container's networks, `web.front`.
    Optional<String> name(String containerId, List<String> networks, IpAddress address) {
        return ofClient(containerId, networks)
                .flatMap(zone -> zone.endpoints.values().stream()
                        .filter(endpoint -> has(endpoint, address) && !endpoint.names().isEmpty())
                        .map(endpoint -> endpoint.names().getFirst() + "." + zone.network))
                .findFirst();
    }

    private static boolean has(Endpoint endpoint, IpAddress address) {
        return (address.six() ? endpoint.six() : endpoint.four())
                .filter(host -> host.address().equals(address))
                .isPresent();
    }
}
