package carafe.network;

import carafe.spec.EngineException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/// Who is on the way into which network, and which networks are on the way out: none goes while somebody is in it or
/// comes to it, and nobody comes to one that goes or is gone.
/// Threads: any; the lock of this object guards `coming` and `going`.
final class Arrivals {

    private final Set<String> known;
    private final Map<String, List<String>> coming = new HashMap<>();
    private final Set<String> going = new HashSet<>();

    /// `known` are the ids of the networks that are there: a view, which lacks one before [#gone] is said of it.
    Arrivals(Set<String> known) {
        this.known = known;
    }

    /// A container on its way, until it is closed; by then it is in the networks, or will not be.
    interface Arrival extends AutoCloseable {
        @Override
        void close();
    }

    /// @throws EngineException.NotFound one of the networks goes, or is gone
    synchronized Arrival come(String containerId, Collection<Network> networks) throws EngineException.NotFound {
        for (var network : networks) {
            if (going.contains(network.id()) || !known.contains(network.id())) {
                throw new EngineException.NotFound("network " + network.name() + " not found: it was removed meanwhile,"
                        + " or could not be made when the engine started, whose log says why");
            }
        }
        var ids = networks.stream().map(Network::id).toList();
        ids.forEach(id -> coming.computeIfAbsent(id, _ -> new ArrayList<>()).add(containerId));
        return () -> arrived(containerId, ids);
    }

    private synchronized void arrived(String containerId, List<String> networks) {
        for (String id : networks) {
            coming.computeIfPresent(id, (_, on) -> on.remove(containerId) && on.isEmpty() ? null : on);
        }
    }

    /// Ids of the networks that somebody is on the way into.
    synchronized Set<String> awaited() {
        return Set.copyOf(coming.keySet());
    }

    /// The network goes, until [#gone]; `dwellers` are the ids of the containers that are in it.
    /// @throws EngineException.Forbidden somebody is in it or on the way
    synchronized void go(Network network, Supplier<List<String>> dwellers) throws EngineException.Forbidden {
        var members = new ArrayList<>(coming.getOrDefault(network.id(), List.of()));
        members.addAll(dwellers.get());
        if (!members.isEmpty()) {
            var texts = members.stream().distinct()
                    .map(id -> "id:\"" + id.substring(0, Math.min(id.length(), 12)) + "\"")
                    .toList();
            throw new EngineException.Forbidden("error while removing network: network " + network.name()
                    + " has active endpoints (" + String.join(", ", texts) + ")");
        }
        going.add(network.id());
    }

    /// It is gone, or stays.
    synchronized void gone(String networkId) {
        going.remove(networkId);
    }
}
