package carafe.kernel;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One address where queries come in, by datagrams and by streams, each query of a stream behind its length in two
/// bytes, as DNS has it (RFC 1035, 4.2). All but [#close] is the loop's thread's.
final class QueryPoint {

    private static final int AT_ONCE = 32;
    private static final int MOST_CONNECTIONS = 16;
    private static final long IDLE_NANOS = 10_000_000_000L;
    private static final byte[] OTHER_SIDE = {};

    final QuerySocket datagrams;
    final QuerySocket streams;
    private final QueryLoop.Handler handler;
    private final Set<Connection> connections = new LinkedHashSet<>();

    QueryPoint(QuerySocket datagrams, QuerySocket streams, QueryLoop.Handler handler) {
        this.datagrams = datagrams;
        this.streams = streams;
        this.handler = handler;
    }

    /// Hands on some of the datagrams that wait; others have their turn before the rest.
    void readDatagrams() throws KernelException {
        for (int i = 0; i < AT_ONCE; i++) {
            var datagram = datagrams.receive();
            if (datagram.isEmpty()) {
                return;
            }
            byte[] from = datagram.get().from();
            handler.query(datagram.get().bytes(), false, answer -> datagrams.send(answer, from));
        }
    }

    /// The next connection, or null; one too many is closed at once.
    @Nullable Connection accept() throws KernelException {
        var socket = streams.accept();
        if (socket.isEmpty()) {
            return null;
        }
        if (connections.size() >= MOST_CONNECTIONS) {
            socket.get().close();
            return null;
        }
        var connection = new Connection(this, socket.get());
        connections.add(connection);
        return connection;
    }

    Set<Connection> connections() {
        return connections;
    }

    void close() {
        datagrams.close();
        streams.close();
        connections.forEach(connection -> connection.socket.close());
        connections.clear();
    }

    /// One stream.
    static final class Connection {
        final QueryPoint point;
        final QuerySocket socket;
        private byte[] pending = {};
        private long lastHeard = System.nanoTime();

        Connection(QueryPoint point, QuerySocket socket) {
            this.point = point;
            this.socket = socket;
        }

        /// Hands on the whole queries that have come.
        void read() throws KernelException {
            var bytes = socket.read();
            if (bytes.isEmpty()) {
                return;
            }
            lastHeard = System.nanoTime();
            var all = new ByteArrayOutputStream();
            all.writeBytes(pending);
            all.writeBytes(bytes.get());
            pending = all.toByteArray();
            int at = 0;
            while (pending.length - at >= 2) {
                int length = (pending[at] & 0xFF) << 8 | pending[at + 1] & 0xFF;
                if (pending.length - at - 2 < length) {
                    break;
                }
                byte[] query = Arrays.copyOfRange(pending, at + 2, at + 2 + length);
                at += 2 + length;
                point.handler.query(query, true, this::answer);
            }
            pending = Arrays.copyOfRange(pending, at, pending.length);
        }

        private void answer(byte[] answer) {
            byte[] framed = new byte[answer.length + 2];
            framed[0] = (byte) (answer.length >> 8);
            framed[1] = (byte) answer.length;
            System.arraycopy(answer, 0, framed, 2, answer.length);
            if (!socket.send(framed, OTHER_SIDE)) {
                socket.close(); // half an answer would be taken for another
            }
        }

        boolean idle() {
            return !socket.fd().isOpen() || System.nanoTime() - lastHeard > IDLE_NANOS;
        }

        void close() {
            socket.close();
            point.connections.remove(this);
        }
    }
}
