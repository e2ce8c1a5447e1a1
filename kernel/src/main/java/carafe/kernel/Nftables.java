package carafe.kernel;

import java.nio.ByteBuffer;

/// The packet filter of one network namespace, spoken to by netlink: no library is needed on the host, and a change
/// costs the same however many rules others have. Source: linux/netfilter/nf_tables.h, nft(8).
public final class Nftables implements AutoCloseable {

    private final NfSocket socket;

    private Nftables(NfSocket socket) {
        this.socket = socket;
    }

    /// The filter of the calling thread's network namespace, also when used from other threads later.
    /// @throws KernelException EPROTONOSUPPORT the kernel has no netfilter
    public static Nftables open() throws KernelException {
        return new Nftables(NfSocket.open(0));
    }

    /// Makes all changes at once, or none. Blocks while the kernel commits, well under a millisecond for a few elements.
    /// @throws KernelException ENOENT what is changed is not there; EEXIST, EBUSY an element is there with other data;
    ///         EPERM no CAP_NET_ADMIN; its subject says which part was refused
    public synchronized void apply(NftTransaction changes) throws KernelException {
        socket.send(changes.finish());
        int answers = 0;
        KernelException first = null;
        for (ByteBuffer datagram = socket.poll(); datagram != null; datagram = socket.poll()) {
            var reader = new NfReader(datagram);
            while (reader.next()) {
                if (reader.type() != NfTables.NLMSG_ERROR) {
                    continue;
                }
                answers++;
                if (reader.error() != 0 && first == null) {
                    first = new KernelException("nftables", changes.subject(reader.sequence()), reader.error(),
                            reader.errorText());
                }
            }
        }
        if (first != null) {
            throw first;
        }
        if (answers < changes.answers()) {
            throw new KernelException("nftables", "transaction", Errno.EIO, answers + " answers");
        }
    }

    /// The number by which [NftWatch] knows that a change was made here.
    int port() {
        return socket.port();
    }

    @Override
    public void close() {
        socket.close();
    }
}
