package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import carafe.kernel.NetlinkReader.Message;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A socket of rtnetlink. It belongs to the network namespace it was opened in for ever, so whoever has one for a
/// namespace changes that namespace without entering it.
///
/// Several requests, up to [#MOST_TOGETHER], go to the kernel in one call and are answered in their order; one that fails
/// does not stop those behind it. Failures carry the kernel's own words (extended acknowledgements). Calls wait for the
/// kernel's lock of network configuration only. Threads: any, one at a time; the lock of this object keeps requests and
/// answers together.
/// Source: netlink(7), rtnetlink(7).
public final class Netlink implements AutoCloseable {

    private static final int RECEIVE_BYTES = 1 << 16;
    private static final int MOST_DATAGRAMS = 100_000;
    private static final int MOST_REPEATS = 8;

    /// Requests of one call. The kernel queues all answers before one is read, and the usual queue (net.core.rmem_default) has
    /// room for some 270.
    static final int MOST_TOGETHER = 128;

    private final Fd socket;
    private int sequence;
    private long batches;

    private Netlink(Fd socket) {
        this.socket = socket;
    }

    /// Opens a socket in the network namespace of the calling thread.
    public static Netlink open() throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(
                    Syscall.SOCKET, Linux.AF_NETLINK, Linux.SOCK_RAW | Linux.SOCK_CLOEXEC, Rtnetlink.NETLINK_ROUTE);
            var socket = Fd.adopt((int) Frame.checked(fd, Syscall.SOCKET, "netlink"), "netlink socket");
            try {
                var one = frame.allocate(4, 4);
                one.set(JAVA_INT, 0, 1);
                for (int option : new int[] {
                    Rtnetlink.NETLINK_EXT_ACK, Rtnetlink.NETLINK_CAP_ACK, Rtnetlink.NETLINK_GET_STRICT_CHK
                }) {
                    long rc = frame.attempt(
                            Syscall.SETSOCKOPT, socket.number(), Rtnetlink.SOL_NETLINK, option, one.address(), 4);
                    if (option != Rtnetlink.NETLINK_GET_STRICT_CHK || rc != -Errno.ENOPROTOOPT) {
                        Frame.checked(rc, Syscall.SETSOCKOPT, "netlink");
                    }
                }
                return new Netlink(socket);
            } catch (KernelException e) {
                socket.close();
                throw e;
            }
        }
    }

    /// Makes all changes, as [#attempt] does.
    /// @throws KernelException the first that failed; the others were still tried
    public void perform(NetRequest... requests) throws KernelException {
        perform(List.of(requests));
    }

    /// Makes all changes, as [#attempt] does.
    /// @throws KernelException the first that failed; the others were still tried
    public void perform(List<NetRequest> requests) throws KernelException {
        for (var outcome : attempt(requests)) {
            if (outcome.isPresent()) {
                throw outcome.get();
            }
        }
    }

    /// Makes all changes in one call, more than [#MOST_TOGETHER] in several, and tells of each how it failed, if it did.
    /// @throws KernelException when the kernel could not be asked, or with ENOBUFS when it had no room for its answers; what was
    ///         asked for may be done
    public synchronized List<Optional<KernelException>> attempt(List<NetRequest> requests) throws KernelException {
        var outcomes = new ArrayList<Optional<KernelException>>(requests.size());
        for (int from = 0; from < requests.size(); from += MOST_TOGETHER) {
            outcomes.addAll(attemptTogether(requests.subList(from, Math.min(from + MOST_TOGETHER, requests.size()))));
        }
        return outcomes;
    }

    private List<Optional<KernelException>> attemptTogether(List<NetRequest> requests) throws KernelException {
        int first = sequence + 1;
        int size = requests.stream().mapToInt(request -> NetlinkMessage.aligned(request.message().length)).sum();
        var batch = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
        for (var request : requests) {
            int start = batch.position();
            batch.put(request.message());
            batch.putShort(start + 6, (short) (batch.getShort(start + 6) | Rtnetlink.NLM_F_ACK));
            batch.putInt(start + 8, ++sequence);
            batch.position(NetlinkMessage.aligned(batch.position()));
        }
        batches++;
        send(batch.array());
        var outcomes = new ArrayList<Optional<KernelException>>();
        try (var receiver = new Receiver()) {
            while (outcomes.size() < requests.size()) {
                for (var message : receiver.next()) {
                    int at = message.sequence() - first;
                    if (message.type() != Rtnetlink.NLMSG_ERROR || at != outcomes.size()) {
                        continue; // an answer to somebody who gave up earlier
                    }
                    outcomes.add(failure(message, requests.get(at)));
                    if (outcomes.size() == requests.size()) {
                        break;
                    }
                }
            }
        }
        return outcomes;
    }

    /// How many calls that change something this socket has made, whatever came of them: for whoever counts what they cost.
    public synchronized long batches() {
        return batches;
    }

    private static Optional<KernelException> failure(Message message, NetRequest request) throws KernelException {
        int errno = -NetlinkReader.fixed(message, 20).getInt(0);
        if (errno == 0) {
            return Optional.empty();
        }
        return Optional.of(new KernelException("netlink", request.what(), errno, words(message)));
    }

    /// What the kernel says beside the number; it stands behind the request's header, or its whole copy.
    private static String words(Message message) throws KernelException {
        if ((message.flags() & Rtnetlink.NLM_F_ACK_TLVS) == 0) {
            return "";
        }
        int copied = (message.flags() & Rtnetlink.NLM_F_CAPPED) != 0
                ? NetlinkMessage.HEADER_BYTES
                : NetlinkMessage.aligned(Math.max(NetlinkMessage.HEADER_BYTES, message.body().getInt(4)));
        return NetlinkReader.attributes(message.body(), 4 + copied).text(Rtnetlink.NLMSGERR_ATTR_MSG);
    }

    /// All links of the namespace, with their traffic.
    public List<LinkInfo> links() throws KernelException {
        var request = new NetlinkMessage(Rtnetlink.RTM_GETLINK, Rtnetlink.NLM_F_DUMP)
                .u8(0).u8(0).u16(0).u32(0).u32(0).u32(0);
        var links = new ArrayList<LinkInfo>();
        for (var message : dump(request, Rtnetlink.RTM_NEWLINK)) {
            links.add(NetlinkDumps.link(message));
        }
        return links;
    }

    /// The link called `name`; empty when there is none.
    public synchronized Optional<LinkInfo> link(String name) throws KernelException {
        if (!LinkEnd.isName(name)) {
            return Optional.empty();
        }
        var request = new NetlinkMessage(Rtnetlink.RTM_GETLINK, 0)
                .u8(0).u8(0).u16(0).u32(0).u32(0).u32(0)
                .put(Rtnetlink.IFLA_IFNAME, name);
        int number = sendAlone(request);
        try (var receiver = new Receiver()) {
            while (true) {
                for (var message : receiver.next()) {
                    if (message.sequence() == number && message.type() == Rtnetlink.RTM_NEWLINK) {
                        return Optional.of(NetlinkDumps.link(message));
                    }
                    if (message.sequence() == number && message.type() == Rtnetlink.NLMSG_ERROR) {
                        int errno = -NetlinkReader.fixed(message, 20).getInt(0);
                        if (errno == Errno.ENODEV) {
                            return Optional.empty();
                        }
                        throw new KernelException("netlink", "get link " + name, errno, words(message));
                    }
                }
            }
        }
    }

    /// All addresses of the namespace.
    public List<AddressInfo> addresses() throws KernelException {
        var request = new NetlinkMessage(Rtnetlink.RTM_GETADDR, Rtnetlink.NLM_F_DUMP).u8(0).u8(0).u8(0).u8(0).u32(0);
        var addresses = new ArrayList<AddressInfo>();
        for (var message : dump(request, Rtnetlink.RTM_NEWADDR)) {
            NetlinkDumps.address(message).ifPresent(addresses::add);
        }
        return addresses;
    }

    /// All routes of the namespace to single destinations, of every table.
    public List<RouteInfo> routes() throws KernelException {
        var routes = new ArrayList<RouteInfo>();
        for (int family : new int[] {Rtnetlink.AF_INET, Rtnetlink.AF_INET6}) {
            var request = new NetlinkMessage(Rtnetlink.RTM_GETROUTE, Rtnetlink.NLM_F_DUMP)
                    .u8(family).u8(0).u8(0).u8(0).u8(0).u8(0).u8(0).u8(0).u32(0);
            for (var message : dump(request, Rtnetlink.RTM_NEWROUTE)) {
                NetlinkDumps.route(message).ifPresent(routes::add);
            }
        }
        return routes;
    }

    /// A whole list; asked for again while it changes as it is read.
    private synchronized List<Message> dump(NetlinkMessage request, int type) throws KernelException {
        for (int attempt = 0; ; attempt++) {
            var found = dumpOnce(request, type);
            if (found.isPresent()) {
                return found.get();
            }
            if (attempt == MOST_REPEATS) {
                throw new KernelException("netlink", "list", Errno.EINTR, "it changes faster than it can be read");
            }
        }
    }

    private Optional<List<Message>> dumpOnce(NetlinkMessage request, int type) throws KernelException {
        int number = sendAlone(request);
        var found = new ArrayList<Message>();
        boolean changed = false;
        try (var receiver = new Receiver()) {
            for (int datagrams = 0; datagrams < MOST_DATAGRAMS; datagrams++) {
                for (var message : receiver.next()) {
                    if (message.sequence() != number) {
                        continue;
                    }
                    changed |= (message.flags() & Rtnetlink.NLM_F_DUMP_INTR) != 0;
                    if (message.type() == Rtnetlink.NLMSG_DONE) {
                        return changed ? Optional.empty() : Optional.of(found);
                    }
                    if (message.type() == Rtnetlink.NLMSG_ERROR) {
                        int errno = -NetlinkReader.fixed(message, 4).getInt(0);
                        if (errno == Errno.EAFNOSUPPORT || errno == Errno.EOPNOTSUPP) {
                            return Optional.of(List.of()); // a kernel without this family
                        }
                        throw new KernelException("netlink", "list", errno, words(message));
                    }
                    if (message.type() == type) {
                        found.add(message);
                    }
                }
            }
        }
        throw NetlinkReader.bad("a list without end");
    }

    private int sendAlone(NetlinkMessage request) throws KernelException {
        byte[] message = request.bytes();
        ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).putInt(8, ++sequence);
        send(message);
        return sequence;
    }

    private void send(byte[] bytes) throws KernelException {
        try (var frame = new Frame()) {
            var kernel = frame.allocate(12, 4); // sockaddr_nl: port 0 is the kernel
            kernel.set(JAVA_SHORT, 0, (short) Linux.AF_NETLINK);
            long sent = frame.attempt(Syscall.SENDTO, socket.number(), frame.bytes(bytes).address(), bytes.length, 0,
                    kernel.address(), 12);
            Frame.checked(sent, Syscall.SENDTO, "netlink");
        }
    }

    /// Receives datagrams into one borrowed buffer.
    private final class Receiver implements AutoCloseable {
        private final Frame frame = new Frame();
        private final TransferBuffer buffer = TransferBuffer.borrow();
        private final MemorySegment from = frame.allocate(12, 4);
        private final MemorySegment size = frame.allocate(4, 4);

        /// The messages of the next datagram; those of anybody but the kernel are passed over.
        List<Message> next() throws KernelException {
            while (true) {
                size.set(JAVA_INT, 0, 12);
                long got = frame.attempt(Syscall.RECVFROM, socket.number(), buffer.address(), RECEIVE_BYTES,
                        Linux.MSG_TRUNC, from.address(), size.address());
                if (got == -Errno.ENOBUFS) {
                    drain();
                }
                Frame.checked(got, Syscall.RECVFROM, "netlink");
                if (got > RECEIVE_BYTES) {
                    throw NetlinkReader.bad("a datagram of " + got + " bytes");
                }
                if (from.get(JAVA_INT, 4) == 0) {
                    byte[] datagram = new byte[(int) got];
                    MemorySegment.copy(buffer.memory(), JAVA_BYTE, 0, datagram, 0, datagram.length);
                    return NetlinkReader.messages(datagram, datagram.length);
                }
            }
        }

        /// The kernel had no room for an answer, and has none until all that are here are read.
        private void drain() {
            long got;
            do {
                got = frame.attempt(Syscall.RECVFROM, socket.number(), buffer.address(), RECEIVE_BYTES, Linux.MSG_DONTWAIT, 0, 0);
            } while (got >= 0 || got == -Errno.ENOBUFS);
        }

        @Override
        public void close() {
            buffer.close();
            frame.close();
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
