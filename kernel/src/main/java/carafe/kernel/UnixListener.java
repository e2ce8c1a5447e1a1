package carafe.kernel;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/// A listening unix stream socket in a directory, mode 0600, for a monitor to accept from ([MonitorPlan.Door]). Paths
/// may be longer than the 107 bytes that sockaddr_un holds.
public final class UnixListener implements AutoCloseable {

    private final Path path;
    private final Fd socket;

    private UnixListener(Path path, Fd socket) {
        this.path = path;
        this.socket = socket;
    }

    /// Creates the socket file at `path`, which must not exist, and listens.
    /// @throws KernelException EADDRINUSE the file exists
    public static UnixListener listen(Path path) throws KernelException {
        throw new KernelException("bind", path, Errno.ENOSYS);
    }

    /// The listening socket, borrowed: what a [Launch] passes to the monitor.
    public Fd socket() {
        return socket;
    }

    /// A connection to this listener and its accepted other end, for [MonitorPlan.Client]. Only before the listener was
    /// passed on; the caller owns both.
    public Pair connect() throws IOException {
        throw new KernelException("connect", path, Errno.ENOSYS);
    }

    /// Two ends of one connection.
    public record Pair(SocketChannel near, Fd far) {}

    /// Closes this process's descriptor; the file stays, its owner removes it.
    @Override
    public void close() {
        socket.close();
    }
}
