package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.net.InetSocketAddress;

/// A port of the host that nobody else can take while this is open: a socket that is bound and does nothing. What
/// reaches it all the same is refused by the kernel (TCP) or never read (UDP). Source: ip(7), ipv6(7), socket(7).
public final class HeldPort implements AutoCloseable {

    private static final int ADDRESS_BYTES = 28;

    private final Fd socket;

    private HeldPort(Fd socket) {
        this.socket = socket;
    }

    /// Whether a process could take the port is asked of the kernel by taking it. An IPv6 address holds IPv6 only.
    /// @throws KernelException EADDRINUSE somebody has it; EADDRNOTAVAIL the host has no such address; EAFNOSUPPORT no
    ///         IPv6
    public static HeldPort tcp(InetSocketAddress address) throws KernelException {
        try {
            return hold(Linux.SOCK_STREAM, address, false);
        } catch (KernelException e) {
            if (!e.is(Errno.EADDRINUSE)) {
                throw e;
            }
            // Connections of a server that just ended linger for a minute and do not hinder another server.
            return hold(Linux.SOCK_STREAM, address, true);
        }
    }

    /// The same for UDP.
    public static HeldPort udp(InetSocketAddress address) throws KernelException {
        return hold(Linux.SOCK_DGRAM, address, false);
    }

    private static HeldPort hold(int type, InetSocketAddress address, boolean besideLingering) throws KernelException {
        byte[] ip = address.getAddress().getAddress();
        boolean six = ip.length == 16;
        String subject = address.getAddress().getHostAddress() + " port " + address.getPort();
        try (var frame = new Frame()) {
            long fd = frame.attempt(
                    Syscall.SOCKET, six ? NfTables.AF_INET6 : NfTables.AF_INET, type | Linux.SOCK_CLOEXEC, 0);
            var socket = Fd.adopt((int) Frame.checked(fd, Syscall.SOCKET, subject), subject);
            try {
                if (six) {
                    set(frame, socket, NfTables.IPPROTO_IPV6, NfTables.IPV6_V6ONLY, 1);
                }
                if (besideLingering) {
                    set(frame, socket, Linux.SOL_SOCKET, NfTables.SO_REUSEADDR, 1);
                }
                var name = frame.allocate(ADDRESS_BYTES, 8);
                name.set(JAVA_SHORT, 0, (short) (six ? NfTables.AF_INET6 : NfTables.AF_INET));
                var bytes = name.asByteBuffer();
                bytes.putShort(2, (short) address.getPort());
                bytes.put(six ? 8 : 4, ip);
                call(frame, Syscall.BIND, socket, name.address(), six ? ADDRESS_BYTES : 16);
                if (besideLingering) {
                    // With this option only listening tells whether somebody listens; then the socket stays bound.
                    call(frame, Syscall.LISTEN, socket, 1, 0);
                    call(frame, Syscall.SHUTDOWN, socket, NfTables.SHUT_RD, 0);
                    set(frame, socket, Linux.SOL_SOCKET, NfTables.SO_REUSEADDR, 0);
                }
                return new HeldPort(socket);
            } catch (KernelException e) {
                socket.close();
                throw e;
            }
        }
    }

    private static void set(Frame frame, Fd socket, int level, int option, int value) throws KernelException {
        var number = frame.allocate(4, 4);
        number.set(JAVA_INT, 0, value);
        long rc = frame.attempt(Syscall.SETSOCKOPT, socket.number(), level, option, number.address(), 4);
        Frame.checked(rc, Syscall.SETSOCKOPT, socket.subject());
    }

    private static void call(Frame frame, Syscall call, Fd socket, long first, long second) throws KernelException {
        Frame.checked(frame.attempt(call, socket.number(), first, second), call, socket.subject());
    }

    @Override
    public void close() {
        socket.close();
    }
}
