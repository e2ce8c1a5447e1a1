package carafe.network;

import carafe.kernel.Descriptors;
import carafe.kernel.Linux;
import carafe.network.Cell.Place;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes over, when the engine starts, the networks of containers that run. What is broken in one container's network is
/// logged and keeps nobody else from his. One whose namespace cannot be taken hold of keeps its links, addresses and ports
/// until it ends; nothing can be changed in its networks until then.
final class Takeover {

    private static final Logger LOG = LoggerFactory.getLogger(Takeover.class);

    private final Sandboxes.Tools tools;
    private final Addresses addresses;
    private final List<EndpointListener> listeners;
    private final Failpoints failpoints;
    private final ConcurrentMap<String, Cell> cells;
    private final ConcurrentMap<String, List<Place>> unheld = new ConcurrentHashMap<>();

    /// A place whose link went with the one that it shares, and is laid anew if nobody else has its addresses by now.
    private record Lost(Cell cell, Place place) {}

    /// Who is taken over comes into `cells`.
    Takeover(Sandboxes.Tools tools, Addresses addresses, List<EndpointListener> listeners, Failpoints failpoints,
            ConcurrentMap<String, Cell> cells) {
        this.tools = tools;
        this.addresses = addresses;
        this.listeners = listeners;
        this.failpoints = failpoints;
        this.cells = cells;
    }

    /// The places of those who run and could not be taken hold of, by container.
    Map<String, List<Place>> unheld() {
        return unheld;
    }

    /// Takes over who runs, and lets go of who does not any more. Links that are gone with what they shared are
    /// [Relinks#relay]'s.
    void restore(Map<String, Network> networks, Map<String, Integer> running) throws EngineException {
        var lost = new ArrayList<Lost>();
        var taken = new ArrayList<Cell>();
        for (var note : tools.notes().all().entrySet()) {
            String id = note.getKey();
            Integer pid = running.get(id);
            var noted = places(note.getValue(), networks);
            try {
                if (pid == null) {
                    tools.notes().remove(id); // its links are found by their names
                } else {
                    warnOfLost(id, note.getValue(), noted);
                    taken.add(hold(id, pid, noted, lost));
                }
            } catch (IOException e) {
                LOG.warn("the network of container {} was not taken over{}: {}", id, pid == null ? "" : "; it stays as it is"
                        + " until the container ends, and cannot be changed", e.getMessage());
                if (pid != null) {
                    leave(id, pid, noted);
                }
            }
        }
        lost.forEach(this::bring);
        taken.forEach(cell -> tell(cell.sandbox(), cell.places()));
    }

    /// Whether the note of one of those who run tells of the network. Before [#restore].
    boolean isHeld(String networkId, Set<String> running) throws EngineException {
        return tools.notes().all().entrySet().stream()
                .anyMatch(note -> running.contains(note.getKey())
                        && note.getValue().stream().anyMatch(endpoint -> endpoint.networkId().equals(networkId)));
    }

    private static List<Place> places(List<Endpoint> endpoints, Map<String, Network> networks) {
        return endpoints.stream()
                .flatMap(endpoint -> Optional.ofNullable(networks.get(endpoint.networkId())).stream()
                        .map(network -> new Place(network, endpoint, Map.of())))
                .toList();
    }

    private static void warnOfLost(String id, List<Endpoint> endpoints, List<Place> left) {
        endpoints.stream().filter(endpoint -> left.stream().noneMatch(place -> place.endpoint() == endpoint)).forEach(
                endpoint -> LOG.warn("container {} has lost its interface {}", id, endpoint.interfaceName()));
    }

    private Cell hold(String id, int pid, List<Place> noted, List<Lost> lost) throws IOException {
        failpoints.pass("adopt.namespace");
        var namespace = tools.thread().adopt(Descriptors.open(namespace(pid), Linux.O_RDONLY, 0));
        boolean held = false;
        try {
            failpoints.pass("adopt.links");
            var there = new ArrayList<Place>();
            for (var place : noted) {
                var others = noted.stream().filter(other -> other != place).toList();
                if (tools.cables().inside(place, others, namespace).isPresent()) {
                    there.add(place);
                }
            }
            var cell = new Cell(id, namespace, there);
            noted.stream().filter(place -> !there.contains(place) && place.network().shares())
                    .forEach(place -> lost.add(new Lost(cell, place)));
            warnOfLost(id, noted.stream().filter(place -> !place.network().shares()).map(Place::endpoint).toList(), there);
            there.forEach(place -> addresses.retake(place.endpoint()));
            cells.put(id, cell);
            held = true;
            return cell;
        } finally {
            if (!held) {
                namespace.close();
            }
        }
    }

    private static Path namespace(int pid) {
        return Path.of("/proc/" + pid + "/ns/net");
    }

    /// It runs with what it has, so nobody else may get that.
    private void leave(String id, int pid, List<Place> noted) {
        noted.forEach(place -> addresses.retake(place.endpoint()));
        unheld.put(id, noted);
        tell(new Sandbox(id, namespace(pid).toString(), noted.stream().map(Place::endpoint).toList()), noted);
    }

    /// One that had left, and whose note does not know it, finds its addresses with another.
    private void bring(Lost lost) {
        var endpoint = lost.place.endpoint();
        if (addresses.retake(endpoint)) {
            lost.cell.places(lost.cell.with(lost.place));
        } else {
            warnOfLost(lost.cell.containerId(), List.of(endpoint), List.of());
        }
    }

    private void tell(Sandbox sandbox, List<Place> places) {
        String id = sandbox.containerId();
        for (var place : places) {
            try {
                tools.cables().reattach(place);
            } catch (EngineException e) {
                LOG.error("container {} is cut off from network {}: {}", id, place.network().name(), e.getMessage());
            }
            var attached = new EndpointListener.Attached(sandbox, place.network(), place.endpoint(), true);
            for (var listener : listeners) {
                try {
                    listener.attached(attached);
                } catch (EngineException e) {
                    LOG.error("the network of container {} lacks something: {}", id, e.getMessage());
                }
            }
        }
    }
}
