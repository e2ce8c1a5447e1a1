package carafe.http;

import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// A server on any number of sockets; each request is handled on a virtual thread.
public final class HttpServer implements AutoCloseable {

    private HttpServer() {}

    /// Listens at every listener or at none.
    /// @throws IOException with a sentence naming the address that failed and why (in use, permission, unknown group)
    public static HttpServer start(
            List<Listener> listeners, ServerLimits limits, Handler handler, ErrorMapper errors) throws IOException {
        throw new IOException("cannot listen at " + listeners);
    }

    /// Where it listens, with the ports chosen; in the order given.
    public List<Address> addresses() {
        return List.of();
    }

    /// Stops: no new connection, idle ones closed, [Exchange#onClientGone] called for all running requests; waits up to
    /// `deadline` for them, then cuts their connections and interrupts their handlers. Removes its socket files.
    public void close(Duration deadline) {}

    /// [#close(Duration)] with ten seconds.
    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }
}
