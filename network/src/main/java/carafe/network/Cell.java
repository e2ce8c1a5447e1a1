package carafe.network;

import carafe.kernel.NetNamespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// A container's place in the fabric while it is open: its namespace and what is attached. Changed by one thread at a
/// time (methods for one container follow one another); `places` is replaced as a whole, so anybody may read it. Who works
/// in the namespace, or plugs its links in, while the container's own thread may be taking it apart does so `alone`, and looks
/// first what is left.
final class Cell {

    /// An endpoint with its network, and the settings of its interface as far as this engine was told them.
    record Place(Network network, Endpoint endpoint, Map<String, String> driverOptions) {

        /// The same with the names that the network's id leads to, if it does.
        Place called(Map<String, List<String>> names) {
            return new Place(network, endpoint.called(names.getOrDefault(network.id(), endpoint.names())), driverOptions);
        }
    }

    private final String containerId;
    private final NetNamespace namespace;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile List<Place> places;
    private volatile List<NetworkStep> steps = List.of();

    Cell(String containerId, NetNamespace namespace, List<Place> places) {
        this.containerId = containerId;
        this.namespace = namespace;
        this.places = List.copyOf(places);
    }

    String containerId() {
        return containerId;
    }

    NetNamespace namespace() {
        return namespace;
    }

    List<Place> places() {
        return places;
    }

    /// How it was opened.
    List<NetworkStep> steps() {
        return steps;
    }

    void steps(List<NetworkStep> done) {
        steps = done;
    }

    List<Endpoint> endpoints() {
        return places.stream().map(Place::endpoint).toList();
    }

    void places(List<Place> next) {
        places = List.copyOf(next);
    }

    /// Does that while nobody else does something so. Inside of `bridging` of [LinuxFabric], never around it.
    void alone(Runnable work) {
        lock.lock();
        try {
            work.run();
        } finally {
            lock.unlock();
        }
    }

    /// What it has without the network, or with one more place.
    List<Place> without(String networkId) {
        return places.stream().filter(place -> !place.network.id().equals(networkId)).toList();
    }

    List<Place> with(Place more) {
        var all = new ArrayList<>(places);
        all.add(more);
        return all;
    }

    Sandbox sandbox() {
        return new Sandbox(containerId, namespace.path(), endpoints());
    }
}
