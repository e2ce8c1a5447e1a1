package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.util.Optional;

/// A socket that is used by one thread to read and by any to write, and not after it was closed: its lock guards the
/// descriptor against being closed, and its number given to another, in the middle of a write. Never waits.
/// Source: ip(7), udp(7), tcp(7).
final class QuerySocket implements AutoCloseable {

    private static final int ADDRESS_BYTES = 16;
    private static final int LARGEST = 64 << 10;

    private final Fd fd;

    QuerySocket(Fd fd) {
        this.fd = fd;
    }

    /// A datagram and the address it came from, as the kernel has it.
    record Datagram(byte[] bytes, byte[] from) {}

    /// A bound socket of the calling thread's namespace; listening if it is a stream. `port` 0 takes any.
    /// @throws KernelException EADDRINUSE the port is taken
    static QuerySocket bind(int type, byte[] address, int port) throws KernelException {
        try (var frame = new Frame()) {
            long number = frame.attempt(
                    Syscall.SOCKET, NfTables.AF_INET, type | Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK, 0);
            var fd = Fd.adopt((int) Frame.checked(number, Syscall.SOCKET, null), "query socket");
            try {
                var name = frame.allocate(ADDRESS_BYTES, 4);
                name.set(JAVA_SHORT, 0, (short) NfTables.AF_INET);
                name.asByteBuffer().putShort(2, (short) port).put(4, address);
                Frame.checked(frame.attempt(Syscall.BIND, fd.number(), name.address(), ADDRESS_BYTES), Syscall.BIND,
                        "port " + port);
                if (type == Linux.SOCK_STREAM) {
                    Frame.checked(frame.attempt(Syscall.LISTEN, fd.number(), 16), Syscall.LISTEN, "port " + port);
                }
                return new QuerySocket(fd);
            } catch (KernelException e) {
                fd.close();
                throw e;
            }
        }
    }

    /// The port it is bound to.
    int port() throws KernelException {
        try (var frame = new Frame()) {
            var name = frame.allocate(ADDRESS_BYTES, 4);
            var length = frame.allocate(4, 4);
            length.set(JAVA_INT, 0, ADDRESS_BYTES);
            long rc = frame.attempt(Syscall.GETSOCKNAME, fd.number(), name.address(), length.address());
            Frame.checked(rc, Syscall.GETSOCKNAME, fd.subject());
            return name.asByteBuffer().getShort(2) & 0xFFFF;
        }
    }

    Fd fd() {
        return fd;
    }

    /// The next datagram, if there is one.
    Optional<Datagram> receive() throws KernelException {
        try (var frame = new Frame()) {
            var data = frame.allocate(LARGEST, 8);
            var from = frame.allocate(ADDRESS_BYTES, 4);
            var length = frame.allocate(4, 4);
            length.set(JAVA_INT, 0, ADDRESS_BYTES);
            long n = frame.attempt(Syscall.RECVFROM, fd.number(), data.address(), LARGEST, Linux.MSG_DONTWAIT,
                    from.address(), length.address());
            if (n == -Errno.EAGAIN) {
                return Optional.empty();
            }
            Frame.checked(n, Syscall.RECVFROM, fd.subject());
            return Optional.of(new Datagram(data.asSlice(0, n).toArray(JAVA_BYTE), from.toArray(JAVA_BYTE)));
        }
    }

    /// The next bytes of a stream; empty when there are none now.
    /// @throws KernelException EPIPE the other side sends no more
    Optional<byte[]> read() throws KernelException {
        try (var frame = new Frame()) {
            var data = frame.allocate(LARGEST, 8);
            long n = frame.attempt(Syscall.RECVFROM, fd.number(), data.address(), LARGEST, Linux.MSG_DONTWAIT, 0, 0);
            if (n == -Errno.EAGAIN) {
                return Optional.empty();
            }
            if (Frame.checked(n, Syscall.RECVFROM, fd.subject()) == 0) {
                throw new KernelException("recvfrom", fd.subject(), Errno.EPIPE);
            }
            return Optional.of(data.asSlice(0, n).toArray(JAVA_BYTE));
        }
    }

    /// The next connection, if there is one.
    Optional<QuerySocket> accept() throws KernelException {
        try (var frame = new Frame()) {
            long n = frame.attempt(Syscall.ACCEPT4, fd.number(), 0, 0, Linux.SOCK_CLOEXEC | Linux.SOCK_NONBLOCK);
            if (n == -Errno.EAGAIN) {
                return Optional.empty();
            }
            Frame.checked(n, Syscall.ACCEPT4, fd.subject());
            return Optional.of(new QuerySocket(Fd.adopt((int) n, "query connection")));
        }
    }

    /// Sends to `to`, or to the other side of a stream where it is empty. What cannot be sent at once is lost, and who
    /// asks asks again.
    /// @return whether all of it was sent
    synchronized boolean send(byte[] bytes, byte[] to) {
        if (!fd.isOpen()) {
            return false;
        }
        try (var frame = new Frame()) {
            long address = to.length == 0 ? 0 : frame.bytes(to).address();
            long n = frame.attempt(Syscall.SENDTO, fd.number(), frame.bytes(bytes).address(), bytes.length,
                    Linux.MSG_DONTWAIT | Linux.MSG_NOSIGNAL, address, to.length);
            return n == bytes.length;
        }
    }

    @Override
    public synchronized void close() {
        fd.close();
    }
}
