package carafe.engine;

import carafe.spec.EngineException;

/// What happened lately and what happens now. The last 256 events are remembered. A subscriber that does not read has a
/// queue of 4096; when that is full its stream ends, so nobody else waits for it.
public interface Events {

    /// Subscribes; nothing that happens after this returns is missed.
    EventStream subscribe(EventQuery query) throws EngineException;
}
