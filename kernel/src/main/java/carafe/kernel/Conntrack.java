package carafe.kernel;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// What the kernel remembers of the connections of one network namespace. A flow keeps the way it was given when it began,
/// whatever the packet filter says meanwhile. Source: linux/netfilter/nfnetlink_conntrack.h.
public final class Conntrack implements AutoCloseable {

    private static final int AT_ONCE = 256;

    private final NfSocket socket;

    private Conntrack(NfSocket socket) {
        this.socket = socket;
    }

    /// That of the calling thread's network namespace, also when used from other threads later.
    public static Conntrack open() throws KernelException {
        return new Conntrack(NfSocket.open(0));
    }

    /// A flow by its first packet: IPPROTO_*, where it was sent, and whether it was led elsewhere.
    public record Flow(int protocol, InetAddress to, int port, boolean translated) {}

    private record Tracked(Flow flow, int family, byte[] tuple, byte[] id, Optional<byte[]> zone) {}

    /// Forgets flows: their next packets are new ones to the packet filter. Lists all flows of the namespace, about a
    /// microsecond for each.
    /// @return how many were forgotten
    /// @throws KernelException EINVAL the kernel cannot be asked for flows
    public synchronized int forget(Predicate<Flow> which) throws KernelException {
        var found = list(which);
        int forgotten = 0;
        for (int from = 0; from < found.size(); from += AT_ONCE) {
            forgotten += delete(found.subList(from, Math.min(found.size(), from + AT_ONCE)));
        }
        return forgotten;
    }

    private List<Tracked> list(Predicate<Flow> which) throws KernelException {
        var request = new NftWriter();
        request.begin(NfTables.NFNL_SUBSYS_CTNETLINK << 8 | NfTables.IPCTNL_MSG_CT_GET, NfTables.NLM_F_DUMP, 0, 0);
        request.end();
        socket.send(request.finish());
        var flows = new ArrayList<Tracked>();
        for (ByteBuffer datagram = socket.poll(); datagram != null; datagram = socket.poll()) {
            var reader = new NfReader(datagram);
            while (reader.next()) {
                if (reader.type() == NfTables.NLMSG_ERROR && reader.error() != 0) {
                    throw new KernelException("conntrack", "flows", reader.error(), reader.errorText());
                }
                if (reader.type() >> 8 == NfTables.NFNL_SUBSYS_CTNETLINK) {
                    tracked(reader).filter(tracked -> which.test(tracked.flow)).ifPresent(flows::add);
                }
            }
        }
        return flows;
    }

    private static Optional<Tracked> tracked(NfReader reader) throws KernelException {
        int orig = NfTables.CTA_TUPLE_ORIG;
        var tuple = reader.bytes(orig);
        var id = reader.bytes(NfTables.CTA_ID);
        var protocol = reader.bytes(orig, NfTables.CTA_TUPLE_PROTO, NfTables.CTA_PROTO_NUM);
        var port = reader.bytes(orig, NfTables.CTA_TUPLE_PROTO, NfTables.CTA_PROTO_DST_PORT);
        var to = reader.bytes(orig, NfTables.CTA_TUPLE_IP, NfTables.CTA_IP_V4_DST)
                .or(() -> reader.bytes(orig, NfTables.CTA_TUPLE_IP, NfTables.CTA_IP_V6_DST));
        if (tuple.isEmpty() || id.isEmpty() || protocol.isEmpty() || port.isEmpty() || to.isEmpty()) {
            return Optional.empty(); // of a protocol without ports
        }
        boolean translated = (reader.number(0, NfTables.CTA_STATUS) & NfTables.IPS_DST_NAT) != 0;
        try {
            var flow = new Flow(protocol.get()[0] & 0xFF, InetAddress.getByAddress(to.get()),
                    (port.get()[0] & 0xFF) << 8 | port.get()[1] & 0xFF, translated);
            return Optional.of(new Tracked(flow, reader.family(), tuple.get(), id.get(), reader.bytes(NfTables.CTA_ZONE)));
        } catch (UnknownHostException e) {
            throw new KernelException("conntrack", "flows", Errno.EIO, "an address of " + to.get().length + " bytes");
        }
    }

    private int delete(List<Tracked> flows) throws KernelException {
        var request = new NftWriter();
        for (var flow : flows) {
            request.begin(NfTables.NFNL_SUBSYS_CTNETLINK << 8 | NfTables.IPCTNL_MSG_CT_DELETE, NfTables.NLM_F_ACK,
                    flow.family, 0);
            request.bytes(NfTables.CTA_TUPLE_ORIG | NfTables.NLA_F_NESTED, flow.tuple);
            request.bytes(NfTables.CTA_ID, flow.id);
            flow.zone.ifPresent(zone -> request.bytes(NfTables.CTA_ZONE, zone));
            request.end();
        }
        socket.send(request.finish());
        int deleted = 0;
        for (ByteBuffer datagram = socket.poll(); datagram != null; datagram = socket.poll()) {
            var reader = new NfReader(datagram);
            while (reader.next()) {
                if (reader.type() == NfTables.NLMSG_ERROR && reader.error() == 0) {
                    deleted++;
                } else if (reader.type() == NfTables.NLMSG_ERROR && reader.error() != Errno.ENOENT) { // ENOENT: ended itself
                    throw new KernelException("conntrack", "deletion of a flow", reader.error(), reader.errorText());
                }
            }
        }
        return deleted;
    }

    @Override
    public void close() {
        socket.close();
    }
}
