package carafe.network;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import carafe.spec.EngineException;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The links of the host that macvlan and ipvlan networks share. One that is missing is made, if its name says how: an
/// 802.1q link for `eth0.10`, and for a network that names no link one that leads nowhere, so that its containers reach
/// each other only. What was made carries the engine's remark, and goes with the last network that shares it; one that
/// somebody deletes takes all links on it along, and is made again by [LinuxFabric].
final class Parents {

    private static final Logger LOG = LoggerFactory.getLogger(Parents.class);
    private static final int MOST_VLAN = 4094; // 4095 is reserved: IEEE 802.1Q

    private final Netlink netlink;
    private final Bridges bridges;
    private final ConcurrentMap<String, LinkInfo> own = new ConcurrentHashMap<>();

    /// `bridges` knows the engine's remark.
    Parents(Netlink netlink, Bridges bridges) {
        this.netlink = netlink;
        this.bridges = bridges;
    }

    /// The name of the link that a network shares which names none.
    static String nowhere(Driver driver, String networkId) {
        return (driver == Driver.MACVLAN ? "dm-" : "di-") + networkId.substring(0, 12);
    }

    /// Refuses what contradicts those of `others` that share the same link: the kernel keeps the mode and the flag of
    /// ipvlan per parent, so that another network's would change those of containers that run.
    static void check(Network network, Collection<Network> others) throws EngineException {
        if (network.link().equals("lo")) {
            throw new EngineException.Invalid(
                    "loopback interface is not a valid " + network.driver().word() + " parent link");
        }
        var sharing = Cables.sharing(network);
        var flag = Cables.flag(network);
        for (var other : others) {
            if (!other.link().equals(network.link()) || !other.shares() || other.id().equals(network.id())) {
                continue;
            }
            if (other.driver() == Driver.IPVLAN && network.driver() == Driver.IPVLAN
                    && (Cables.sharing(other) != sharing || Cables.flag(other) != flag)) {
                throw new EngineException.Forbidden("cannot create ipvlan network " + network.name() + ": network "
                        + other.name() + " already shares " + network.link() + " with ipvlan_mode "
                        + word(Cables.sharing(other)) + " and ipvlan_flag " + word(Cables.flag(other))
                        + ", and a link has one of each; name the same, or another parent");
            }
            boolean alone = sharing == NetRequest.Sharing.MACVLAN_PASSTHRU
                    || other.driver() == Driver.MACVLAN && Cables.sharing(other) == NetRequest.Sharing.MACVLAN_PASSTHRU;
            if (alone) {
                throw new EngineException.Forbidden("cannot create " + network.driver().word() + " network "
                        + network.name() + ": network " + other.name() + " already uses parent interface "
                        + network.link() + ", which mode passthru gives to one network alone");
            }
        }
    }

    private static String word(Enum<?> choice) {
        return choice.name().replaceFirst("^.*_", "").toLowerCase(Locale.ROOT);
    }

    /// The link is there; it was, or is made.
    void make(Network network) throws EngineException {
        String link = network.link();
        try {
            if (netlink.link(link).isEmpty()) {
                anew(network);
            }
            own.remove(network.id());
            netlink.link(link).filter(there -> bridges.isOurs(there.alias()))
                    .ifPresent(there -> own.put(network.id(), there));
        } catch (KernelException e) {
            throw Trouble.of("cannot make the parent link " + link + " of network " + network.name(), e);
        }
    }

    private void anew(Network network) throws KernelException, EngineException {
        String link = network.link();
        if (link.equals(nowhere(network.driver(), network.id()))) {
            makeNowhere(network);
        } else {
            makeVlan(network);
        }
        boolean up = false;
        try {
            netlink.perform(NetRequest.raise(link));
            up = true;
        } finally {
            if (!up) {
                delete(network);
            }
        }
    }

    private void delete(Network network) {
        try {
            netlink.perform(NetRequest.deleteLink(network.link()));
        } catch (KernelException e) {
            LOG.warn("link {} of network {} stays until the engine's next start: {}",
                    network.link(), network.name(), e.getMessage());
        }
    }

    /// Whether the network's link is one that this engine made, and had a number among `links`, or may have had.
    boolean lost(String networkId, Set<Integer> links, boolean any) {
        var known = own.get(networkId);
        return known != null && (any || links.contains(known.index()));
    }

    /// Whether the link is there, and if this engine made it is the one that it made.
    boolean isThere(Network network) throws EngineException {
        try {
            var there = netlink.link(network.link());
            var known = Optional.ofNullable(own.get(network.id()));
            return there.isPresent() && known.map(one -> one.index() == there.get().index()).orElse(true);
        } catch (KernelException e) {
            throw Trouble.of("cannot look for the link " + network.link(), e);
        }
    }

    /// A kernel without dummy links has pairs of links: one whose other end is nobody's is as good. One that was there before
    /// has the hardware address that it had, for those of ipvlan are known by it.
    private void makeNowhere(Network network) throws KernelException {
        String link = network.link();
        int mtu = network.settings().mtu();
        var before = Optional.ofNullable(own.get(network.id()));
        var end = before.map(known -> LinkEnd.named(link).mac(known.mac())).orElse(LinkEnd.named(link)).mtu(mtu);
        var refused = marked(NetRequest.addLink(end, "dummy"), link);
        if (refused.isEmpty()) {
            return;
        }
        if (!refused.get().is(Errno.EOPNOTSUPP)) {
            throw refused.get();
        }
        String other = "x" + link.substring(1);
        var failed = marked(NetRequest.addVeth(end, LinkEnd.named(other).mtu(mtu)), link);
        if (failed.isPresent()) {
            throw failed.get();
        }
        netlink.perform(NetRequest.raise(other));
    }

    /// Makes a link and marks it as ours in the same call, so that no crash leaves one that nobody knows. How it failed.
    private Optional<KernelException> marked(NetRequest request, String link) throws KernelException {
        var outcomes = netlink.attempt(List.of(request, NetRequest.remark(link, bridges.description())));
        return outcomes.getFirst().isPresent() ? outcomes.getFirst() : outcomes.getLast();
    }

    private void makeVlan(Network network) throws KernelException, EngineException {
        String link = network.link();
        int dot = link.indexOf('.');
        String parent = dot < 0 ? link : link.substring(0, dot);
        String tag = dot < 0 ? "" : link.substring(dot + 1);
        var below = dot < 0 ? Optional.<LinkInfo>empty() : netlink.link(parent);
        if (below.isEmpty()) {
            throw new EngineException.Invalid("the " + network.driver().word() + " network " + network.name()
                    + " needs a link of the host to share: -o parent=LINK; there is no link " + parent);
        }
        int number = tag.matches("[0-9]{1,4}") ? Integer.parseInt(tag) : 0;
        if (number < 1 || number > MOST_VLAN) {
            throw new EngineException.Invalid("invalid parent interface " + link + ": there is no such link, and as one to"
                    + " be made its vlan id must be between 1-" + MOST_VLAN + ", as in " + parent + ".10");
        }
        var made = marked(NetRequest.addVlan(LinkEnd.named(link), below.get().index(), number), link);
        if (made.isPresent() && made.get().is(Errno.EOPNOTSUPP)) {
            throw new EngineException.Unsupported("cannot make " + link + ": this host's kernel has no 802.1q links; where"
                    + " they are a module: modprobe 8021q");
        }
        if (made.isPresent()) {
            throw made.get();
        }
    }

    /// The link goes if this engine made it and no other network of `left` shares it.
    void remove(Network network, Collection<Network> left) throws EngineException {
        own.remove(network.id());
        try {
            var link = netlink.link(network.link());
            boolean shared = left.stream()
                    .anyMatch(other -> !other.id().equals(network.id()) && other.link().equals(network.link()));
            if (link.isPresent() && bridges.isOurs(link.get().alias()) && !shared) {
                netlink.perform(NetRequest.deleteLink(network.link()));
            }
        } catch (KernelException e) {
            throw Trouble.of("cannot remove the parent link " + network.link() + " of network " + network.name(), e);
        }
    }
}
