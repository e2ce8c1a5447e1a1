package carafe.engine;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.store.NetworkRow;
import carafe.network.Network;
import carafe.network.NetworkCodec;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Event;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All networks of this engine: found by id, name or prefix; written down; told about. A name is reserved before anything
/// else is done for a network.
final class NetworkBook {
    private static final Logger LOG = LoggerFactory.getLogger(NetworkBook.class);

    private final Database database;
    private final EventLog events;
    private final ConcurrentSkipListMap<String, Network> byId = new ConcurrentSkipListMap<>();
    private final ConcurrentMap<String, String> names = new ConcurrentHashMap<>();

    NetworkBook(Database database, EventLog events) {
        this.database = database;
        this.events = events;
    }

    /// Reads all rows. One that cannot be read is left as it is and not shown: the others are still good.
    void load() throws EngineException {
        for (var row : database.networks()) {
            try {
                show(NetworkCodec.parse((Json.Obj) Json.parse(row.document())));
            } catch (EngineException | ClassCastException e) {
                names.put(row.name(), row.id());
                LOG.error("network {} ({}) is set aside: its record cannot be read: {}", row.name(), row.id(), e.getMessage());
            }
        }
    }

    /// The network a client means: a full id, a name, or a unique prefix of an id.
    Network find(String reference) throws EngineException {
        var exact = byId.get(reference);
        if (exact == null) {
            exact = named(reference).orElse(null);
        }
        if (exact != null) {
            return exact;
        }
        var found = new ArrayList<Network>();
        if (!reference.isEmpty()) {
            for (var network : byId.tailMap(reference, true).values()) {
                if (!network.id().startsWith(reference)) {
                    break;
                }
                found.add(network);
            }
        }
        if (found.size() > 1) {
            throw new EngineException.Invalid("network " + reference + " is ambiguous (" + found.size()
                    + " matches found on ID prefix)");
        }
        if (found.isEmpty()) {
            throw unknown(reference);
        }
        return found.getFirst();
    }

    private static EngineException.NotFound unknown(String reference) {
        return new EngineException.NotFound("network " + reference + " not found");
    }

    /// The same for somebody who is to be in it.
    /// @throws EngineException.Forbidden it is a configuration, in which nobody can be
    Network findToJoin(String reference) throws EngineException {
        var network = find(reference);
        if (network.config().only()) {
            throw new EngineException.Forbidden("cannot create endpoint on configuration-only network " + network.name()
                    + "; make a network of it: network create --config-from " + network.name() + " NAME");
        }
        return network;
    }

    /// All but the configurations, oldest first.
    List<Network> real() {
        return all().stream().filter(network -> !network.config().only()).toList();
    }

    /// The network with exactly this name.
    Optional<Network> named(String name) {
        String id = names.get(name);
        return id == null ? Optional.empty() : Optional.ofNullable(byId.get(id));
    }

    /// All of them, oldest first.
    List<Network> all() {
        var all = new ArrayList<>(byId.values());
        all.sort(Comparator.comparing(Network::created).thenComparing(Network::id));
        return all;
    }

    /// Takes the name; Conflict in Docker's words when another has it.
    void reserve(String name) throws EngineException.Conflict {
        if (names.putIfAbsent(name, "") != null) {
            throw new EngineException.Conflict("network with name " + name + " already exists");
        }
    }

    /// Gives a name back that was reserved and not used.
    void release(String name) {
        names.remove(name, "");
    }

    /// Writes the network down and shows it to everybody.
    void save(Network network) throws EngineException {
        database.write(new Change.PutNetwork(
                new NetworkRow(network.id(), network.name(), NetworkCodec.print(network).print())));
        show(network);
    }

    private void show(Network network) {
        byId.put(network.id(), network);
        names.put(network.name(), network.id());
    }

    /// Nobody finds it any more, and neither does the next engine.
    /// @throws EngineException.NotFound somebody else erased it meanwhile
    void erase(Network network) throws EngineException {
        database.write(new Change.DeleteNetwork(network.id()));
        if (byId.remove(network.id()) == null) {
            throw unknown(network.name());
        }
        names.remove(network.name(), network.id());
    }

    /// Tells what happened to a network; `details` are pairs of key and value.
    void tell(Network network, String action, Map<String, String> details) {
        var attributes = new TreeMap<>(details);
        attributes.put("name", network.name());
        attributes.put("type", network.driver().word());
        events.publish(Event.Type.NETWORK, action, network.id(), attributes);
    }
}
