package carafe.kernel;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/// One platform thread that reads the queries of any number of sockets, in whatever network namespaces they are, and
/// hands them to their handlers. A flood at one point does not keep others waiting: each has a few datagrams a turn, and
/// the kernel drops what does not fit its socket's buffer.
public final class QueryLoop implements AutoCloseable {

    private static final int SWEEP_MILLIS = 2_000;
    private static final long WAKE = 0;
    private static final System.Logger LOG = System.getLogger("carafe.kernel");

    private final Descriptors.Pair wake;
    private final ConcurrentLinkedQueue<Runnable> orders = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private final Map<Long, Source> sources = new HashMap<>();
    private @Nullable Epoll set;
    private long lastSource = WAKE;
    private long swept = System.nanoTime();
    private volatile boolean closing;

    /// What takes queries; called on the loop's thread, so it must be quick. `reply` may be used later, by any thread,
    /// at most once; it never waits.
    public interface Handler {
        void query(byte[] query, boolean stream, Reply reply);
    }

    /// Where the answer goes.
    public interface Reply {
        void send(byte[] answer);
    }

    /// Where queries are taken: the ports of both kinds of sockets. Closing it stops that.
    public final class Point implements AutoCloseable {
        private final QueryPoint point;
        private final int datagramPort;
        private final int streamPort;

        private Point(QueryPoint point) throws KernelException {
            this.point = point;
            this.datagramPort = point.datagrams.port();
            this.streamPort = point.streams.port();
        }

        /// The port for datagrams.
        public int datagramPort() {
            return datagramPort;
        }

        /// The port for streams.
        public int streamPort() {
            return streamPort;
        }

        /// Returns at once; the loop closes the sockets in its next turn.
        @Override
        public void close() {
            order(() -> {
                sources.values().removeIf(source -> source.point() == point);
                point.close();
            });
        }
    }

    /// What a descriptor of the epoll set is.
    private sealed interface Source {
        QueryPoint point();

        record Datagrams(QueryPoint point) implements Source {}

        record Streams(QueryPoint point) implements Source {}

        record Stream(QueryPoint point, QueryPoint.Connection connection) implements Source {}
    }

    /// Starts the thread.
    public QueryLoop(String name) throws KernelException {
        wake = Descriptors.pipe(Linux.O_NONBLOCK);
        thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    }

    /// Takes queries at an address of four bytes in the calling thread's network namespace, at `port` if it is free for
    /// both kinds of sockets, else at others.
    public Point listen(byte[] address, int port, Handler handler) throws KernelException {
        var datagrams = bind(Linux.SOCK_DGRAM, address, port);
        try {
            var point = new QueryPoint(datagrams, bind(Linux.SOCK_STREAM, address, port), handler);
            var result = new Point(point);
            order(() -> add(point));
            return result;
        } catch (KernelException e) {
            datagrams.close();
            throw e;
        }
    }

    private static QuerySocket bind(int type, byte[] address, int port) throws KernelException {
        try {
            return QuerySocket.bind(type, address, port);
        } catch (KernelException e) {
            if (!e.is(Errno.EADDRINUSE) || port == 0) {
                throw e;
            }
            return QuerySocket.bind(type, address, 0);
        }
    }

    private void add(QueryPoint point) {
        watch(point.datagrams, new Source.Datagrams(point));
        watch(point.streams, new Source.Streams(point));
    }

    private void watch(QuerySocket socket, Source source) {
        var ready = set;
        if (ready == null) {
            throw new IllegalStateException("only the loop's thread does this");
        }
        try {
            ready.add(socket.fd(), Linux.EPOLLIN, ++lastSource);
            sources.put(lastSource, source);
        } catch (KernelException e) {
            LOG.log(System.Logger.Level.ERROR, "queries at a socket are not heard: " + e.getMessage());
        }
    }

    private void order(Runnable order) {
        orders.add(order);
        try {
            FdStream.write(wake.second(), new byte[1]);
        } catch (KernelException e) {
            if (!e.is(Errno.EAGAIN)) { // full: it wakes anyway
                LOG.log(System.Logger.Level.ERROR, e.getMessage());
            }
        }
    }

    private void run() {
        try (var ready = new Epoll()) {
            set = ready;
            ready.add(wake.first(), Linux.EPOLLIN, WAKE);
            while (!closing) {
                for (long id : ready.await(SWEEP_MILLIS)) {
                    serve(id);
                }
                sweep();
            }
        } catch (KernelException e) {
            LOG.log(System.Logger.Level.ERROR, "queries of containers are not answered any more: " + e.getMessage());
        }
        sources.values().stream().map(Source::point).distinct().forEach(QueryPoint::close);
    }

    private void serve(long id) throws KernelException {
        if (id == WAKE) {
            try (var frame = new Frame()) {
                frame.attempt(Syscall.READ, wake.first().number(), frame.allocate(256, 8).address(), 256);
            }
            for (var order = orders.poll(); order != null; order = orders.poll()) {
                order.run();
            }
            return;
        }
        var source = sources.get(id);
        if (source == null) {
            return; // closed in this very turn
        }
        try {
            switch (source) {
                case Source.Datagrams(var point) -> point.readDatagrams();
                case Source.Streams(var point) -> {
                    var connection = point.accept();
                    if (connection != null) {
                        watch(connection.socket, new Source.Stream(point, connection));
                    }
                }
                case Source.Stream(_, var connection) -> connection.read();
            }
        } catch (KernelException e) {
            if (source instanceof Source.Stream(_, var connection)) {
                connection.close();
                sources.remove(id);
            } // else: an error of one datagram or of a connection that ended before it was taken
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "a query could not be handled", e); // and the next one can
        }
    }

    private void sweep() {
        long now = System.nanoTime();
        if (now - swept < SWEEP_MILLIS * 1_000_000L) {
            return;
        }
        swept = now;
        sources.values().removeIf(source -> {
            boolean idle = source instanceof Source.Stream(_, var connection) && connection.idle();
            if (idle && source instanceof Source.Stream(_, var connection)) {
                connection.close();
            }
            return idle;
        });
    }

    /// Stops; all sockets are closed.
    @Override
    public void close() {
        order(() -> closing = true);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        wake.close();
    }
}
