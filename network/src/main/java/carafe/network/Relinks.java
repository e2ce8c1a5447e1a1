package carafe.network;

import carafe.network.Cell.Place;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives containers that run their links back, where somebody deleted what these hang on. Called by whoever found that
/// (holding `bridging` of [LinuxFabric]), beside the containers' own threads. What fails for one is logged and keeps
/// nobody else from his.
final class Relinks {

    private static final Logger LOG = LoggerFactory.getLogger(Relinks.class);

    private final ConcurrentMap<String, Cell> cells;
    private final Cables cables;
    private final List<EndpointListener> listeners;
    private final Failpoints failpoints;
    private final ReentrantLock bridging;
    private final ConcurrentMap<String, Integer> rounds = new ConcurrentHashMap<>();

    /// `cells` is a view: who is not in it is left alone.
    Relinks(ConcurrentMap<String, Cell> cells, Sandboxes.Tools tools, List<EndpointListener> listeners, Failpoints failpoints) {
        this.cells = cells;
        this.cables = tools.cables();
        this.bridging = tools.bridging();
        this.listeners = listeners;
        this.failpoints = failpoints;
    }

    /// What newcomers of these networks ask before their links are laid, for [#catchUp].
    Map<String, Integer> rounds(Stream<Network> networks) {
        return networks.map(Network::id).distinct().collect(Collectors.toMap(id -> id, this::round));
    }

    private int round(String networkId) {
        return rounds.getOrDefault(networkId, 0);
    }

    /// Does for a newcomer, who is in `cells` now, what was done for the others since he asked for `seen`. Takes `bridging`
    /// only where something was.
    void catchUp(Cell cell, Map<String, Integer> seen) {
        if (seen.entrySet().stream().allMatch(network -> network.getValue() == round(network.getKey()))) {
            return;
        }
        bridging.lock();
        try {
            seen.forEach((networkId, round) -> {
                if (round != round(networkId)) {
                    eachPlace(cell, networkId, place -> {
                        replug(cell, place);
                        if (place.network().shares()) {
                            relay(cell, place);
                        }
                    });
                }
            });
        } finally {
            bridging.unlock();
        }
    }

    /// Does that to the places which the container has in the network, unless it is gone: then its namespace may be closed,
    /// and its links lie in the graveyard, where they may have been silenced.
    private void eachPlace(Cell cell, String networkId, Consumer<Place> work) {
        cell.alone(() -> {
            if (cells.get(cell.containerId()) == cell) {
                cell.places().stream().filter(place -> place.network().id().equals(networkId)).forEach(work);
            }
        });
    }

    /// Puts everybody who is in the network back into its bridge.
    void reattach(String networkId) {
        rounds.merge(networkId, 1, Integer::sum);
        cells.values().forEach(cell -> eachPlace(cell, networkId, place -> replug(cell, place)));
    }

    private void replug(Cell cell, Place place) {
        try {
            cables.reattach(place);
            for (var listener : listeners) {
                listener.replugged(cell.containerId(), place.endpoint());
            }
        } catch (EngineException e) {
            LOG.error("container {} is cut off from network {}: {}",
                    cell.containerId(), place.network().name(), e.getMessage());
        }
    }

    /// Lays anew the links of everybody who is in the network, where they went with the one that they shared.
    void relay(String networkId) {
        rounds.merge(networkId, 1, Integer::sum);
        cells.values().forEach(cell -> eachPlace(cell, networkId, place -> relay(cell, place)));
    }

    private void relay(Cell cell, Place place) {
        try {
            if (cables.inside(place, cell.without(place.network().id()), cell.namespace()).isEmpty()) {
                failpoints.pass("relay.link");
                cables.lay(place, cell.namespace());
                cables.address(place, cell.namespace(), place.driverOptions());
                cables.route(cell.sandbox(), cell.namespace());
            }
        } catch (IOException | EngineException e) {
            LOG.error("container {} is cut off from network {}: {}",
                    cell.containerId(), place.network().name(), e.getMessage());
        }
    }
}
