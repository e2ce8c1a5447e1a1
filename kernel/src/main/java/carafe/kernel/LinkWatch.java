package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.util.HashMap;
import java.util.Map;

/// Hears which links of a network namespace are deleted, whoever does it. The namespace is that of the thread that opens
/// it, for ever; one platform thread waits in [#watch], which the kernel wakes for deletions alone: of the dozen other news
/// that each start of a container is, it queues none. Source: rtnetlink(7), RTMGRP_LINK; socket(7), SO_ATTACH_FILTER.
public final class LinkWatch implements AutoCloseable {

    private static final int RECEIVE_BYTES = 64 << 10;
    private static final int LINK_BYTES = 16;
    private static final int PAUSE_MILLIS = 20;
    private static final int TYPE_OFFSET = 4; // in struct nlmsghdr
    private static final int FAMILY_OFFSET = 16; // of struct ifinfomsg, which comes after it
    private static final int FPROG_BYTES = 16; // struct sock_fprog
    private static final int FILTER_BYTES = 8; // struct sock_filter
    private static final long EVENTS = 1;
    private static final long STOP = 2;

    private final Fd socket;
    private final Descriptors.Pair pipe;

    private LinkWatch(Fd socket, Descriptors.Pair pipe) {
        this.socket = socket;
        this.pipe = pipe;
    }

    /// Who hears it: the links that are gone, their names by their numbers. With `lost` there may be others, of which the
    /// kernel had to forget to tell. Called on the thread that watches.
    public interface Listener {
        void deleted(Map<Integer, String> links, boolean lost);
    }

    /// Listens in the network namespace of the calling thread.
    public static LinkWatch open() throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.SOCKET, Linux.AF_NETLINK, Linux.SOCK_RAW | Linux.SOCK_CLOEXEC,
                    Rtnetlink.NETLINK_ROUTE);
            var socket = Fd.adopt((int) Frame.checked(fd, Syscall.SOCKET, "netlink"), "netlink socket");
            try {
                hearDeletions(frame, socket);
                var address = frame.allocate(12, 4); // sockaddr_nl: family, port, groups
                address.set(JAVA_SHORT, 0, (short) Linux.AF_NETLINK);
                address.set(JAVA_INT, 8, Rtnetlink.RTMGRP_LINK);
                Frame.checked(frame.attempt(Syscall.BIND, socket.number(), address.address(), 12), Syscall.BIND,
                        socket.subject());
                return new LinkWatch(socket, Descriptors.pipe(0));
            } catch (KernelException e) {
                socket.close();
                throw e;
            }
        }
    }

    /// Queues deletions and nothing else; a bridge tells of a port that left it by the same kind of message, but in its own
    /// family. One message a datagram, as the kernel sends its news. Its numbers are in this machine's order, little-endian
    /// here, and a filter's loads are big-endian. Source: linux/filter.h, linux/bpf_common.h.
    private static void hearDeletions(Frame frame, Fd socket) throws KernelException {
        long[] code = {
            instruction(0x28, 0, 0, TYPE_OFFSET), // ldh [4]
            instruction(0x15, 0, 3, Short.toUnsignedInt(Short.reverseBytes((short) Rtnetlink.RTM_DELLINK))), // jeq
            instruction(0x30, 0, 0, FAMILY_OFFSET), // ldb [16]
            instruction(0x15, 0, 1, Rtnetlink.AF_UNSPEC), // jeq
            instruction(0x06, 0, 0, RECEIVE_BYTES), // ret: all of it
            instruction(0x06, 0, 0, 0), // ret: nothing of it
        };
        var filter = frame.allocate((long) code.length * FILTER_BYTES, 8);
        for (int i = 0; i < code.length; i++) {
            filter.set(JAVA_LONG, (long) i * FILTER_BYTES, code[i]);
        }
        var program = frame.allocate(FPROG_BYTES, 8);
        program.set(JAVA_SHORT, 0, (short) code.length);
        program.set(JAVA_LONG, 8, filter.address());
        long rc = frame.attempt(Syscall.SETSOCKOPT, socket.number(), Linux.SOL_SOCKET, Linux.SO_ATTACH_FILTER,
                program.address(), FPROG_BYTES);
        Frame.checked(rc, Syscall.SETSOCKOPT, socket.subject());
    }

    private static long instruction(int code, int ifTrue, int ifFalse, int value) {
        return code | (long) ifTrue << 16 | (long) ifFalse << 24 | (long) value << 32;
    }

    /// Tells `listener` until [#stop]; blocks. Looks some fifty times a second and no more: each end of a container is news
    /// of a few links.
    public void watch(Listener listener) throws KernelException {
        try (var ready = new Epoll(); var stopping = new Epoll()) {
            ready.add(socket, Linux.EPOLLIN, EVENTS);
            ready.add(pipe.first(), Linux.EPOLLIN, STOP);
            stopping.add(pipe.first(), Linux.EPOLLIN, STOP);
            do {
                for (long what : ready.await()) {
                    if (what == STOP) {
                        return;
                    }
                }
                var deleted = new HashMap<Integer, String>();
                boolean lost = read(deleted);
                if (lost || !deleted.isEmpty()) {
                    listener.deleted(deleted, lost);
                }
            } while (stopping.await(PAUSE_MILLIS).length == 0);
        }
    }

    /// Whether some were lost.
    private boolean read(Map<Integer, String> deleted) throws KernelException {
        boolean lost = false;
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            while (true) {
                long n = frame.attempt(
                        Syscall.RECVFROM, socket.number(), buffer.address(), RECEIVE_BYTES, Linux.MSG_DONTWAIT, 0, 0);
                if (n == -Errno.EAGAIN) {
                    return lost;
                }
                if (n == -Errno.ENOBUFS) {
                    lost = true;
                    continue;
                }
                long bytes = Frame.checked(n, Syscall.RECVFROM, socket.subject());
                byte[] datagram = buffer.memory().asSlice(0, bytes).toArray(JAVA_BYTE);
                for (var message : NetlinkReader.messages(datagram, datagram.length)) {
                    var body = NetlinkReader.fixed(message, LINK_BYTES);
                    deleted.put(body.getInt(4), NetlinkReader.attributes(body, LINK_BYTES).text(Rtnetlink.IFLA_IFNAME));
                }
            }
        }
    }

    /// Ends [#watch], from another thread.
    public void stop() throws KernelException {
        FdStream.write(pipe.second(), new byte[1]);
    }

    /// After [#watch] has ended.
    @Override
    public void close() {
        pipe.close();
        socket.close();
    }
}
