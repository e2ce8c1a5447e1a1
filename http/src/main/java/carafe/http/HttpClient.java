package carafe.http;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// A blocking client of one server, made for a command's cold start: no selector, no lambda, no thread of its own but
/// for connecting, for streamed request bodies and, towards an origin of the web, for noticing that it stalls. Any
/// number of threads may use it; each request has its own connection, idle ones are reused.
public final class HttpClient implements AutoCloseable {

    private static final int IDLE_KEPT = 4;

    private final Dialler dialler;
    private final int idleKept;
    private final TransferBuffers buffers = new TransferBuffers(IDLE_KEPT);

    /// Guarded by itself, as is `closed`.
    private final ArrayDeque<ClientConnection> idle = new ArrayDeque<>();

    private boolean closed;

    /// Connects to `address` when first asked something.
    public HttpClient(Address address, Duration connectTimeout) {
        this(new Connector(address, connectTimeout), IDLE_KEPT);
    }

    private HttpClient(Dialler dialler, int idleKept) {
        this.dialler = dialler;
        this.idleKept = idleKept;
    }

    /// A client of `address` that waits no longer than `stall` for a byte to pass.
    public static HttpClient of(Address address, Duration connect, Duration stall) {
        return new HttpClient(new PatientDialler(new Connector(address, connect), stall), IDLE_KEPT);
    }

    /// A client of an origin of the web, which connects when first asked something. No wait is longer than `dial` says.
    public static HttpClient of(Origin origin, Dial dial) {
        return new HttpClient(new OriginDialler(origin, dial), dial.idleKept());
    }

    /// Sends and reads up to the end of the answer's header. Towards an [Address] only the connect has a timeout,
    /// unless one for stalls was given.
    /// @throws ConnectFailed nobody listens there, or not in time
    public ClientResponse send(ClientRequest request) throws IOException {
        boolean repeatable = repeatable(request);
        var reused = takeIdle(repeatable);
        if (reused != null) {
            try {
                return reused.send(request);
            } catch (IOException e) {
                reused.close();
                if (reused.answerBegan() || !repeatable) {
                    throw e;
                }
            }
        }
        var fresh = connect();
        try {
            return fresh.send(request);
        } catch (IOException | RuntimeException e) {
            fresh.close();
            throw e;
        }
    }

    /// Sends with `Connection: Upgrade` and `Upgrade: protocol` and takes the connection over.
    /// @throws ConnectFailed nobody listens there, or not in time
    public Upgraded upgrade(ClientRequest request, String protocol) throws IOException {
        var fresh = connect();
        try {
            return fresh.upgrade(request, protocol, buffers);
        } catch (IOException | RuntimeException e) {
            fresh.close();
            throw e;
        }
    }

    /// Closes idle connections; those in use close with their response.
    @Override
    public void close() {
        synchronized (idle) {
            closed = true;
            for (var connection : idle) {
                connection.close();
            }
            idle.clear();
        }
    }

    /// Keeps a connection whose answer has been read to its end, if it is of use.
    void giveBack(ClientConnection connection) {
        synchronized (idle) {
            if (!closed && idle.size() < idleKept) {
                idle.push(connection);
                return;
            }
        }
        connection.close();
    }

    private ClientConnection connect() throws IOException {
        return new ClientConnection(this, dialler, dialler.connect());
    }

    /// A connection that serves again; a request that must not be sent twice gets only one that rested for a moment.
    private @Nullable ClientConnection takeIdle(boolean repeatable) {
        while (true) {
            ClientConnection connection;
            synchronized (idle) {
                connection = idle.poll();
            }
            if (connection == null || !connection.stale() && (repeatable || connection.justUsed())) {
                return connection;
            }
            connection.close();
        }
    }

    private static boolean repeatable(ClientRequest request) {
        return request.body() instanceof ClientRequest.Body.None
                && (request.method().equals("GET") || request.method().equals("HEAD"));
    }
}
