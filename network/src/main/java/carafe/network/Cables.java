package carafe.network;

import carafe.kernel.Errno;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lays the link of one endpoint into a namespace and gives it its addresses. On the host one batch of messages makes the
/// pair, its far end born inside the namespace; inside one batch sets addresses and routes.
final class Cables {

    private static final Logger LOG = LoggerFactory.getLogger(Cables.class);

    /// Docker's word for settings of one interface.
    static final String SYSCTLS = "com.docker.network.endpoint.sysctls";

    /// How often a link is made in a bridge before it is told that the bridge is full, or that somebody deletes it again and
    /// again.
    private static final int MOST_TRIES = 4;

    private final Netlink host;
    private final NamespaceThread thread;
    private final Bridges bridges;
    private final Graveyard graveyard;
    private final Remade remade;
    private final Dying dying = new Dying();

    /// Makes the bridge of a network that has none, or has none any more, with all that belongs to it, or the link that its
    /// containers share; nothing, if it is there or the network was removed.
    interface Remade {
        void accept(Network network) throws EngineException;
    }

    /// `remade` is told of a network whose bridge or parent link somebody deleted, or could not be made before.
    Cables(Netlink host, NamespaceThread thread, Bridges bridges, Graveyard graveyard, Remade remade) {
        this.remade = remade;
        this.host = host;
        this.thread = thread;
        this.bridges = bridges;
        this.graveyard = graveyard;
    }

    /// A name for the end on the host that no link there has.
    String freeName(Marks marks) throws EngineException {
        try {
            String name = marks.hostLink();
            while (host.link(name).isPresent()) {
                name = marks.hostLink();
            }
            return name;
        } catch (KernelException e) {
            throw Trouble.of("cannot find a name for a link", e);
        }
    }

    /// Uses what was made ahead as the link of `place`: afterwards all is as [#lay] makes it. A cable that somebody deleted
    /// meanwhile is made anew: its ends died together, so both names are free.
    void use(NamespacePool.Cable cable, Cell.Place place, NetNamespace namespace) throws EngineException {
        var network = place.network();
        var endpoint = place.endpoint();
        int mtu = network.settings().mtu();
        try {
            namespace.netlink().perform(NetRequest.dress(
                    cable.inside(), LinkEnd.named(endpoint.interfaceName()).mac(endpoint.mac().bytes()).mtu(mtu)));
            plug(place, mtu);
        } catch (KernelException e) {
            if (!e.is(Errno.ENODEV)) {
                throw Trouble.of("cannot connect to network " + network.name(), e);
            }
            lay(place, namespace);
        }
    }

    /// Whose links are about to be removed: they are not heard any more when another has their addresses.
    Dying dying() {
        return dying;
    }

    /// Performs `requests`, and before them, mostly in the same call, mutes who had an address of `endpoint` before.
    /// @return the outcomes of `requests`
    private List<Optional<KernelException>> afterMuting(Endpoint endpoint, List<NetRequest> requests)
            throws KernelException {
        var before = dying.before(endpoint);
        var all = new ArrayList<NetRequest>();
        before.forEach(link -> all.add(NetRequest.mute(link)));
        all.addAll(requests);
        var outcomes = host.attempt(all);
        dying.silenced(endpoint, IntStream.range(0, before.size())
                .filter(at -> outcomes.get(at).map(e -> e.is(Errno.ENODEV)).orElse(true)) // one that is gone is as quiet
                .mapToObj(before::get).toList());
        return outcomes.subList(before.size(), all.size());
    }

    private static void check(List<Optional<KernelException>> outcomes) throws KernelException {
        for (var outcome : outcomes) {
            if (outcome.isPresent()) {
                throw outcome.get();
            }
        }
    }

    /// Takes the link of `place` out of its namespace, in which the container also has the `others`, whatever name it has
    /// by now.
    /// @return whether it was there; then its end on the host is gone, too
    boolean cut(Cell.Place place, List<Cell.Place> others, NetNamespace namespace) throws KernelException {
        var link = inside(place, others, namespace);
        if (link.isPresent()) {
            namespace.netlink().perform(NetRequest.raise(link.get().index(), false));
            namespace.netlink().perform(NetRequest.deleteLink(link.get().index()));
        }
        return link.isPresent();
    }

    /// Takes the links that share one of the host's out of a namespace that is removed in the background: until they are gone
    /// the kernel gives their addresses to nobody, and whoever is started anew wants them back at once.
    void cutShared(String containerId, List<Cell.Place> places, NetNamespace namespace) {
        for (var place : places) {
            if (place.network().shares()) {
                try {
                    cut(place, places.stream().filter(other -> other != place).toList(), namespace);
                } catch (KernelException e) {
                    LOG.warn("container {} may keep its addresses in {} a moment longer: {}", containerId, place.network().name(),
                            e.getMessage());
                }
            }
        }
    }

    /// The link of `place` in its namespace, if it is there; the container may have given it another name. On a bridge it is
    /// the other end of the host's. Of links that share one of the host's there may be several, those of the `others`:
    /// then it is the one with the hardware address, or the name, that it was given, or that is none of the others'.
    Optional<LinkInfo> inside(Cell.Place place, List<Cell.Place> others, NetNamespace namespace) throws KernelException {
        var network = place.network();
        boolean bridged = network.driver() == Driver.BRIDGE;
        var outside = host.link(bridged ? place.endpoint().hostLink() : network.link());
        if (outside.isEmpty()) {
            return Optional.empty(); // they die together
        }
        String kind = bridged ? "veth" : network.driver() == Driver.MACVLAN ? "macvlan" : "ipvlan";
        var ours = namespace.netlink().links().stream()
                .filter(link -> link.kind().equals(kind) && link.leadsOut() && link.peer() == outside.get().index())
                .toList();
        if (bridged) {
            return ours.stream().filter(link -> link.index() == outside.get().peer()).findFirst();
        }
        var rest = ours.stream()
                .filter(link -> others.stream().noneMatch(other -> isAsGiven(other, link)))
                .toList();
        return ours.stream().filter(link -> hasMac(place, link)).findFirst()
                .or(() -> ours.stream().filter(link -> isNamed(place, link)).findFirst())
                .or(() -> rest.stream().findFirst());
    }

    private static boolean isAsGiven(Cell.Place place, LinkInfo link) {
        return hasMac(place, link) || isNamed(place, link);
    }

    /// Links of ipvlan all have the hardware address of their parent.
    private static boolean hasMac(Cell.Place place, LinkInfo link) {
        return place.network().driver() == Driver.MACVLAN && Arrays.equals(place.endpoint().mac().bytes(), link.mac());
    }

    private static boolean isNamed(Cell.Place place, LinkInfo link) {
        return place.endpoint().interfaceName().equals(link.name());
    }

    /// A bridge without rules would let through what they forbid: only who makes both makes one.
    private int bridge(Network network) throws EngineException {
        if (!bridges.isKnown(network.id())) {
            remade.accept(network);
        }
        return bridges.index(network);
    }

    /// Uses the bridge of `network`: another if somebody deletes it, and while it is full again whenever the dead have left it.
    private void onBridge(Network network, Attempt attempt) throws KernelException, EngineException {
        int bridge = bridge(network);
        for (int tries = 1; ; tries++) {
            try {
                attempt.use(bridge);
                return;
            } catch (KernelException e) {
                if (tries == MOST_TRIES) {
                    throw full(network, e);
                }
                bridge = bridgeAfter(network, bridge, e);
            }
        }
    }

    /// Makes a link a port of the bridge with that index.
    private interface Attempt {
        void use(int bridge) throws KernelException;
    }

    /// The bridge to be used after the one with the number `used` could not be: somebody deleted that, and whoever noticed
    /// first has made another, or does so here. If it was full, the dead have left it when this returns.
    /// @throws KernelException `failure`, if it is still the bridge
    private int bridgeAfter(Network network, int used, KernelException failure) throws KernelException, EngineException {
        if (bridges.isThere(network) && bridges.index(network) == used) {
            if (!failure.is(Errno.EXFULL)) {
                throw failure;
            }
            settle(network, failure);
            return used;
        }
        remade.accept(network);
        return bridge(network);
    }

    private void plug(Cell.Place place, int mtu) throws KernelException, EngineException {
        onBridge(place.network(), bridge -> plug(place, mtu, bridge));
    }

    private void plug(Cell.Place place, int mtu, int bridge) throws KernelException {
        String link = place.endpoint().hostLink();
        var requests = new ArrayList<NetRequest>();
        if (!place.network().settings().peers()) {
            requests.add(NetRequest.enslave(link, bridge)); // alone before it is up
            requests.add(NetRequest.isolate(link));
        }
        requests.add(NetRequest.plug(link, bridge, mtu));
        check(afterMuting(place.endpoint(), requests));
    }

    /// Makes the link, down, without addresses.
    void lay(Cell.Place place, NetNamespace namespace) throws EngineException {
        var network = place.network();
        try {
            switch (network.driver()) {
                case BRIDGE -> layVeth(place, namespace);
                case MACVLAN, IPVLAN -> layShared(place, namespace);
                case HOST, NONE -> throw new IllegalArgumentException("no links in " + network.name());
            }
        } catch (KernelException e) {
            throw Trouble.of("cannot connect to network " + network.name(), e);
        }
    }

    private void layVeth(Cell.Place place, NetNamespace namespace) throws KernelException, EngineException {
        onBridge(place.network(), bridge -> veth(place, namespace, bridge));
    }

    private void veth(Cell.Place place, NetNamespace namespace, int bridge) throws KernelException {
        var endpoint = place.endpoint();
        int mtu = place.network().settings().mtu();
        var requests = new ArrayList<NetRequest>();
        requests.add(NetRequest.addVeth(
                LinkEnd.named(endpoint.hostLink()).portOf(bridge).mtu(mtu),
                LinkEnd.named(endpoint.interfaceName()).in(namespace.handle()).mac(endpoint.mac().bytes()).mtu(mtu)));
        requests.add(NetRequest.quiet(endpoint.hostLink()));
        if (!place.network().settings().peers()) {
            requests.add(NetRequest.isolate(endpoint.hostLink()));
        }
        requests.add(NetRequest.raise(endpoint.hostLink()));
        var outcomes = afterMuting(endpoint, requests);
        if (outcomes.getFirst().isPresent()) {
            throw outcomes.getFirst().get();
        }
        try {
            silent(outcomes.get(1));
            check(outcomes.subList(2, outcomes.size()));
        } catch (KernelException e) { // the bridge may have gone in between: for another try its name is to be free
            host.attempt(List.of(NetRequest.deleteLink(endpoint.hostLink())));
            throw e;
        }
    }

    static void silent(Optional<KernelException> outcome) throws KernelException {
        // a kernel without IPv6 has nothing to silence
        if (outcome.isPresent() && !outcome.get().is(Errno.EAFNOSUPPORT, Errno.EINVAL)) {
            throw outcome.get();
        }
    }

    private void settle(Network network, KernelException failure) throws KernelException {
        try {
            graveyard.settle();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw full(network, failure);
        }
    }

    private static KernelException full(Network network, KernelException e) {
        return e.is(Errno.EXFULL)
                ? new KernelException("netlink", "bridge " + network.link(), Errno.EXFULL,
                        "a bridge of Linux has 1023 ports; put further containers into another network")
                : e;
    }

    private void layShared(Cell.Place place, NetNamespace namespace) throws KernelException, EngineException {
        var network = place.network();
        var parent = parent(network);
        var end = LinkEnd.named(place.endpoint().interfaceName()).in(namespace.handle()).mtu(network.settings().mtu());
        if (network.driver() == Driver.MACVLAN) {
            end = end.mac(place.endpoint().mac().bytes());
        }
        var request = NetRequest.addShared(end, parent.index(), sharing(network), flag(network));
        var refused = host.attempt(List.of(request)).getFirst();
        if (refused.isEmpty()) {
            if (sharing(network) == NetRequest.Sharing.MACVLAN_PASSTHRU) {
                passOnAddress(place.endpoint(), namespace);
            }
            return;
        }
        String what = "cannot connect to network " + network.name() + ": ";
        String kind = network.driver().word();
        if (refused.get().is(Errno.EOPNOTSUPP)) {
            throw new EngineException.Unsupported(what + "this host's kernel has no links of kind " + kind
                    + "; where it is a module: modprobe " + kind);
        }
        if (refused.get().is(Errno.EBUSY)) {
            throw new EngineException.Conflict(what + "the link " + network.link() + " is in use otherwise, as a port of a"
                    + " bridge or by " + (kind.equals("ipvlan") ? "macvlan" : "ipvlan")
                    + "; share another, or one of its vlans: -o parent=" + network.link() + ".10");
        }
        if (refused.get().is(Errno.EINVAL) && sharing(network) == NetRequest.Sharing.MACVLAN_PASSTHRU) {
            throw new EngineException.Conflict(what + "mode passthru gives the link " + network.link()
                    + " to one container alone, and another has it; end that, or share the link: -o macvlan_mode=bridge");
        }
        throw refused.get();
    }

    /// The kernel makes the one link of a parent with the parent's own hardware address. Given another, it gives that to the
    /// parent too, and takes it back when the link goes.
    private static void passOnAddress(Endpoint endpoint, NetNamespace namespace) throws KernelException {
        String name = endpoint.interfaceName();
        var link = namespace.netlink().link(name);
        if (link.isPresent()) {
            namespace.netlink().perform(
                    NetRequest.dress(link.get().index(), LinkEnd.named(name).mac(endpoint.mac().bytes())));
        }
    }

    private LinkInfo parent(Network network) throws KernelException, EngineException {
        var there = host.link(network.link());
        if (there.isEmpty()) {
            remade.accept(network);
            there = host.link(network.link());
        }
        return there.orElseThrow(() -> new EngineException.Unavailable(
                "the parent link " + network.link() + " of network " + network.name() + " is not there"));
    }

    /// The hardware address of all links of an ipvlan network: their parent's.
    MacAddress mac(Network network) throws EngineException {
        try {
            return MacAddress.of(parent(network).mac());
        } catch (KernelException e) {
            throw Trouble.of("cannot look for the parent link " + network.link() + " of network " + network.name(), e);
        }
    }

    static NetRequest.Sharing sharing(Network network) throws EngineException.Invalid {
        String mode = network.settings().mode();
        if (network.driver() == Driver.MACVLAN) {
            return switch (mode) {
                case "", "bridge" -> NetRequest.Sharing.MACVLAN_BRIDGE;
                case "private" -> NetRequest.Sharing.MACVLAN_PRIVATE;
                case "vepa" -> NetRequest.Sharing.MACVLAN_VEPA;
                case "passthru" -> NetRequest.Sharing.MACVLAN_PASSTHRU;
                default -> throw new EngineException.Invalid("unknown macvlan mode: " + mode);
            };
        }
        return switch (mode) {
            case "", "l2" -> NetRequest.Sharing.IPVLAN_L2;
            case "l3" -> NetRequest.Sharing.IPVLAN_L3;
            case "l3s" -> NetRequest.Sharing.IPVLAN_L3S;
            default -> throw new EngineException.Invalid("requested ipvlan mode '" + mode
                    + "' is not valid: l2 (the default), l3 or l3s");
        };
    }

    static NetRequest.IpvlanFlag flag(Network network) throws EngineException.Invalid {
        String flag = network.settings().flag();
        return switch (flag) {
            case "", "bridge" -> NetRequest.IpvlanFlag.BRIDGE;
            case "private" -> NetRequest.IpvlanFlag.PRIVATE;
            case "vepa" -> NetRequest.IpvlanFlag.VEPA;
            default -> throw new EngineException.Invalid("requested ipvlan flag '" + flag
                    + "' is not valid: bridge (the default), private or vepa");
        };
    }

    /// Puts the host end back into its bridge, if that was deleted and made again.
    void reattach(Cell.Place place) throws EngineException {
        String link = place.endpoint().hostLink();
        if (link.isEmpty()) {
            return;
        }
        int bridge = bridge(place.network());
        try {
            var end = host.link(link);
            if (end.isPresent() && end.get().master() != bridge) {
                host.perform(NetRequest.enslave(link, bridge));
                if (!place.network().settings().peers()) {
                    host.perform(NetRequest.isolate(link));
                }
            }
        } catch (KernelException e) {
            throw Trouble.of("cannot put " + link + " back into network " + place.network().name(), e);
        }
    }

    /// Gives the interfaces their addresses, brings them up and sets the default routes: all in one call. For a namespace
    /// that had none of them before.
    void configure(Sandbox sandbox, NetNamespace namespace, List<Map<String, String>> driverOptions)
            throws EngineException {
        try {
            var indexes = new LinkedHashMap<String, Integer>();
            var requests = new ArrayList<NetRequest>();
            for (int i = 0; i < sandbox.endpoints().size(); i++) {
                var endpoint = sandbox.endpoints().get(i);
                int index = prepare(endpoint, namespace, driverOptions.get(i));
                indexes.put(endpoint.interfaceName(), index);
                addresses(endpoint, index, requests);
            }
            for (boolean six : new boolean[] {false, true}) {
                sandbox.gateway(six).ifPresent(best -> requests.add(NetRequest.addRoute(
                        defaultRoute(best, six, indexes.getOrDefault(best.interfaceName(), 0)))));
            }
            namespace.netlink().perform(requests);
        } catch (KernelException e) {
            throw Trouble.of("cannot configure the network of container " + sandbox.containerId(), e);
        }
    }

    /// Gives one more interface its addresses and brings it up; routes are [#route]'s.
    void address(Cell.Place place, NetNamespace namespace, Map<String, String> driverOptions) throws EngineException {
        var endpoint = place.endpoint();
        try {
            var requests = new ArrayList<NetRequest>();
            addresses(endpoint, prepare(endpoint, namespace, driverOptions), requests);
            namespace.netlink().perform(requests);
        } catch (KernelException e) {
            throw Trouble.of("cannot configure " + endpoint.interfaceName() + " for network " + place.network().name(), e);
        }
    }

    /// Sets what is set by files; answers the interface's index.
    private int prepare(Endpoint endpoint, NetNamespace namespace, Map<String, String> driverOptions)
            throws KernelException, EngineException {
        var link = namespace.netlink().link(endpoint.interfaceName());
        boolean six = endpoint.six().isPresent() || endpoint.linkLocal().stream().anyMatch(IpAddress::six);
        var settings = settings(endpoint.interfaceName(), six, driverOptions);
        if (!settings.isEmpty()) {
            thread.set(namespace.handle(), new NetNamespace.Settings(settings));
        }
        return link.map(LinkInfo::index).orElseThrow(() -> new EngineException.Unavailable(
                "the interface " + endpoint.interfaceName() + " vanished while it was made"));
    }

    private static void addresses(Endpoint endpoint, int index, List<NetRequest> requests) {
        for (var address : hosts(endpoint)) {
            requests.add(NetRequest.addAddress(index, address.address().bytes(), address.prefix()));
        }
        requests.add(NetRequest.raise(index, true));
    }

    private static RouteInfo defaultRoute(Endpoint endpoint, boolean six, int index) {
        var gateway = (six ? endpoint.gateways().six() : endpoint.gateways().four()).orElseThrow();
        return gateway.isUnspecified()
                ? RouteInfo.direct(new byte[six ? 16 : 4], 0, index)
                : RouteInfo.defaultBy(gateway.bytes(), index);
    }

    private static List<Cidr.Host> hosts(Endpoint endpoint) {
        var hosts = new ArrayList<Cidr.Host>();
        endpoint.four().ifPresent(hosts::add);
        endpoint.six().ifPresent(hosts::add);
        endpoint.linkLocal().forEach(address -> hosts.add(new Cidr.Host(address, address.six() ? 64 : 16)));
        return hosts;
    }

    private static Map<String, String> settings(String link, boolean six, Map<String, String> driverOptions)
            throws EngineException.Invalid {
        var settings = new LinkedHashMap<String, String>();
        if (six) {
            settings.put("ipv6/conf/" + link + "/disable_ipv6", "0");
        }
        String given = driverOptions.getOrDefault(SYSCTLS, "");
        for (String pair : given.isEmpty() ? new String[0] : given.split(",")) {
            int equals = pair.indexOf('=');
            String[] words = pair.substring(0, Math.max(0, equals)).split("\\.");
            // The docker command writes what it sends of this in small letters.
            boolean plain = words.length == 5 && words[0].equals("net") && words[1].matches("ipv4|ipv6|mpls")
                    && words[2].matches("conf|neigh") && words[3].equalsIgnoreCase("IFNAME") && words[4].matches("[a-z0-9_]+");
            if (!plain) {
                throw new EngineException.Invalid("invalid sysctl setting for an interface: " + pair
                        + " (net.ipv4.conf.IFNAME.SETTING=VALUE is meant)");
            }
            settings.put(words[1] + "/" + words[2] + "/" + link + "/" + words[4], pair.substring(equals + 1));
        }
        return settings;
    }

    /// Sets the default routes as the endpoints want them; ones to be replaced are replaced.
    void route(Sandbox sandbox, NetNamespace namespace) throws EngineException {
        try {
            var requests = new ArrayList<NetRequest>();
            var current = namespace.netlink().routes();
            for (boolean six : new boolean[] {false, true}) {
                for (var route : current) {
                    if (route.six() == six && route.isDefault() && route.isMain()) {
                        requests.add(NetRequest.deleteRoute(route));
                    }
                }
                var best = sandbox.gateway(six);
                if (best.isPresent()) {
                    int index = namespace.netlink().link(best.get().interfaceName()).map(LinkInfo::index).orElse(0);
                    requests.add(NetRequest.addRoute(defaultRoute(best.get(), six, index)));
                }
            }
            namespace.netlink().perform(requests);
        } catch (KernelException e) {
            throw Trouble.of("cannot set the routes of container " + sandbox.containerId(), e);
        }
    }
}
