package carafe.kernel;

import carafe.kernel.NetlinkReader.Message;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;

/// What messages about links, addresses and routes say.
final class NetlinkDumps {

    private static final int LINK_BYTES = 16;
    private static final int ADDRESS_BYTES = 8;
    private static final int ROUTE_BYTES = 12;

    private NetlinkDumps() {}

    static LinkInfo link(Message message) throws KernelException {
        var body = NetlinkReader.fixed(message, LINK_BYTES);
        var attributes = NetlinkReader.attributes(body, LINK_BYTES);
        int stats = Rtnetlink.IFLA_STATS64;
        // struct rtnl_link_stats64: packets, bytes, errors, dropped, each received, then sent
        var traffic = new LinkInfo.Traffic(
                attributes.longAt(stats, 16), attributes.longAt(stats, 0), attributes.longAt(stats, 32),
                attributes.longAt(stats, 48), attributes.longAt(stats, 24), attributes.longAt(stats, 8),
                attributes.longAt(stats, 40), attributes.longAt(stats, 56));
        var kind = attributes.nested(Rtnetlink.IFLA_LINKINFO);
        var port = kind.text(Rtnetlink.IFLA_INFO_SLAVE_KIND).equals("bridge")
                ? kind.nested(Rtnetlink.IFLA_INFO_SLAVE_DATA)
                : new NetlinkReader.Attributes(Map.of());
        return new LinkInfo(
                body.getInt(4),
                attributes.text(Rtnetlink.IFLA_IFNAME),
                kind.text(Rtnetlink.IFLA_INFO_KIND),
                attributes.bytes(Rtnetlink.IFLA_ADDRESS),
                attributes.number(Rtnetlink.IFLA_MTU, 0),
                attributes.number(Rtnetlink.IFLA_MASTER, 0),
                attributes.number(Rtnetlink.IFLA_LINK, 0),
                attributes.has(Rtnetlink.IFLA_LINK_NETNSID),
                (body.getInt(8) & Rtnetlink.IFF_UP) != 0,
                port.bytes(Rtnetlink.IFLA_BRPORT_ISOLATED).length == 1 && port.bytes(Rtnetlink.IFLA_BRPORT_ISOLATED)[0] == 1,
                attributes.text(Rtnetlink.IFLA_IFALIAS),
                traffic);
    }

    /// Empty for an address of another family.
    static Optional<AddressInfo> address(Message message) throws KernelException {
        var body = NetlinkReader.fixed(message, ADDRESS_BYTES);
        var attributes = NetlinkReader.attributes(body, ADDRESS_BYTES);
        byte[] address = attributes.bytes(
                attributes.has(Rtnetlink.IFA_LOCAL) ? Rtnetlink.IFA_LOCAL : Rtnetlink.IFA_ADDRESS);
        int prefix = body.get(1) & 0xff;
        if (!fits(body, address) || prefix > address.length * 8) {
            return Optional.empty();
        }
        return Optional.of(new AddressInfo(body.getInt(4), address, prefix));
    }

    /// Empty for a route of another family, or to many (multicast, blackhole).
    static Optional<RouteInfo> route(Message message) throws KernelException {
        var body = NetlinkReader.fixed(message, ROUTE_BYTES);
        var attributes = NetlinkReader.attributes(body, ROUTE_BYTES);
        boolean six = body.get(0) == Rtnetlink.AF_INET6;
        byte[] destination = attributes.bytes(Rtnetlink.RTA_DST);
        int prefix = body.get(1) & 0xff;
        boolean known = six || body.get(0) == Rtnetlink.AF_INET;
        boolean sound = destination.length == 0 ? prefix == 0 : fits(body, destination) && prefix <= destination.length * 8;
        if (!known || !sound || body.get(7) != Rtnetlink.RTN_UNICAST) {
            return Optional.empty();
        }
        byte[] gateway = attributes.bytes(Rtnetlink.RTA_GATEWAY);
        return Optional.of(new RouteInfo(
                six,
                destination,
                prefix,
                fits(body, gateway) ? gateway : new byte[0],
                attributes.number(Rtnetlink.RTA_OIF, 0),
                attributes.number(Rtnetlink.RTA_TABLE, body.get(4) & 0xff)));
    }

    private static boolean fits(ByteBuffer body, byte[] address) {
        return body.get(0) == Rtnetlink.AF_INET && address.length == 4
                || body.get(0) == Rtnetlink.AF_INET6 && address.length == 16;
    }
}
