package carafe.kernel;

import java.nio.ByteBuffer;

/// Hears when a link of a network namespace goes. Made, used and closed by one platform thread, but for [NftWatch.Stop];
/// waiting blocks it. Source: rtnetlink(7), RTNLGRP_LINK.
public final class LinkWatch implements AutoCloseable {

    private static final long EVENTS = 1;
    private static final long STOP = 2;

    private static final int LINK_BYTES = 16; // struct ifinfomsg

    private final String name;
    private final NfSocket socket;
    private final Epoll ready;

    /// Watches the link `name` in the calling thread's network namespace.
    public LinkWatch(String name, NftWatch.Stop stop) throws KernelException {
        this.name = name;
        socket = NfSocket.open(Rtnetlink.NETLINK_ROUTE, Rtnetlink.RTNLGRP_LINK);
        var set = new Epoll();
        try {
            set.add(socket.fd(), Linux.EPOLLIN, EVENTS);
            set.add(stop.heard(), Linux.EPOLLIN, STOP);
        } catch (KernelException e) {
            set.close();
            socket.close();
            throw e;
        }
        ready = set;
    }

    /// Waits until the link has gone, or may have.
    /// @return false when it is to end
    public boolean await() throws KernelException {
        while (true) {
            for (long what : ready.await()) {
                if (what == STOP) {
                    return false;
                }
            }
            if (heard()) {
                return true;
            }
        }
    }

    private boolean heard() throws KernelException {
        boolean gone = false;
        try {
            for (ByteBuffer datagram = socket.poll(); datagram != null; datagram = socket.poll()) {
                for (var message : NetlinkReader.messages(datagram.array(), datagram.limit())) {
                    gone |= message.type() == Rtnetlink.RTM_DELLINK
                            && NetlinkReader.attributes(message.body(), LINK_BYTES).text(Rtnetlink.IFLA_IFNAME).equals(name);
                }
            }
        } catch (KernelException e) {
            if (!e.is(Errno.ENOBUFS)) {
                throw e;
            }
            return true; // some were lost
        }
        return gone;
    }

    @Override
    public void close() {
        ready.close();
        socket.close();
    }
}
