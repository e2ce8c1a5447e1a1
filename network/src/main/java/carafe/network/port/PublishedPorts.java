package carafe.network.port;

import carafe.kernel.Conntrack;
import carafe.kernel.Errno;
import carafe.kernel.Host;
import carafe.kernel.KernelException;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import carafe.network.Endpoint;
import carafe.network.EndpointListener;
import carafe.network.NetworkStep;
import carafe.network.LinkOptions.GatewayMode;
import carafe.network.Network;
import carafe.network.Sandbox;
import carafe.network.port.Allocation.Share;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// The ports of the host that lead to containers. A start first takes the ports ([#reserve]); as its endpoints come
/// ([EndpointListener]) they lead to the one that has the default route of their family; [#release] gives them back.
///
/// A port is taken with a socket, so that other programs see that it is; the packets never meet it, they are led away
/// before. When the engine dies the sockets go and the packets still find their container.
///
/// A port is free once it is given back, also if the kernel refuses to take its packets away from where it led. While that
/// is so, nobody is let in who has an address that is `haunted` by such packets, and whoever wants the port gets it with
/// the change that takes them away, or not at all.
///
/// The lock guards all fields but `flows` and `closed`, which that of `flows` guards; what is done under it takes well
/// under a millisecond.
public final class PublishedPorts implements EndpointListener, AutoCloseable {

    private static final System.Logger LOG = System.getLogger("carafe.network");

    private static final List<String> BRIDGE_CALLS =
            List.of("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables");

    private static final IpAddress LOOPBACK = IpAddress.find("::1").orElseThrow();

    private final PortFilter filter;
    private final Netlink links;
    private final Conntrack flows;
    private final PortFiles files;
    private final Failpoints failpoints;
    private final Allocation allocation;
    private final Ways ways;
    private final Optional<Translator> translator;
    private final Optional<TranslatorWatch> watch;
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Set<IpAddress> haunted = new HashSet<>();
    private boolean closed;
    private boolean ended;

    /// Where a container is now.
    private record Place(Sandbox sandbox, Map<String, Network> networks) {}

    /// How packets come to containers beside the host's ports: by a translator, which is adopted (without one, containers that
    /// have IPv4 only are published by IPv4 only), and `direct`, for everybody who has a route to their addresses.
    public record Ways(Optional<Translator> translator, boolean direct) {
        static final Ways NONE = new Ways(Optional.empty(), false);
    }

    /// Publishes through `filter`, in the calling thread's network namespace; remembers in `directory`, which dies with
    /// the host's uptime.
    public PublishedPorts(PortFilter filter, Ways ways, Path directory, Failpoints failpoints) throws EngineException {
        this.filter = filter;
        this.ways = ways;
        this.translator = ways.translator;
        try {
            this.links = Netlink.open();
            this.flows = Conntrack.open();
        } catch (KernelException e) {
            throw new EngineException.Unavailable("links and flows cannot be reached: " + e.getMessage(), e);
        }
        this.files = new PortFiles(directory);
        this.failpoints = failpoints;
        String[] range = Host.sysctl("net.ipv4.ip_local_port_range").orElse("32768 60999").split("\\s+");
        this.allocation = new Allocation(Integer.parseInt(range[0]), Integer.parseInt(range[1]), filter::holder);
        this.watch = translator.isEmpty()
                ? Optional.empty()
                : Optional.of(TranslatorWatch.begin(translator.get().link(), this::translatorGone));
    }

    /// Takes ports of the host for a container that is about to start: all or none.
    /// @throws EngineException.Internal in Docker's words, a port is taken, by whom if it is a container
    public List<PortBinding> reserve(
            String containerId, String name, List<PortRequest> requests, Families families)
            throws EngineException {
        release(containerId);
        if (requests.isEmpty()) {
            return List.of();
        }
        synchronized (this) {
            pass("ports.reserve");
            var share = allocation.take(client(containerId, name, requests, families), requests);
            try {
                pass("ports.file");
                files.write(containerId, name, share.bindings());
            } catch (EngineException e) {
                drop(containerId); // nothing was led anywhere yet
                throw e;
            }
            return share.bindings();
        }
    }

    private Allocation.Client client(String containerId, String name, List<PortRequest> requests, Families families) {
        boolean translated = families.translatable() && requests.stream().anyMatch(PublishedPorts::mayBeSix)
                && ready(requests.stream().anyMatch(PublishedPorts::mayBeOfOthers));
        return new Allocation.Client(containerId, name, families.four(), families.six() || translated);
    }

    /// Makes the ports of a container that runs what its networks make possible, when it is about to come to one more or
    /// has left one: it keeps what it has as far as there is a way to it, and what comes new is taken whole or not at all,
    /// as by [#reserve].
    public void adapt(String containerId, String name, List<PortRequest> requests, Families families)
            throws EngineException {
        forgetFlows(containerId, adapted(containerId, name, requests, families));
    }

    /// Those that are gone.
    private synchronized List<PortBinding> adapted(
            String containerId, String name, List<PortRequest> requests, Families families) throws EngineException {
        pass("ports.reserve");
        var change = allocation.adapt(client(containerId, name, requests, families), requests);
        if (change.isNone()) {
            return List.of();
        }
        var place = Optional.ofNullable(places.get(containerId));
        boolean done = false;
        try {
            note(containerId, name);
            if (place.isPresent()) {
                publish(place.get());
            }
            done = true;
        } finally {
            if (!done) {
                takeBack(containerId, name, change);
            }
        }
        change.gone().forEach(HostPort::close);
        return change.gone().stream().map(HostPort::binding).toList();
    }

    /// The container is called `name`: who asks for its ports is told so. Without ports there is nothing to do.
    public synchronized void rename(String containerId, String name) throws EngineException {
        var share = allocation.of(containerId);
        if (share.isPresent() && !share.get().name().equals(name)) {
            note(containerId, name);
            allocation.put(containerId, new Share(name, share.get().ports()));
        }
    }

    private void note(String containerId, String name) throws EngineException {
        pass("ports.file");
        if (bindings(containerId).isEmpty()) {
            files.delete(containerId);
        } else {
            files.write(containerId, name, bindings(containerId));
        }
    }

    private void takeBack(String containerId, String name, Allocation.Change change) {
        allocation.undo(containerId, change);
        try {
            note(containerId, name);
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.WARNING, e.getMessage());
        }
    }

    private static boolean mayBeSix(PortRequest request) {
        return request.address().map(IpAddress::six).orElse(true);
    }

    /// Whether hosts other than this one may be clients by IPv6.
    private static boolean mayBeOfOthers(PortRequest request) {
        return mayBeSix(request) && !request.address().map(LOOPBACK::equals).orElse(false);
    }

    /// Whether there is a way by the translator. When it came or went, what was published before is led anew.
    private boolean ready(boolean others) {
        if (translator.isEmpty()) {
            return false;
        }
        var before = translator.get().client();
        boolean ready = translator.get().ready(others);
        if (!before.equals(translator.get().client())) {
            for (var place : List.copyOf(places.values())) {
                try {
                    publish(place);
                } catch (EngineException e) {
                    LOG.log(System.Logger.Level.ERROR, e.getMessage());
                }
            }
        }
        return ready;
    }

    /// The translator's link is gone: if a port needs it and it was not this engine that removed it, it is made again.
    private synchronized void translatorGone() {
        if (needsTranslator() && !ended && translator.flatMap(Translator::client).isPresent()) {
            ready(false); // the host passes on already what it shall
        }
    }

    /// Gives the container's ports back; they lead nowhere from now on. Idempotent.
    public void release(String containerId) {
        forgetFlows(containerId, drop(containerId));
    }

    /// What they were.
    private synchronized List<PortBinding> drop(String containerId) {
        var place = places.remove(containerId);
        var bindings = bindings(containerId);
        if (allocation.of(containerId).isEmpty()) {
            return bindings;
        }
        if (!filter.withdraw(containerId, List.of()) && place != null) {
            place.sandbox().endpoints().forEach(this::haunt);
        }
        try {
            pass("ports.drop");
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.ERROR, e.getMessage());
        }
        allocation.release(containerId);
        files.delete(containerId);
        return bindings;
    }

    /// Who sends datagrams to a port without a pause would go on reaching whom the port led to when he began. Not under
    /// this object's lock: all flows of the host are listed, which may be a million. If somebody else has the port by then,
    /// his flows are forgotten too, and the next packet of each begins one that leads to him again.
    private void forgetFlows(String containerId, List<PortBinding> bindings) {
        var datagrams = bindings.stream().filter(binding -> binding.protocol() == Protocol.UDP).toList();
        if (datagrams.isEmpty()) {
            return;
        }
        synchronized (flows) {
            if (!closed) {
                forgetDatagrams(containerId, datagrams);
            }
        }
    }

    private void forgetDatagrams(String containerId, List<PortBinding> datagrams) {
        try {
            var own = new HashSet<InetAddress>();
            for (var address : links.addresses()) {
                own.add(InetAddress.getByAddress(address.address()));
            }
            flows.forget(flow -> flow.protocol() == Protocol.UDP.number()
                    && (flow.translated() || own.contains(flow.to()))
                    && datagrams.stream().anyMatch(binding -> binding.hostPort() == flow.port()
                            && (binding.address().isUnspecified()
                                    || Arrays.equals(binding.address().bytes(), flow.to().getAddress()))));
        } catch (KernelException | UnknownHostException e) {
            LOG.log(System.Logger.Level.WARNING, "datagrams that were under way to ports of container " + containerId
                    + " may still go where they went: " + e.getMessage());
        }
    }

    /// The container's ports while it has some.
    public synchronized List<PortBinding> bindings(String containerId) {
        return allocation.of(containerId).map(Share::bindings).orElse(List.of());
    }

    /// After a restart of the engine: these containers run and keep the ports they have; what others had is given back.
    /// Where each leads is told again by [#attached].
    public synchronized void restore(List<String> running) throws EngineException {
        for (String id : files.list()) {
            var entry = running.contains(id) ? files.read(id) : Optional.<PortFiles.Entry>empty();
            if (entry.isEmpty()) {
                files.delete(id);
                continue;
            }
            var ports = new ArrayList<HostPort>();
            for (var binding : entry.get().bindings()) {
                ports.add(again(binding, entry.get().name()));
            }
            allocation.put(id, new Share(entry.get().name(), ports));
        }
        if (!needsTranslator()) {
            translator.ifPresent(Translator::sweep);
        } else {
            ready(false); // the earlier engine saw to it that the host passes them on
        }
    }

    private boolean needsTranslator() {
        return allocation.ids().stream().flatMap(id -> bindings(id).stream()).anyMatch(binding -> binding.address().six());
    }

    private static HostPort again(PortBinding binding, String container) {
        try {
            return HostPort.take(binding);
        } catch (EngineException e) {
            LOG.log(System.Logger.Level.WARNING, "while the engine was away somebody took a port of container "
                    + container + ", which still gets its packets: " + e.getMessage());
            return HostPort.unheld(binding);
        }
    }

    private void haunt(Endpoint endpoint) {
        addresses(endpoint).forEach(haunted::add);
    }

    private static Stream<IpAddress> addresses(Endpoint endpoint) {
        return Stream.concat(endpoint.four().stream(), endpoint.six().stream()).map(Cidr.Host::address);
    }

    private synchronized void refuseHaunted(Endpoint endpoint) throws EngineException {
        if (haunted.isEmpty()) {
            return;
        }
        try {
            filter.catchUp();
            haunted.clear();
        } catch (EngineException e) {
            var address = addresses(endpoint).filter(haunted::contains).findFirst();
            if (address.isPresent()) {
                throw new EngineException.Unavailable("packets for ports of a container that is gone still come to its address "
                        + address.get() + ", which is this one's now: " + e.getMessage() + "; try again", e);
            }
        }
    }

    @Override
    public void attached(Attached attached) throws EngineException {
        refuseHaunted(attached.endpoint());
        forgetFlows(attached.sandbox().containerId(), lead(attached));
    }

    /// The ports that lead elsewhere now.
    private synchronized List<PortBinding> lead(Attached attached) throws EngineException {
        String id = attached.sandbox().containerId();
        if (allocation.of(id).isEmpty()) {
            return List.of();
        }
        var before = places.get(id);
        var networks = new LinkedHashMap<>(before == null ? Map.of() : before.networks());
        networks.put(attached.network().id(), attached.network());
        var place = new Place(attached.sandbox(), networks);
        turnBack(attached.endpoint().hostLink());
        publish(place);
        places.put(id, place);
        return bindings(id);
    }

    /// A container that asks for its own port by the host's address: where br_netfilter is on, its packets are translated
    /// on the bridge and have to leave by the port they came in by, which bridges refuse unless told otherwise.
    private void turnBack(String link) throws EngineException {
        if (link.isEmpty() || !translatesOnBridges()) {
            return;
        }
        try {
            links.perform(NetRequest.hairpin(link));
        } catch (KernelException e) {
            if (!e.is(Errno.ENODEV, Errno.EOPNOTSUPP)) { // gone meanwhile, or no port of a bridge
                throw new EngineException.Internal("cannot publish ports of link " + link + ": " + e.getMessage(), e);
            }
        }
    }

    @Override
    public void replugged(String containerId, Endpoint endpoint) throws EngineException {
        if (!bindings(containerId).isEmpty()) {
            turnBack(endpoint.hostLink());
        }
    }

    private static boolean translatesOnBridges() {
        return BRIDGE_CALLS.stream().anyMatch(name -> Host.sysctl(name).filter("1"::equals).isPresent());
    }

    @Override
    public Optional<NetworkStep> told(Attached attached) {
        var texts = new ArrayList<String>();
        for (var binding : bindings(attached.sandbox().containerId())) {
            var direct = binding.address().six() ? attached.endpoint().six() : attached.endpoint().four();
            var target = direct.map(Cidr.Host::address).or(() -> attached.endpoint().four().map(Cidr.Host::address)
                    .flatMap(four -> translator.flatMap(way -> way.sixOf(four))));
            target.ifPresent(to -> texts.add(binding.protocol() + " " + binding.hostText() + " → " + to + ":"
                    + binding.containerPort()));
        }
        return texts.isEmpty() || attached.network().reach().internal()
                ? Optional.empty()
                : Optional.of(NetworkStep.planned(NetworkStep.Kind.PUBLISH, "nft add element: " + String.join(", ", texts)));
    }

    @Override
    public void detached(String containerId, Endpoint endpoint) {
        forgetFlows(containerId, withdraw(containerId, endpoint));
    }

    private synchronized List<PortBinding> withdraw(String containerId, Endpoint endpoint) {
        var before = places.get(containerId);
        if (before == null) {
            return List.of();
        }
        var rest = before.sandbox().endpoints().stream()
                .filter(other -> !other.networkId().equals(endpoint.networkId()))
                .toList();
        var place = new Place(new Sandbox(containerId, before.sandbox().path(), rest), before.networks());
        places.put(containerId, place);
        if (!filter.withdraw(containerId, targets(place))) {
            haunt(endpoint);
        }
        return bindings(containerId);
    }

    private void publish(Place place) throws EngineException {
        var targets = targets(place);
        pass("ports.publish");
        filter.publish(place.sandbox().containerId(), targets);
    }

    private List<Elements.Target> targets(Place place) {
        String id = place.sandbox().containerId();
        var targets = new ArrayList<Elements.Target>();
        for (var binding : bindings(id)) {
            way(place, binding).ifPresent(
                    way -> targets.add(new Elements.Target(binding, way.address(), way.routed(), way.direct())));
            if (binding.address().six() && binding.address().isUnspecified()) {
                var loopback = new PortBinding(
                        binding.protocol(), binding.containerPort(), LOOPBACK, binding.hostPort());
                way(place, loopback).ifPresent(way -> targets.add(
                        new Elements.Target(loopback, way.address(), false, Elements.Direct.NOBODY)));
            }
        }
        return targets;
    }

    /// Where a binding leads: the address in its family, whether nothing is translated on the way there, who else comes to
    /// that address itself, and the container's address of IPv4 where that is where it ends.
    private record Way(IpAddress address, boolean routed, Elements.Direct direct, Optional<IpAddress> end) {}

    /// By the family itself if the container has it, by the translator otherwise. What comes from ::1 goes by the
    /// translator always: without it, answers would not find back.
    private Optional<Way> way(Place place, PortBinding binding) {
        boolean six = binding.address().six();
        var endpoint = place.sandbox().gateway(six);
        var address = endpoint.flatMap(e -> six ? e.six() : e.four()).map(Cidr.Host::address);
        if (address.isPresent() && !binding.address().equals(LOOPBACK)) {
            return Optional.of(new Way(
                    address.get(), routed(place, endpoint.get(), six), direct(place, endpoint.get()), Optional.empty()));
        }
        if (!six || translator.isEmpty()) {
            return Optional.empty();
        }
        var four = place.sandbox().gateway(false);
        var end = four.flatMap(Endpoint::four).map(Cidr.Host::address);
        if (end.isEmpty() || routed(place, four.get(), false)) {
            return Optional.empty();
        }
        return translator.get().sixOf(end.get()).map(way -> new Way(way, false, Elements.Direct.NOBODY, end));
    }

    private Elements.Direct direct(Place place, Endpoint endpoint) {
        var network = place.networks().get(endpoint.networkId());
        return network == null
                ? Elements.Direct.NOBODY
                : new Elements.Direct(ways.direct(), network.settings().trusted());
    }

    private static boolean routed(Place place, Endpoint endpoint, boolean six) {
        var network = place.networks().get(endpoint.networkId());
        if (network == null) {
            return false;
        }
        var settings = network.settings();
        return (six ? settings.gatewaySix() : settings.gatewayFour()) == GatewayMode.ROUTED;
    }

    /// From where each of the container's ports can be reached now.
    public synchronized List<Reach> reach(String containerId) throws EngineException {
        var chains = filter.foreignChains();
        var reach = new ArrayList<Reach>();
        var place = Optional.ofNullable(places.get(containerId));
        for (var binding : bindings(containerId)) {
            var way = place.flatMap(known -> way(known, binding));
            var targets = new ArrayList<IpAddress>();
            way.ifPresent(known -> targets.add(known.address()));
            way.flatMap(Way::end).ifPresent(targets::add);
            var direct = way.map(Way::direct).orElse(Elements.Direct.NOBODY);
            reach.add(Reach.of(binding, targets, chains, Translator.forwards()).withDirect(targets, direct));
        }
        return reach;
    }

    /// What the host's firewall forbids containers in general, in sentences for people.
    public List<String> warnings() throws EngineException {
        return Reach.warnings(filter.foreignChains());
    }

    private void pass(String point) throws EngineException {
        try {
            failpoints.pass(point);
        } catch (Failpoints.Injected e) {
            throw new EngineException.Internal(point + ": " + e.getMessage(), e);
        }
    }

    /// Lets go of the sockets; what is published stays published.
    @Override
    public void close() {
        synchronized (this) {
            ended = true;
        }
        watch.ifPresent(TranslatorWatch::close); // not under the lock that what it tells waits for
        letGo();
    }

    private synchronized void letGo() {
        translator.ifPresent(way -> {
            if (!needsTranslator()) {
                way.sweep();
            }
            way.close();
        });
        for (String id : allocation.ids()) {
            allocation.of(id).ifPresent(Share::close);
        }
        synchronized (flows) {
            closed = true;
            links.close();
            flows.close();
        }
    }
}
