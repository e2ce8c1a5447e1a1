package carafe.kernel;

import java.nio.ByteBuffer;
import java.util.Set;

/// Hears when somebody else changes a table of ours: a flush of the whole ruleset, a firewall's reload, a hand.
/// Made, used and closed by one platform thread, but for [Stop]; waiting blocks it.
public final class NftWatch implements AutoCloseable {

    private static final long EVENTS = 1;
    private static final long STOP = 2;
    private static final Set<Integer> CHANGES = Set.of(NfTables.NFT_MSG_DELTABLE, NfTables.NFT_MSG_DELCHAIN,
            NfTables.NFT_MSG_DELRULE, NfTables.NFT_MSG_DELSET, NfTables.NFT_MSG_DELSETELEM, NfTables.NFT_MSG_NEWRULE,
            NfTables.NFT_MSG_NEWCHAIN, NfTables.NFT_MSG_NEWSETELEM);

    private final Nftables ours;
    private final String table;
    private final NfSocket socket;
    private final Epoll ready;

    /// Ends a watch from another thread; to be closed after it.
    public static final class Stop implements AutoCloseable {
        private final Descriptors.Pair pipe;

        /// One for one watch.
        public Stop() throws KernelException {
            pipe = Descriptors.pipe(0);
        }

        /// Makes the watch answer false from now on.
        public void stop() throws KernelException {
            FdStream.write(pipe.second(), new byte[1]);
        }

        Fd heard() {
            return pipe.first();
        }

        @Override
        public void close() {
            pipe.close();
        }
    }

    /// Watches `table` in the calling thread's network namespace; changes made through `ours` are no news.
    public NftWatch(Nftables ours, String table, Stop stop) throws KernelException {
        this.ours = ours;
        this.table = table;
        socket = NfSocket.open(NfTables.NFNLGRP_NFTABLES);
        try {
            ready = both(socket, stop);
        } catch (KernelException e) {
            socket.close();
            throw e;
        }
    }

    private static Epoll both(NfSocket socket, Stop stop) throws KernelException {
        var set = new Epoll();
        try {
            set.add(socket.fd(), Linux.EPOLLIN, EVENTS);
            set.add(stop.heard(), Linux.EPOLLIN, STOP);
            return set;
        } catch (KernelException e) {
            set.close();
            throw e;
        }
    }

    /// Waits until somebody else changed the table, or may have.
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
        boolean changed = false;
        try {
            for (ByteBuffer datagram = socket.poll(); datagram != null; datagram = socket.poll()) {
                var reader = new NfReader(datagram);
                while (reader.next()) {
                    changed |= foreign(reader);
                }
            }
        } catch (KernelException e) {
            if (!e.is(Errno.ENOBUFS)) {
                throw e;
            }
            return true; // some were lost
        }
        return changed;
    }

    private boolean foreign(NfReader reader) {
        int type = reader.type();
        // In all of these messages the table's name is attribute 1.
        return type >> 8 == NfTables.NFNL_SUBSYS_NFTABLES
                && CHANGES.contains(type & 0xFF)
                && reader.port() != ours.port()
                && reader.text(NfTables.NFTA_TABLE_NAME).filter(table::equals).isPresent();
    }

    @Override
    public void close() {
        ready.close();
        socket.close();
    }
}
