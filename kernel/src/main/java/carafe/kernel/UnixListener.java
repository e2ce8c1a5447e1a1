package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;

/// A listening unix stream socket in a directory, mode 0600, for a monitor to accept from ([MonitorPlan.Door]). Paths
/// may be longer than the 107 bytes that sockaddr_un holds. The lock of this object keeps a connection and its accepted
/// end together.
public final class UnixListener implements AutoCloseable {

    private static final int BACKLOG = 128;
    private static final int ADDRESS_BYTES = 110;

    private final Path path;
    private final Fd socket;

    private UnixListener(Path path, Fd socket) {
        this.path = path;
        this.socket = socket;
    }

    /// Creates the socket file at `path`, which must not exist, and listens.
    /// @throws KernelException EADDRINUSE the file exists
    public static UnixListener listen(Path path) throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.SOCKET, Linux.AF_UNIX, Linux.SOCK_STREAM | Linux.SOCK_CLOEXEC, 0);
            var socket = Fd.adopt((int) Frame.checked(fd, Syscall.SOCKET, path), path.toString());
            try (var name = SocketName.of(path)) {
                // the file takes its mode from the socket, so it never has another one
                Frame.checked(frame.attempt(Syscall.FCHMOD, socket.number(), 0600), Syscall.FCHMOD, path);
                byte[] bytes = NativeText.encode(name.name());
                var address = frame.allocate(ADDRESS_BYTES, Long.BYTES);
                address.set(JAVA_SHORT, 0, (short) Linux.AF_UNIX);
                MemorySegment.copy(bytes, 0, address, JAVA_BYTE, 2, bytes.length);
                long rc = frame.attempt(Syscall.BIND, socket.number(), address.address(), bytes.length + 3L);
                Frame.checked(rc, Syscall.BIND, path);
                Frame.checked(frame.attempt(Syscall.LISTEN, socket.number(), BACKLOG), Syscall.LISTEN, path);
                return new UnixListener(path, socket);
            } catch (KernelException e) {
                socket.close();
                throw e;
            }
        }
    }

    /// The listening socket, borrowed: what a [Launch] passes to the monitor.
    public Fd socket() {
        return socket;
    }

    /// A connection to this listener and its accepted other end, for [MonitorPlan.Client]. Only before the listener was
    /// passed on; the caller owns both.
    public synchronized Pair connect() throws IOException {
        var near = connect(path);
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.ACCEPT4, socket.number(), 0, 0, Linux.SOCK_CLOEXEC);
            return new Pair(near, Fd.adopt((int) Frame.checked(fd, Syscall.ACCEPT4, path), "client of " + path));
        } catch (IOException e) {
            near.close();
            throw e;
        }
    }

    /// Connects to the socket at `path`, of any length. Blocks while its backlog is full.
    static SocketChannel connect(Path path) throws IOException {
        try (var name = SocketName.of(path)) {
            return SocketChannel.open(UnixDomainSocketAddress.of(name.name()));
        }
    }

    /// Two ends of one connection.
    public record Pair(SocketChannel near, Fd far) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            far.close();
            near.close();
        }
    }

    /// Closes this process's descriptor; the file stays, its owner removes it.
    @Override
    public void close() {
        socket.close();
    }
}
