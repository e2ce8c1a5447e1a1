package carafe.engine;

import carafe.spec.docker.Event;
import java.util.Optional;

/// Events on their way to one subscriber. One reader; [#close] may come from another thread and ends [#next].
public interface EventStream extends AutoCloseable {

    /// The next event; empty at the end. Blocks.
    Optional<Event> next() throws InterruptedException;

    @Override
    void close();
}
