package carafe.engine;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.spec.EngineException;
import carafe.spec.docker.Event;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;

/// All containers of this engine: found by id, name or prefix; written down; told about. Names are reserved before
/// anything else is done for a container, so two of one name never exist. No lock covers more than one entry.
final class Book {
    private final Database database;
    private final EventLog events;
    private final ConcurrentSkipListMap<String, Container> byId = new ConcurrentSkipListMap<>();
    private final ConcurrentMap<String, String> names = new ConcurrentHashMap<>();

    Book(Database database, EventLog events) {
        this.database = database;
        this.events = events;
    }

    /// The container a client means: a full id, a name with or without slash, or a unique prefix of an id.
    Container find(String reference) throws EngineException {
        String name = reference.startsWith("/") ? reference.substring(1) : reference;
        var exact = byId.get(reference);
        if (exact == null && names.containsKey(name)) {
            exact = byId.get(names.get(name));
        }
        if (exact != null) {
            return exact;
        }
        if (!reference.isEmpty()) {
            var following = byId.tailMap(reference, true).values().iterator();
            if (following.hasNext()) {
                var first = following.next();
                if (first.id().startsWith(reference)) {
                    if (following.hasNext() && following.next().id().startsWith(reference)) {
                        throw new EngineException.Invalid("multiple IDs found with provided prefix: " + reference);
                    }
                    return first;
                }
            }
        }
        throw unknown(reference);
    }

    static EngineException.NotFound unknown(String reference) {
        return new EngineException.NotFound("No such container: " + reference);
    }

    /// Whether there is a container with this full id.
    boolean has(String id) {
        return byId.containsKey(id);
    }

    Collection<Container> all() {
        return byId.values();
    }

    /// Takes `name` for `id`; Conflict in Docker's words when another has it.
    void reserve(String name, String id) throws EngineException.Conflict {
        String owner = names.putIfAbsent(name, id);
        if (owner != null && !owner.equals(id)) {
            throw new EngineException.Conflict("Conflict. The container name \"/" + name
                    + "\" is already in use by container \"" + owner
                    + "\". You have to remove (or rename) that container to be able to reuse that name.");
        }
    }

    /// Takes a name nobody has.
    String reserveAny(String id) {
        for (int attempt = 0; ; attempt++) {
            String name = NameGenerator.next(attempt);
            if (names.putIfAbsent(name, id) == null) {
                return name;
            }
        }
    }

    /// Gives back a name that `id` has, unless there is such a container.
    void releaseUnlessUsed(String name, String id) {
        if (!byId.containsKey(id)) {
            release(name, id);
        }
    }

    /// Gives back a name that `id` has.
    void release(String name, String id) {
        names.remove(name, id);
    }

    /// Shows a container to everybody; its name is reserved.
    Container add(ContainerSnapshot snapshot) {
        var container = new Container(snapshot);
        byId.put(container.id(), container);
        return container;
    }

    /// Takes a container away from everybody, with its name.
    void remove(Container container) {
        byId.remove(container.id());
        names.remove(container.snapshot().name(), container.id());
    }

    /// Begins to write a new container down, together with `more`.
    Database.Writing insert(ContainerSnapshot snapshot, List<Change> more) throws EngineException {
        var changes = new ArrayList<>(more);
        changes.add(new Change.Insert(RecordCodec.row(snapshot)));
        return database.begin(changes.toArray(Change[]::new));
    }

    /// Begins to write a container's state down.
    Database.Writing saveState(ContainerSnapshot snapshot) throws EngineException {
        return database.begin(new Change.SetStatus(
                snapshot.id(), snapshot.state().word(), RecordCodec.status(snapshot)));
    }

    /// Has a container's state written down without waiting for it; a failure is told to `failed`.
    void saveStateUnawaited(ContainerSnapshot snapshot, Consumer<EngineException> failed) throws EngineException {
        database.beginUnawaited(failed, new Change.SetStatus(
                snapshot.id(), snapshot.state().word(), RecordCodec.status(snapshot)));
    }

    /// Writes all of a container down.
    void save(ContainerSnapshot snapshot) throws EngineException {
        database.write(new Change.Replace(RecordCodec.row(snapshot)));
    }

    /// Begins to write down that a container is gone, and with it these volumes.
    Database.Writing erase(String id, List<String> volumes) throws EngineException {
        var changes = new ArrayList<Change>();
        volumes.forEach(name -> changes.add(new Change.DeleteVolume(name)));
        changes.add(new Change.Delete(id));
        return database.begin(changes.toArray(Change[]::new));
    }

    /// Tells what happened to a container; `details` are pairs of key and value.
    void tell(ContainerSnapshot container, String action, List<Map.Entry<String, String>> details) {
        var attributes = new TreeMap<>(container.config().labels());
        attributes.put("image", container.image().reference());
        attributes.put("name", container.name());
        details.forEach(detail -> attributes.put(detail.getKey(), detail.getValue()));
        events.publish(Event.Type.CONTAINER, action, container.id(), attributes);
    }

    /// Tells what happened, without details.
    void tell(ContainerSnapshot container, String action) {
        tell(container, action, List.of());
    }
}
