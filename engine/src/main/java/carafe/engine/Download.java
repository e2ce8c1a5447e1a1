package carafe.engine;

import carafe.spec.EngineException;
import java.io.IOException;
import java.io.OutputStream;

/// Something large that is ready to be written to a client; closing gives it up. What is wrong with the request was said
/// when this was made, so a failure now is the disk's or the client's.
public interface Download extends AutoCloseable {

    /// Writes all of it to `out`, which stays open; once.
    /// @throws IOException `out`'s own
    void write(OutputStream out) throws IOException, EngineException;

    @Override
    default void close() {}
}
