package carafe.engine;

import carafe.spec.EngineException;
import java.nio.ByteBuffer;
import java.util.Optional;

/// Bytes on their way to a client, ready to be sent as they are. One reader; [#close] may be called by another thread
/// and ends a [#next] that blocks.
public interface ByteSource extends AutoCloseable {

    /// The next bytes, at least one, valid until the next call; empty at the end. Blocks until some are there; what it
    /// returns should be flushed to the client before the next call.
    Optional<ByteBuffer> next() throws EngineException, InterruptedException;

    @Override
    void close();
}
