package carafe.kernel;

import static carafe.kernel.Rtnetlink.NLM_F_CREATE;
import static carafe.kernel.Rtnetlink.NLM_F_EXCL;
import static carafe.kernel.Rtnetlink.NLM_F_REPLACE;

import java.util.List;
import java.util.function.UnaryOperator;
import java.util.Optional;
import java.util.stream.Stream;

/// One change of links, addresses, routes or neighbours, for [Netlink#perform]. Descriptors of namespaces are borrowed
/// until then. Source: rtnetlink(7), linux/if_link.h.
public final class NetRequest {

    private static final int AT_ONCE = NLM_F_CREATE | NLM_F_EXCL;

    private static final int LAST_METRIC = 4096; // of the kernel's own routes none is as high

    private final byte[] message;
    private final String what;
    private final List<Fd> borrowed;

    private NetRequest(NetlinkMessage message, String what, List<Fd> borrowed) {
        this.message = message.bytes();
        this.what = what;
        this.borrowed = borrowed;
    }

    byte[] message() {
        return message;
    }

    /// What it does, for messages: `add link eth0`.
    public String what() {
        return what;
    }

    /// Descriptors whose numbers stand in the message.
    List<Fd> borrowed() {
        return borrowed;
    }

    private static NetlinkMessage link(int type, int flags, int index, int up) {
        return new NetlinkMessage(type, flags).u8(0).u8(0).u16(0).u32(index).u32(up).u32(up);
    }

    private static void describe(NetlinkMessage message, LinkEnd end) {
        message.put(Rtnetlink.IFLA_IFNAME, end.name());
        end.mac().ifPresent(mac -> message.put(Rtnetlink.IFLA_ADDRESS, mac));
        if (end.mtu() > 0) {
            message.put32(Rtnetlink.IFLA_MTU, end.mtu());
        }
        end.namespace().ifPresent(fd -> message.put32(Rtnetlink.IFLA_NET_NS_FD, fd.number()));
        if (end.master() > 0) {
            message.put32(Rtnetlink.IFLA_MASTER, end.master());
        }
    }

    private static NetRequest made(NetlinkMessage message, LinkEnd end, List<Fd> borrowed) {
        return new NetRequest(message, "add link " + end.name(), borrowed);
    }

    private static NetlinkMessage begun(LinkEnd end, String kind) {
        var message = link(Rtnetlink.RTM_NEWLINK, AT_ONCE, 0, end.up() ? Rtnetlink.IFF_UP : 0);
        describe(message, end);
        return message.begin(Rtnetlink.IFLA_LINKINFO).put(Rtnetlink.IFLA_INFO_KIND, kind);
    }

    private static List<Fd> namespaces(Optional<Fd> one, Optional<Fd> other) {
        return Stream.of(one, other).flatMap(Optional::stream).toList();
    }

    /// A link of a kind that needs no more than its name: `bridge`, `dummy`.
    public static NetRequest addLink(LinkEnd end, String kind) {
        return made(begun(end, kind).end(), end, namespaces(end.namespace(), Optional.empty()));
    }

    /// A pair, each end where and as it says, in one message: nothing is moved afterwards, which would wait for RCU. The
    /// peer is born before its end and cannot be up. Each has one queue a direction, as veth uses unless told otherwise: made
    /// with one per processor, it would wait for RCU to give the rest back.
    public static NetRequest addVeth(LinkEnd end, LinkEnd peer) {
        if (peer.up()) {
            throw new IllegalArgumentException("a peer cannot be up before its end is there: " + peer.name());
        }
        var message = begun(end, "veth").begin(Rtnetlink.IFLA_INFO_DATA).begin(Rtnetlink.VETH_INFO_PEER)
                .u8(0).u8(0).u16(0).u32(0).u32(0).u32(0);
        describe(message, peer);
        oneQueue(oneQueue(message).end().end().end());
        return made(message, end, namespaces(end.namespace(), peer.namespace()));
    }

    private static NetlinkMessage oneQueue(NetlinkMessage message) {
        return message.put32(Rtnetlink.IFLA_NUM_TX_QUEUES, 1).put32(Rtnetlink.IFLA_NUM_RX_QUEUES, 1);
    }

    /// How a macvlan or ipvlan link shares its parent.
    public enum Sharing {
        MACVLAN_BRIDGE("macvlan", Rtnetlink.MACVLAN_MODE_BRIDGE),
        MACVLAN_PRIVATE("macvlan", Rtnetlink.MACVLAN_MODE_PRIVATE),
        MACVLAN_VEPA("macvlan", Rtnetlink.MACVLAN_MODE_VEPA),
        MACVLAN_PASSTHRU("macvlan", Rtnetlink.MACVLAN_MODE_PASSTHRU),
        IPVLAN_L2("ipvlan", Rtnetlink.IPVLAN_MODE_L2),
        IPVLAN_L3("ipvlan", Rtnetlink.IPVLAN_MODE_L3),
        IPVLAN_L3S("ipvlan", Rtnetlink.IPVLAN_MODE_L3S);

        private final String kind;
        private final int mode;

        Sharing(String kind, int mode) {
            this.kind = kind;
            this.mode = mode;
        }
    }

    /// What passes between the ipvlan links of one parent: everything, nothing, or what a switch outside sends back.
    public enum IpvlanFlag {
        BRIDGE(0),
        PRIVATE(Rtnetlink.IPVLAN_F_PRIVATE),
        VEPA(Rtnetlink.IPVLAN_F_VEPA);

        private final int bits;

        IpvlanFlag(int bits) {
            this.bits = bits;
        }
    }

    /// A link on top of the link with index `parent`. Mode and flag of ipvlan are the parent's: the latest that are given
    /// hold for all its links. `flag` means nothing to macvlan.
    public static NetRequest addShared(LinkEnd end, int parent, Sharing sharing, IpvlanFlag flag) {
        var message = begun(end, sharing.kind).begin(Rtnetlink.IFLA_INFO_DATA);
        if (sharing.kind.equals("macvlan")) {
            message.put32(Rtnetlink.IFLA_MACVLAN_MODE, sharing.mode);
        } else {
            message.put16(Rtnetlink.IFLA_IPVLAN_MODE, sharing.mode).put16(Rtnetlink.IFLA_IPVLAN_FLAGS, flag.bits);
        }
        return made(message.end().end().put32(Rtnetlink.IFLA_LINK, parent), end,
                namespaces(end.namespace(), Optional.empty()));
    }

    /// An 802.1q link with that tag on top of the link with index `parent`.
    public static NetRequest addVlan(LinkEnd end, int parent, int tag) {
        var message = begun(end, "vlan").begin(Rtnetlink.IFLA_INFO_DATA).put16(Rtnetlink.IFLA_VLAN_ID, tag).end().end();
        return made(message.put32(Rtnetlink.IFLA_LINK, parent), end, namespaces(end.namespace(), Optional.empty()));
    }

    /// The link goes, with its peer.
    public static NetRequest deleteLink(String name) {
        return new NetRequest(link(Rtnetlink.RTM_DELLINK, 0, 0, 0).put(Rtnetlink.IFLA_IFNAME, name),
                "delete link " + name, List.of());
    }

    /// The same for one that may get another name meanwhile.
    public static NetRequest deleteLink(int index) {
        var message = new NetlinkMessage(Rtnetlink.RTM_DELLINK, 0).u8(0).u8(0).u16(0).u32(index).u32(0).u32(0);
        return new NetRequest(message, "delete link " + index, List.of());
    }

    /// All links of the group go at once: the kernel waits once for all of them.
    public static NetRequest deleteGroup(int group) {
        return new NetRequest(link(Rtnetlink.RTM_DELLINK, 0, 0, 0).put32(Rtnetlink.IFLA_GROUP, group),
                "delete the links of group " + group, List.of());
    }

    /// The link belongs to that group.
    public static NetRequest regroup(String name, int group) {
        return new NetRequest(link(Rtnetlink.RTM_SETLINK, 0, 0, 0)
                .put(Rtnetlink.IFLA_IFNAME, name).put32(Rtnetlink.IFLA_GROUP, group),
                "group link " + name, List.of());
    }

    /// The link is up, or down.
    public static NetRequest raise(int index, boolean up) {
        var message = new NetlinkMessage(Rtnetlink.RTM_SETLINK, 0)
                .u8(0).u8(0).u16(0).u32(index).u32(up ? Rtnetlink.IFF_UP : 0).u32(Rtnetlink.IFF_UP);
        return new NetRequest(message, (up ? "raise" : "lower") + " link " + index, List.of());
    }

    /// The link has a remark, which `ip link` shows; the kernel takes none while it makes a link.
    public static NetRequest remark(String name, String text) {
        return new NetRequest(link(Rtnetlink.RTM_SETLINK, 0, 0, 0)
                .put(Rtnetlink.IFLA_IFNAME, name).put(Rtnetlink.IFLA_IFALIAS, text),
                "remark on link " + name, List.of());
    }

    /// The link, still down, will take no fe80 address by itself.
    public static NetRequest quiet(String name) {
        var message = link(Rtnetlink.RTM_SETLINK, 0, 0, 0)
                .put(Rtnetlink.IFLA_IFNAME, name)
                .begin(Rtnetlink.IFLA_AF_SPEC)
                .begin(Rtnetlink.AF_INET6)
                .put8(Rtnetlink.IFLA_INET6_ADDR_GEN_MODE, Rtnetlink.IN6_ADDR_GEN_MODE_NONE)
                .end()
                .end();
        return new NetRequest(message, "quiet link " + name, List.of());
    }

    /// The link is up.
    public static NetRequest raise(String name) {
        return new NetRequest(link(Rtnetlink.RTM_SETLINK, 0, 0, Rtnetlink.IFF_UP).put(Rtnetlink.IFLA_IFNAME, name),
                "raise link " + name, List.of());
    }

    /// The link is up and asks nobody for hardware addresses: all it sends goes to its own.
    public static NetRequest raiseUnasking(String name) {
        return new NetRequest(link(Rtnetlink.RTM_SETLINK, 0, 0, Rtnetlink.IFF_UP | Rtnetlink.IFF_NOARP)
                .put(Rtnetlink.IFLA_IFNAME, name),
                "raise link " + name, List.of());
    }

    /// The link with that index has a place for classifiers of what comes in.
    static NetRequest addClassifiers(int index) {
        var message = new NetlinkMessage(Rtnetlink.RTM_NEWQDISC, AT_ONCE)
                .u8(0).u8(0).u16(0).u32(index).u32(Rtnetlink.TC_H_CLSACT & 0xFFFF0000).u32(Rtnetlink.TC_H_CLSACT).u32(0)
                .put(Rtnetlink.TCA_KIND, "clsact");
        return new NetRequest(message, "add classifiers to link " + index, List.of());
    }

    /// `program` sees every packet that comes in by the link with that index, and decides.
    static NetRequest addClassifier(int index, Fd program) {
        int all = Short.toUnsignedInt(Short.reverseBytes((short) Rtnetlink.ETH_P_ALL));
        var message = new NetlinkMessage(Rtnetlink.RTM_NEWTFILTER, AT_ONCE)
                .u8(0).u8(0).u16(0).u32(index).u32(0)
                .u32(Rtnetlink.TC_H_CLSACT & 0xFFFF0000 | Rtnetlink.TC_H_MIN_INGRESS).u32(1 << 16 | all)
                .put(Rtnetlink.TCA_KIND, "bpf")
                .begin(Rtnetlink.TCA_OPTIONS)
                .put32(Rtnetlink.TCA_BPF_FD, program.number())
                .put(Rtnetlink.TCA_BPF_NAME, "carafe")
                .put32(Rtnetlink.TCA_BPF_FLAGS, Rtnetlink.TCA_BPF_FLAG_ACT_DIRECT)
                .end();
        return new NetRequest(message, "add a classifier to link " + index, List.of(program));
    }

    /// Another largest packet.
    public static NetRequest resize(int index, int mtu) {
        return new NetRequest(link(Rtnetlink.RTM_SETLINK, 0, index, 0).put32(Rtnetlink.IFLA_MTU, mtu),
                "set the mtu of link " + index, List.of());
    }

    /// The link is a port of the bridge with that index; of none with 0.
    public static NetRequest enslave(String name, int bridge) {
        return new NetRequest(link(Rtnetlink.RTM_SETLINK, 0, 0, 0)
                .put(Rtnetlink.IFLA_IFNAME, name).put32(Rtnetlink.IFLA_MASTER, bridge),
                "attach link " + name, List.of());
    }

    /// A link that was down and alone becomes a port of that bridge, with this largest packet (0: as it is), and is up.
    public static NetRequest plug(String name, int bridge, int mtu) {
        var message = link(Rtnetlink.RTM_SETLINK, 0, 0, Rtnetlink.IFF_UP);
        describe(message, LinkEnd.named(name).portOf(bridge).mtu(mtu));
        return new NetRequest(message, "plug link " + name, List.of());
    }

    /// The link with that index, still down, is called and set up as `end` says; where it is stays as it is.
    public static NetRequest dress(int index, LinkEnd end) {
        if (end.namespace().isPresent() || end.master() > 0 || end.up()) {
            throw new IllegalArgumentException("a link is dressed where it is, and down: " + end.name());
        }
        var message = link(Rtnetlink.RTM_SETLINK, 0, index, 0);
        describe(message, end);
        return new NetRequest(message, "dress link " + end.name(), List.of());
    }

    /// The bridge passes nothing between this port and other isolated ones.
    public static NetRequest isolate(String name) {
        return port(name, Rtnetlink.IFLA_BRPORT_ISOLATED, "isolate link ");
    }

    /// The bridge sends back through this port what came in by it, if that is where it goes.
    public static NetRequest hairpin(String name) {
        return port(name, Rtnetlink.IFLA_BRPORT_MODE, "let turn back what comes by link ");
    }

    /// The bridge passes nothing to this port any more, and (since Linux 5.18; an older one passes over that word) nothing from
    /// it: it forgets who is behind it, and learns nobody. Quicker than its removal.
    public static NetRequest mute(String name) {
        return port(name, message -> message
                .put8(Rtnetlink.IFLA_BRPORT_LEARNING, 0)
                .put8(Rtnetlink.IFLA_BRPORT_UNICAST_FLOOD, 0)
                .put8(Rtnetlink.IFLA_BRPORT_MCAST_FLOOD, 0)
                .put8(Rtnetlink.IFLA_BRPORT_BCAST_FLOOD, 0)
                .put8(Rtnetlink.IFLA_BRPORT_LOCKED, 1)
                .put(Rtnetlink.IFLA_BRPORT_FLUSH, new byte[0]), "mute link ");
    }

    private static NetRequest port(String name, int flag, String what) {
        return port(name, message -> message.put8(flag, 1), what);
    }

    private static NetRequest port(String name, UnaryOperator<NetlinkMessage> settings, String what) {
        var message = link(Rtnetlink.RTM_NEWLINK, 0, 0, 0)
                .put(Rtnetlink.IFLA_IFNAME, name)
                .begin(Rtnetlink.IFLA_LINKINFO)
                .put(Rtnetlink.IFLA_INFO_SLAVE_KIND, "bridge")
                .begin(Rtnetlink.IFLA_INFO_SLAVE_DATA);
        return new NetRequest(settings.apply(message).end().end(), what + name, List.of());
    }

    /// The link has this address (4 or 16 bytes) in a range of that prefix; an address that is there already stays. No
    /// other host is asked whether it has it too.
    public static NetRequest addAddress(int index, byte[] address, int prefix) {
        boolean six = address.length == 16;
        var message = new NetlinkMessage(Rtnetlink.RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE)
                .u8(six ? Rtnetlink.AF_INET6 : Rtnetlink.AF_INET).u8(prefix).u8(0).u8(Rtnetlink.RT_SCOPE_UNIVERSE).u32(index)
                .put(Rtnetlink.IFA_LOCAL, address)
                .put(Rtnetlink.IFA_ADDRESS, address);
        if (six) {
            message.put32(Rtnetlink.IFA_FLAGS, Rtnetlink.IFA_F_NODAD);
        } else if (prefix < 31) {
            message.put(Rtnetlink.IFA_BROADCAST, broadcast(address, prefix));
        }
        return new NetRequest(message, "add an address to link " + index, List.of());
    }

    private static byte[] broadcast(byte[] address, int prefix) {
        byte[] last = address.clone();
        for (int bit = prefix; bit < 32; bit++) {
            last[bit / 8] |= (byte) (0x80 >> bit % 8);
        }
        return last;
    }

    /// The link loses the address.
    public static NetRequest deleteAddress(int index, byte[] address, int prefix) {
        var message = new NetlinkMessage(Rtnetlink.RTM_DELADDR, 0)
                .u8(address.length == 16 ? Rtnetlink.AF_INET6 : Rtnetlink.AF_INET).u8(prefix).u8(0).u8(0).u32(index)
                .put(Rtnetlink.IFA_LOCAL, address);
        return new NetRequest(message, "delete an address of link " + index, List.of());
    }

    /// Packets for `destination` (empty: everything of the family) leave by the link, to `gateway` if one is given. A
    /// route that is there is replaced.
    public static NetRequest addRoute(RouteInfo route) {
        return new NetRequest(route(route, Rtnetlink.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE), "add a route", List.of());
    }

    /// Like [#addRoute] for packets of at most `mtu` bytes; fails where somebody has a route to there already.
    public static NetRequest claimRoute(RouteInfo route, int mtu) {
        var message = route(route, Rtnetlink.RTM_NEWROUTE, AT_ONCE)
                .begin(Rtnetlink.RTA_METRICS)
                .put32(Rtnetlink.RTAX_LOCK, 1 << Rtnetlink.RTAX_MTU)
                .put32(Rtnetlink.RTAX_MTU, mtu)
                .end();
        return new NetRequest(message, "claim a route", List.of());
    }

    /// Packets for `address` that come in by the link are for this host itself, if no other link's route says so sooner.
    public static NetRequest addLocalRoute(byte[] address, int link) {
        var message = new NetlinkMessage(Rtnetlink.RTM_NEWROUTE, NLM_F_CREATE)
                .u8(address.length == 16 ? Rtnetlink.AF_INET6 : Rtnetlink.AF_INET)
                .u8(address.length * 8).u8(0).u8(0).u8(Rtnetlink.RT_TABLE_LOCAL).u8(Rtnetlink.RTPROT_BOOT)
                .u8(Rtnetlink.RT_SCOPE_UNIVERSE).u8(Rtnetlink.RTN_LOCAL).u32(0)
                .put(Rtnetlink.RTA_DST, address)
                .put32(Rtnetlink.RTA_OIF, link)
                .put32(Rtnetlink.RTA_PRIORITY, LAST_METRIC);
        return new NetRequest(message, "add a local route", List.of());
    }

    /// The route goes.
    public static NetRequest deleteRoute(RouteInfo route) {
        return new NetRequest(route(route, Rtnetlink.RTM_DELROUTE, 0), "delete a route", List.of());
    }

    private static NetlinkMessage route(RouteInfo route, int type, int flags) {
        var message = new NetlinkMessage(type, flags)
                .u8(route.six() ? Rtnetlink.AF_INET6 : Rtnetlink.AF_INET)
                .u8(route.prefix()).u8(0).u8(0).u8(Rtnetlink.RT_TABLE_MAIN).u8(Rtnetlink.RTPROT_BOOT)
                .u8(route.gateway().length == 0 ? Rtnetlink.RT_SCOPE_LINK : Rtnetlink.RT_SCOPE_UNIVERSE)
                .u8(Rtnetlink.RTN_UNICAST).u32(0);
        if (route.destination().length > 0) {
            message.put(Rtnetlink.RTA_DST, route.destination());
        }
        if (route.gateway().length > 0) {
            message.put(Rtnetlink.RTA_GATEWAY, route.gateway());
        }
        return route.link() == 0 ? message : message.put32(Rtnetlink.RTA_OIF, route.link());
    }

    /// The neighbour with this address has that hardware address, for ever.
    public static NetRequest addNeighbour(int index, byte[] address, byte[] mac) {
        var message = new NetlinkMessage(Rtnetlink.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE)
                .u8(address.length == 16 ? Rtnetlink.AF_INET6 : Rtnetlink.AF_INET).u8(0).u16(0).u32(index)
                .u16(Rtnetlink.NUD_PERMANENT).u8(0).u8(0)
                .put(Rtnetlink.NDA_DST, address)
                .put(Rtnetlink.NDA_LLADDR, mac);
        return new NetRequest(message, "add a neighbour of link " + index, List.of());
    }
}
