package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// A netlink socket of the family netfilter, in the network namespace of the thread that opens it and for ever there.
/// Source: netlink(7).
final class NfSocket implements AutoCloseable {

    private static final int ADDRESS_BYTES = 12;
    private static final int BUFFER_BYTES = 4 << 20;
    private static final int RECEIVE_BYTES = 64 << 10;

    private final Fd fd;
    private final int port;

    private NfSocket(Fd fd, int port) {
        this.fd = fd;
        this.port = port;
    }

    /// A new socket; `group` is a multicast group to hear, 0 for none.
    static NfSocket open(int group) throws KernelException {
        try (var frame = new Frame()) {
            long number = frame.attempt(Syscall.SOCKET, Linux.AF_NETLINK, Linux.SOCK_RAW | Linux.SOCK_CLOEXEC,
                    NfTables.NETLINK_NETFILTER);
            var fd = Fd.adopt((int) Frame.checked(number, Syscall.SOCKET, "of netfilter"), "netfilter socket");
            try {
                var address = frame.allocate(ADDRESS_BYTES, 4);
                address.set(JAVA_SHORT, 0, (short) Linux.AF_NETLINK);
                Frame.checked(frame.attempt(Syscall.BIND, fd.number(), address.address(), ADDRESS_BYTES),
                        Syscall.BIND, fd.subject());
                set(frame, fd, Linux.SOL_SOCKET, NfTables.SO_SNDBUFFORCE, BUFFER_BYTES);
                set(frame, fd, Linux.SOL_SOCKET, NfTables.SO_RCVBUFFORCE, BUFFER_BYTES);
                set(frame, fd, NfTables.SOL_NETLINK, NfTables.NETLINK_CAP_ACK, 1);
                set(frame, fd, NfTables.SOL_NETLINK, NfTables.NETLINK_EXT_ACK, 1);
                if (group != 0) {
                    set(frame, fd, NfTables.SOL_NETLINK, NfTables.NETLINK_ADD_MEMBERSHIP, group);
                }
                var length = frame.allocate(4, 4);
                length.set(JAVA_INT, 0, ADDRESS_BYTES);
                long rc = frame.attempt(Syscall.GETSOCKNAME, fd.number(), address.address(), length.address());
                Frame.checked(rc, Syscall.GETSOCKNAME, fd.subject());
                return new NfSocket(fd, address.get(JAVA_INT, 4));
            } catch (KernelException e) {
                fd.close();
                throw e;
            }
        }
    }

    private static void set(Frame frame, Fd fd, int level, int option, int value) throws KernelException {
        var number = frame.allocate(4, 4);
        number.set(JAVA_INT, 0, value);
        long rc = frame.attempt(Syscall.SETSOCKOPT, fd.number(), level, option, number.address(), 4);
        Frame.checked(rc, Syscall.SETSOCKOPT, fd.subject());
    }

    Fd fd() {
        return fd;
    }

    /// The number by which the kernel names this socket as the cause of a change.
    int port() {
        return port;
    }

    /// Sends messages to the kernel, which has dealt with all of them when this returns.
    void send(byte[] messages) throws KernelException {
        try (var frame = new Frame()) {
            long sent = frame.attempt(
                    Syscall.SENDTO, fd.number(), frame.bytes(messages).address(), messages.length, 0, 0, 0);
            Frame.checked(sent, Syscall.SENDTO, fd.subject());
        }
    }

    /// The next datagram, which holds whole messages; null if there is none now.
    /// @throws KernelException ENOBUFS some were lost
    @Nullable ByteBuffer poll() throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            long n = frame.attempt(
                    Syscall.RECVFROM, fd.number(), buffer.address(), RECEIVE_BYTES, Linux.MSG_DONTWAIT, 0, 0);
            if (n == -Errno.EAGAIN) {
                return null;
            }
            byte[] copy = buffer.memory().asSlice(0, Frame.checked(n, Syscall.RECVFROM, fd.subject()))
                    .toArray(ValueLayout.JAVA_BYTE);
            return ByteBuffer.wrap(copy).order(ByteOrder.nativeOrder());
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
