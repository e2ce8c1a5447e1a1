package carafe.http;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// A server on any number of sockets. Blocking sockets and virtual threads: one thread accepts at each listener, one
/// serves each connection. Slow clients slow their handler down by themselves; nothing queues.
public final class HttpServer implements AutoCloseable {

    private static final int BUFFERS_KEPT = 16;
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final long ACCEPT_AGAIN_MILLIS = 100;

    private final List<OpenListener> listeners;
    private final Service service;
    private final Connections connections;
    private final CountDownLatch closed = new CountDownLatch(1);

    private HttpServer(List<OpenListener> listeners, Service service) {
        this.listeners = listeners;
        this.service = service;
        this.connections = new Connections(service.limits());
    }

    /// Listens at every listener or at none.
    /// @throws IOException with a sentence naming the address that failed and why (in use, permission, unknown group)
    public static HttpServer start(
            List<Listener> listeners, ServerLimits limits, Handler handler, ErrorMapper errors) throws IOException {
        var open = new ArrayList<OpenListener>();
        try {
            for (var listener : listeners) {
                open.add(OpenListener.open(listener));
            }
        } catch (IOException | RuntimeException e) {
            for (var listener : open) {
                listener.close();
            }
            throw e;
        }
        var service = new Service(limits, handler, errors, new ResponseHead(), new TransferBuffers(BUFFERS_KEPT));
        var server = new HttpServer(List.copyOf(open), service);
        server.connections.startSweeping();
        for (var listener : open) {
            Thread.ofVirtual().name("carafe-http-accept").start(() -> server.accept(listener));
        }
        return server;
    }

    /// Where it listens, with the ports chosen; in the order given.
    public List<Address> addresses() {
        return listeners.stream().map(OpenListener::address).toList();
    }

    /// How many connections are open, idle ones too.
    public int connections() {
        return connections.size();
    }

    /// Stops: no new connection, idle ones closed, raw streams ended, [Exchange#onClientGone] called for all running
    /// requests; waits up to `deadline` for them, then cuts their connections and interrupts their handlers. Removes
    /// its socket files.
    public void close(Duration deadline) {
        closed.countDown();
        for (var listener : listeners) {
            try {
                listener.close();
            } catch (IOException e) {
                service.errors().tooLate(e); // a socket file that cannot be removed
            }
        }
        connections.close(deadline);
    }

    /// [#close(Duration)] with ten seconds.
    @Override
    public void close() {
        close(GRACE);
    }

    private void accept(OpenListener listener) {
        while (closed.getCount() > 0) {
            try {
                adopt(listener, listener.accept());
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException e) {
                service.errors().tooLate(e); // out of descriptors, as a rule: some will be closed again
                pause();
            }
        }
    }

    private void adopt(OpenListener listener, SocketChannel client) throws IOException {
        Wire wire;
        try {
            wire = listener.wire(client);
        } catch (IOException e) {
            client.close(); // left before it was set up
            return;
        }
        if (!connections.add(new Connection(client, wire, service, connections))) {
            if (!listener.secured()) {
                Connection.turnAway(client);
            }
            wire.close();
        }
    }

    private void pause() {
        try {
            closed.await(ACCEPT_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
