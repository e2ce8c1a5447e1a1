package carafe.network;

import carafe.kernel.AddressInfo;
import carafe.kernel.KernelException;
import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import carafe.kernel.RouteInfo;
import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The bridges of this engine on the host. A bridge that it made carries a remark with the engine's mark, so that it is
/// found after a crash and no other bridge is ever removed.
final class Bridges {

    private static final Logger LOG = LoggerFactory.getLogger(Bridges.class);

    private static final int MOST_REMARK = 255;
    private static final String RETIRED = "gone-";
    private static final int MOST_DEFAULTS = 1000;
    private static final Path SETTINGS = Path.of("/proc/sys/net");

    private final Netlink netlink;
    private final NamespaceThread thread;
    private final String remark;
    private final String description;
    private final boolean forward;
    private final BridgeNotes notes;
    private final RetiredBridges retired;
    private final ConcurrentMap<String, Integer> indexes = new ConcurrentHashMap<>();
    private final Set<String> own = ConcurrentHashMap.newKeySet();

    /// `remark` begins the remark on every bridge of this engine. The run directory is there; `retired` is the caller's.
    Bridges(Netlink netlink, NamespaceThread thread, String remark, FabricConfig config, RetiredBridges retired) {
        this.netlink = netlink;
        this.thread = thread;
        this.remark = remark;
        String text = remark + " " + config.place().name();
        this.description = text.substring(0, Math.min(text.length(), MOST_REMARK));
        this.forward = config.forward();
        this.notes = new BridgeNotes(config.place().runDirectory());
        this.retired = retired;
    }

    /// What this engine remarks on the links it makes.
    String description() {
        return description;
    }

    /// Whether a remark says that a bridge is this engine's.
    boolean isOurs(String alias) {
        return alias.equals(remark) || alias.startsWith(remark + " ");
    }

    /// Whether the network's bridge was made or found by this engine since it started, and has its rules.
    boolean isKnown(String networkId) {
        return indexes.containsKey(networkId);
    }

    /// Whether the network's bridge is one that this engine made, and had a number among `links`, or may have had.
    boolean lost(String networkId, Set<Integer> links, boolean any) {
        return own.contains(networkId) && (any || links.contains(indexes.getOrDefault(networkId, 0)));
    }

    /// The name of the default bridge: the one configured, the one it had, or the first that no other engine has.
    String defaultName(FabricConfig.DefaultBridge wanted, Optional<Network> known) throws EngineException {
        if (wanted.link().isPresent()) {
            return wanted.link().get();
        }
        try {
            if (known.isPresent() && isFree(known.get().link())) {
                return known.get().link();
            }
            for (int number = 0; number < MOST_DEFAULTS; number++) {
                if (isFree(FabricConfig.DefaultBridge.LINK + number)) {
                    return FabricConfig.DefaultBridge.LINK + number;
                }
            }
        } catch (KernelException e) {
            throw Trouble.of("cannot look for a name for the default bridge", e);
        }
        throw new EngineException.Unavailable("the host has " + MOST_DEFAULTS + " default bridges of other engines");
    }

    private boolean isFree(String name) throws KernelException {
        var link = netlink.link(name);
        return link.isEmpty() || isOurs(link.get().alias());
    }

    /// A bridge that is there; `own` if this engine made it, `fresh` if just now. Else `added` are the addresses that one of
    /// the host's was given just now.
    record Made(int index, boolean own, boolean fresh, List<Cidr.Host> added) {}

    /// Makes the bridge, or brings it to what it should be. Nobody is put into it before [#note], for it has no rules yet.
    /// One that cannot become what it should be is not left behind.
    Made make(Network network) throws EngineException {
        String link = network.link();
        try {
            var there = netlink.link(link);
            if (there.isPresent() && !there.get().kind().equals("bridge")) {
                throw new EngineException.Invalid("cannot create network " + network.name() + ": the host has a link "
                        + link + " that is no bridge; choose another name with -o " + LinkOptions.BRIDGE_NAME + "=NAME");
            }
            if (there.isPresent() && !isOurs(there.get().alias()) && claimed(there.get())) {
                throw new EngineException.Conflict("cannot create network " + network.name() + ": bridge " + link
                        + " belongs to another engine of this host; choose another name with -o "
                        + LinkOptions.BRIDGE_NAME + "=NAME");
            }
            return there.isPresent() ? adopt(network, there.get()) : anew(network);
        } catch (KernelException e) {
            throw Trouble.of("cannot make the bridge " + link + " of network " + network.name(), e);
        }
    }

    private Made adopt(Network network, LinkInfo there) throws KernelException, EngineException {
        if (!isOurs(there.alias())) {
            return new Made(there.index(), false, false, furnish(network, there.index()));
        }
        configure(network, there.index(), true);
        return new Made(there.index(), true, false, List.of());
    }

    /// The addresses of a bridge of the host's, its own link-local ones aside, in its order; none of one that is ours.
    List<Cidr.Host> hosts(String link) throws EngineException {
        try {
            var there = netlink.link(link);
            return there.isEmpty() || isOurs(there.get().alias()) ? List.of()
                    : addresses(there.get().index()).stream().filter(one -> !one.address().isLinkLocal()).toList();
        } catch (KernelException e) {
            throw Trouble.of("cannot read the addresses of the bridge " + link, e);
        }
    }

    private List<Cidr.Host> addresses(int index) throws KernelException {
        return netlink.addresses().stream()
                .filter(address -> address.link() == index)
                .map(address -> new Cidr.Host(IpAddress.of(address.address()), address.prefix()))
                .toList();
    }

    /// The network with a remark of those of its addresses that its bridge, one of the host's, had already, but for those
    /// that came there with `known`, the same network before.
    Network keeping(Network network, Optional<Network> known) throws EngineException {
        if (network.driver() != Driver.BRIDGE) {
            return network;
        }
        var added = known.filter(before -> before.link().equals(network.link())).map(Bridges::added).orElse(List.of());
        var wanted = hostAddresses(network);
        var kept = hosts(network.link()).stream().filter(one -> wanted.contains(one) && !added.contains(one)).toList();
        return kept.isEmpty() ? network : network.with(LinkOptions.KEPT,
                String.join(",", kept.stream().map(Cidr.Host::toString).toList()));
    }

    /// The addresses that the network brought to its bridge.
    private static List<Cidr.Host> added(Network network) {
        var kept = List.of(network.options().getOrDefault(LinkOptions.KEPT, "").split(","));
        return hostAddresses(network).stream().filter(address -> !kept.contains(address.toString())).toList();
    }

    /// What the host has on the link that the network is on, unless that is the engine's own: no container can have it.
    Set<IpAddress> others(Network network) throws EngineException {
        return network.link().isEmpty() || own.contains(network.id())
                ? Set.of()
                : hosts(network.link()).stream().map(Cidr.Host::address).collect(Collectors.toSet());
    }

    /// A bridge of the host's is only added to. What was added.
    private List<Cidr.Host> furnish(Network network, int index) throws KernelException, EngineException {
        boolean six = network.subnet(true).isPresent();
        if (six) {
            thread.setHere(new NetNamespace.Settings(Map.of("ipv6/conf/" + network.link() + "/disable_ipv6", "0")));
        }
        forward(six);
        var there = addresses(index);
        var missing = hostAddresses(network).stream().filter(address -> !there.contains(address)).toList();
        if (!missing.isEmpty()) {
            note(network);
        }
        var requests = new ArrayList<NetRequest>();
        missing.forEach(address ->
                requests.add(NetRequest.addAddress(index, address.address().bytes(), address.prefix())));
        requests.add(NetRequest.raise(index, true));
        boolean done = false;
        try {
            netlink.perform(requests);
            done = true;
        } finally {
            if (!done) {
                withdraw(network, missing);
            }
        }
        return missing;
    }

    private void note(Network network) throws EngineException {
        try {
            notes.write(network);
        } catch (IOException e) {
            throw Trouble.of("cannot note that network " + network.name() + " adds addresses to " + network.link(), e);
        }
    }

    /// Takes from the host's bridges what networks added that are none of those `known`: their engine died before it had
    /// written them down, or after it had erased them.
    void takeBack(Set<String> known) throws EngineException {
        for (var network : notes.all()) {
            if (!known.contains(network.id())) {
                LOG.info("sweeping the addresses {} that no network has on bridge {}", added(network), network.link());
                try {
                    withdraw(network, added(network));
                } catch (KernelException e) {
                    throw Trouble.of("cannot take the addresses of network " + network.name() + " from " + network.link(), e);
                }
            }
        }
    }

    /// Takes `addresses` from the bridge, if it is one of the host's, and with the last of them the note.
    private void withdraw(Network network, List<Cidr.Host> addresses) throws KernelException, EngineException {
        var link = netlink.link(network.link());
        if (link.isPresent() && link.get().kind().equals("bridge") && !isOurs(link.get().alias())) {
            int index = link.get().index();
            var requests = new ArrayList<NetRequest>();
            addresses.forEach(address ->
                    requests.add(NetRequest.deleteAddress(index, address.address().bytes(), address.prefix())));
            netlink.attempt(requests); // what somebody else took away is what was wanted
        }
        if (addresses.containsAll(added(network))) {
            try {
                notes.remove(network.id());
            } catch (IOException e) {
                LOG.warn("the note about network {} stays until the engine's next start: {}", network.name(), e.getMessage());
            }
        }
    }

    private Made anew(Network network) throws KernelException, EngineException {
        var outcomes = netlink.attempt(List.of( // in one call, so that no crash leaves one that nobody knows
                NetRequest.addLink(end(network), "bridge"), NetRequest.remark(network.link(), description)));
        if (outcomes.getFirst().isPresent()) {
            throw outcomes.getFirst().get();
        }
        boolean made = false;
        try {
            if (outcomes.getLast().isPresent()) {
                throw outcomes.getLast().get();
            }
            int index = netlink.link(network.link()).map(LinkInfo::index).orElseThrow(() -> gone(network));
            configure(network, index, false);
            made = true;
            return new Made(index, true, true, List.of());
        } finally {
            if (!made) {
                delete(network);
            }
        }
    }

    /// Takes away what [#make] made or added, if it did; for a bridge that got no rules.
    void undo(Network network, Made made) throws EngineException {
        if (made.fresh()) {
            delete(network);
        } else if (!made.added().isEmpty()) {
            try {
                withdraw(network, made.added());
            } catch (KernelException e) {
                LOG.warn("bridge {} keeps the addresses of network {} until the engine's next start: {}",
                        network.link(), network.name(), e.getMessage());
            }
        }
    }

    private void delete(Network network) {
        try {
            netlink.perform(NetRequest.deleteLink(network.link()));
        } catch (KernelException e) {
            LOG.warn("bridge {} of network {} stays until the engine's next start: {}",
                    network.link(), network.name(), e.getMessage());
        }
    }

    /// The bridge is `made` and has its rules: from now on it is known.
    void note(Network network, Made made) {
        indexes.put(network.id(), made.index());
        if (made.own()) {
            own.add(network.id());
        }
    }

    /// A bridge that is given no address takes that of one of its ports, and changes it when the port goes.
    private static LinkEnd end(Network network) {
        var end = LinkEnd.named(network.link()).mtu(network.settings().mtu());
        return network.subnet(false).flatMap(Subnet::gateway)
                .map(gateway -> end.mac(MacAddress.of(gateway).bytes()))
                .orElse(end);
    }

    private static boolean claimed(LinkInfo link) {
        return link.alias().startsWith("carafe ");
    }

    private static EngineException.Unavailable gone(Network network) {
        return new EngineException.Unavailable("the bridge " + network.link() + " of network " + network.name()
                + " vanished while it was made");
    }

    private void configure(Network network, int index, boolean old) throws KernelException {
        boolean six = network.subnet(true).isPresent();
        String conf = "ipv6/conf/" + network.link();
        var settings = new LinkedHashMap<String, String>();
        settings.put(conf + "/accept_ra", "0");
        settings.put(conf + "/disable_ipv6", six ? "0" : "1");
        thread.setHere(new NetNamespace.Settings(settings));
        forward(six);
        var requests = new ArrayList<NetRequest>();
        var wanted = hostAddresses(network);
        for (var address : old ? netlink.addresses() : List.<AddressInfo>of()) {
            var known = new Cidr.Host(IpAddress.of(address.address()), address.prefix());
            if (address.link() == index && !wanted.contains(known) && !known.address().isLinkLocal()) {
                requests.add(NetRequest.deleteAddress(index, address.address(), address.prefix()));
            }
        }
        for (var address : wanted) {
            requests.add(NetRequest.addAddress(index, address.address().bytes(), address.prefix()));
        }
        requests.add(NetRequest.raise(index, true));
        netlink.perform(requests);
    }

    /// The host's own addresses in the network.
    private static List<Cidr.Host> hostAddresses(Network network) {
        var addresses = new ArrayList<Cidr.Host>();
        boolean silent = LinkOptions.isTrue(network.options().getOrDefault(LinkOptions.INHIBIT, "false"));
        for (var subnet : network.addressing().subnets()) {
            var mode = subnet.six() ? network.settings().gatewaySix() : network.settings().gatewayFour();
            boolean isolated = mode == LinkOptions.GatewayMode.ISOLATED;
            if (subnet.gateway().isPresent() && !isolated && !(silent && !subnet.six())) {
                addresses.add(new Cidr.Host(subnet.gateway().get(), subnet.range().prefix()));
            }
        }
        return addresses;
    }

    /// Without forwarding no packet passes a bridge.
    private void forward(boolean six) throws KernelException {
        if (!forward) {
            return;
        }
        var links = netlink.links();
        var routes = six ? netlink.routes() : List.<RouteInfo>of();
        var settings = thread.insideHome(() -> RouterSettings.missing(links, routes, six, Bridges::read));
        if (!settings.isEmpty()) {
            thread.setHere(new NetNamespace.Settings(settings));
        }
    }

    private static String read(String setting) {
        try {
            return Files.readString(SETTINGS.resolve(setting)).strip();
        } catch (IOException e) {
            return ""; // a kernel without the family
        }
    }

    /// The bridge's index as it was last seen.
    /// @throws EngineException.Unavailable it is not known, or no more
    int index(Network network) throws EngineException.Unavailable {
        var known = indexes.get(network.id());
        if (known == null) {
            throw new EngineException.Unavailable("network " + network.name() + " has no bridge: it was removed meanwhile");
        }
        return known;
    }

    /// Whether the bridge is there, and is the one whose index is known.
    boolean isThere(Network network) throws EngineException {
        try {
            var link = netlink.link(network.link());
            return link.isPresent() && link.get().index() == indexes.getOrDefault(network.id(), 0);
        } catch (KernelException e) {
            throw Trouble.of("cannot look for the bridge " + network.link(), e);
        }
    }

    /// What the network's bridge lacks: the end of a sentence; empty if nothing.
    Optional<String> fault(Network network) throws EngineException {
        try {
            var link = netlink.link(network.link());
            if (link.isEmpty()) {
                return Optional.of("it is missing");
            }
            if (link.get().index() != indexes.getOrDefault(network.id(), 0)) {
                return Optional.of("it is another one than was made");
            }
            if (!link.get().up()) {
                return Optional.of("it is down");
            }
            var there = addresses(link.get().index());
            return hostAddresses(network).stream().filter(address -> !there.contains(address)).findFirst()
                    .map(address -> "it has no address " + address);
        } catch (KernelException e) {
            throw Trouble.of("cannot look for the bridge " + network.link(), e);
        }
    }

    /// The bridge goes if this engine made it; one that a user made loses what the network added only.
    void remove(Network network) throws EngineException {
        try {
            indexes.remove(network.id());
            own.remove(network.id());
            var link = netlink.link(network.link());
            if (link.isPresent() && link.get().kind().equals("bridge") && isOurs(link.get().alias())) {
                retire(link.get());
            } else {
                withdraw(network, added(network));
            }
        } catch (KernelException e) {
            throw Trouble.of("cannot remove the bridge " + network.link() + " of network " + network.name(), e);
        }
    }

    /// The kernel needs 20-40 ms to remove a bridge. At once it carries nothing any more, and its name and its addresses
    /// are free; it goes in the background. An engine that dies meanwhile leaves what [#sweep] finds.
    private void retire(LinkInfo link) throws KernelException {
        int index = link.index();
        var requests = new ArrayList<NetRequest>();
        for (var address : addresses(index)) {
            if (!address.address().six()) { // the kernel takes the others as the link goes down
                requests.add(NetRequest.deleteAddress(index, address.address().bytes(), address.prefix()));
            }
        }
        int attempted = requests.size();
        requests.add(NetRequest.raise(index, false));
        requests.add(NetRequest.dress(index, LinkEnd.named(RETIRED + index)));
        var outcomes = netlink.attempt(requests);
        if (outcomes.subList(attempted, outcomes.size()).stream().allMatch(Optional::isEmpty)) {
            retired.add(index);
        } else {
            netlink.perform(NetRequest.deleteLink(index));
        }
    }

    /// Bridges, and links made to be shared, with this engine's mark that belong to none of `networks` go. Meanwhile nobody
    /// else makes one.
    void sweep(Map<String, Network> networks) throws KernelException {
        var names = networks.values().stream().map(Network::link).toList();
        for (var link : netlink.links()) {
            if (isOurs(link.alias()) && !names.contains(link.name())) {
                LOG.info("sweeping the link {} that no network owns", link.name());
                try {
                    retire(link);
                } catch (KernelException e) {
                    LOG.warn("link {} stays until the engine's next start: {}", link.name(), e.getMessage());
                }
            }
        }
    }

    /// The link with that name, whoever owns it.
    Optional<LinkInfo> link(String name) throws KernelException {
        return netlink.link(name);
    }
}
