package carafe.runtime;

import java.nio.channels.SocketChannel;
import java.util.Set;

/// A client's connection made before the process exists: [#channel] is the caller's end and works at once (input
/// written early waits for the process), the other end goes to the monitor with the start. Closing it closes both
/// ends that are still held here.
public interface AttachEndpoint extends AutoCloseable {

    /// The streams the client asked for.
    Set<StdStream> streams();

    /// The caller's end: framed or raw output in, raw input out.
    SocketChannel channel();

    @Override
    void close();
}
