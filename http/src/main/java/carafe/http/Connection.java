package carafe.http;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One client: reads its requests one after the other and runs the handler for each, all on one virtual thread, until
/// either side has enough. Whatever it waits for outside a handler has a deadline, kept by [Connections].
final class Connection implements Runnable {

    private static final int SCRATCH = 16 << 10;

    private final SocketChannel channel;
    private final Wire wire;
    private final Inbound inbound;
    private final Service service;
    private final Connections connections;
    private volatile boolean timed;
    private volatile long deadline; // of System.nanoTime(), while `timed`
    private volatile @Nullable ServerExchange running;
    private volatile @Nullable Thread thread;

    /// Owns `wire`, which runs over `channel`.
    Connection(SocketChannel channel, Wire wire, Service service, Connections connections) {
        this.channel = channel;
        this.wire = wire;
        this.inbound = new Inbound(wire);
        this.service = service;
        this.connections = connections;
    }

    @Override
    public void run() {
        thread = Thread.currentThread();
        try {
            if (wire instanceof TlsWire tls) {
                expireIn(service.limits().headerTime());
                tls.handshake();
            }
            while (serveNext()) {
                continue; // each turn is one request
            }
        } catch (IOException e) {
            wire.close(); // the client has left or was too slow: there is nobody to tell
        } finally {
            wire.close();
            connections.remove(this);
        }
    }

    private boolean serveNext() throws IOException {
        ServerLimits limits = service.limits();
        expireIn(limits.idleTime());
        ServerExchange exchange;
        try {
            byte[] bytes = inbound.head(
                    limits.requestLineBytes(), limits.headerBytes(), () -> expireIn(limits.headerTime()));
            if (bytes == null) {
                return false;
            }
            exchange = exchange(Head.parse(bytes));
        } catch (HttpException e) {
            refuse(service.errors().answer(e));
            linger();
            return false;
        }
        timed = false;
        if (serve(exchange) && exchange.readyForNext(() -> expireIn(limits.lingerTime()))) {
            return true;
        }
        linger();
        return false;
    }

    private ServerExchange exchange(Head head) throws HttpException {
        var line = RequestLine.parse(head.firstLine());
        int hosts = head.headers().all("Host").size();
        if (hosts > 1 || hosts == 0 && line.http11()) {
            throw new HttpException(400, "there must be one Host header, not " + hosts);
        }
        var body = BodyInput.ofRequest(head.headers(), line.http11(), inbound);
        return new ServerExchange(this, line, head.headers(), body);
    }

    /// Whether what is on the wire afterwards is complete.
    private boolean serve(ServerExchange exchange) throws IOException {
        running = exchange;
        if (connections.closing()) {
            exchange.closing();
        }
        try {
            service.handler().handle(exchange);
            exchange.finish();
            return true;
        } catch (Throwable e) { // a handler's bug must not end more than its own request
            return failed(exchange, e);
        } finally {
            exchange.retire();
            running = null;
            if (Thread.interrupted()) {
                wire.close(); // only [#cut] interrupts
            }
        }
    }

    private boolean failed(ServerExchange exchange, Throwable cause) throws IOException {
        if (!exchange.answered()) {
            Answer answer = service.errors().answer(cause);
            exchange.respond(answer.status(), answer.headers(), answer.body());
            return true;
        }
        if (!wire.broken()) {
            service.errors().tooLate(cause);
        }
        wire.close();
        return false;
    }

    private void refuse(Answer answer) throws IOException {
        String framing = "Content-Length: " + answer.body().length + "\r\nConnection: close\r\n";
        ByteBuffer head = service.heads().print(answer.status(), answer.headers(), framing);
        wire.write(head, ByteBuffer.wrap(answer.body()));
    }

    /// Closes so that the client can read all we sent: closing a socket with unread bytes would reset it instead.
    /// A closing server does not wait for that.
    private void linger() {
        expireIn(service.limits().lingerTime());
        try {
            wire.shutdownOutput();
            if (connections.closing()) {
                return;
            }
            var scratch = ByteBuffer.allocate(SCRATCH);
            while (inbound.read(scratch) >= 0) {
                scratch.clear();
            }
        } catch (IOException e) {
            wire.close(); // its time is over, or it left
        }
    }

    /// A stream over this connection. Closing it ends our output and leaves the client a moment to end its own.
    RawStream raw() {
        return new RawStream(inbound, wire, service.buffers(), this::endSoon);
    }

    private void endSoon() {
        expireIn(service.limits().lingerTime());
        try {
            wire.shutdownOutput();
        } catch (IOException e) {
            wire.close(); // the client has left already
        }
    }

    private void expireIn(Duration time) {
        deadline = System.nanoTime() + time.toNanos();
        timed = true;
    }

    /// Whether it has been waiting for too long.
    boolean expired() {
        return timed && System.nanoTime() - deadline > 0;
    }

    /// The server is closing: an idle connection is closed, a busy one's handler told.
    void wind() {
        var exchange = running;
        if (exchange == null) {
            wire.close();
        } else {
            exchange.closing();
        }
    }

    /// Ends it now; its thread returns soon. From any thread.
    void cut() {
        wire.close();
        var own = thread;
        if (own != null && running != null) {
            own.interrupt();
        }
    }

    /// Whether the server wants to end.
    boolean closing() {
        return connections.closing();
    }

    /// Who is at the other end of a unix socket.
    Optional<PeerCredentials> peer() throws IOException {
        return channel.getLocalAddress() instanceof UnixDomainSocketAddress
                ? Optional.of(PeerIds.of(channel))
                : Optional.empty();
    }

    /// What arrives.
    Inbound inbound() {
        return inbound;
    }

    /// Where answers go.
    Wire wire() {
        return wire;
    }

    /// Buffers to move bytes with.
    TransferBuffers buffers() {
        return service.buffers();
    }

    /// The printer of heads.
    ResponseHead heads() {
        return service.heads();
    }

    /// Refuses a client for which there is no room, without waiting for it.
    static void turnAway(SocketChannel channel) throws IOException {
        String text = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        channel.configureBlocking(false);
        channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1)));
    }
}
