package carafe.engine;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;

/// Changes limits and restart policy of a container, of a running one at once.
final class Updater {
    private final Book book;

    Updater(Book book) {
        this.book = book;
    }

    /// Confined to the container's queue.
    void update(Container container, Json.Obj changes) throws EngineException {
        var before = container.snapshot();
        if (before.state() instanceof State.Removing) {
            throw new EngineException.Conflict("Cannot update container " + container.id()
                    + ": Container is marked for removal and cannot be \"update\".");
        }
        var host = before.host().with(changes);
        var after = before.with(host);
        if (before.state().alive()) {
            // The devices a container may use are not among what can be updated.
            var resources = SpecComposer.resources(host, HostDevices.Granted.NONE);
            container.process().update(resources.withDevices(List.of()));
        }
        container.show(after);
        book.save(after);
        book.tell(after, "update");
    }
}
