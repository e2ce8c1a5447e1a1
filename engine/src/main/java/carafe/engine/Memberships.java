package carafe.engine;

import carafe.network.Driver;
import carafe.network.Endpoint;
import carafe.network.Fabric;
import carafe.network.Joining;
import carafe.network.LinkOptions;
import carafe.network.Network;
import carafe.network.NetworkStep;
import carafe.network.Sandbox;
import carafe.network.Traffic;
import carafe.network.port.Families;
import carafe.network.port.PortRequest;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.HeldNamespaces;
import carafe.runtime.TapeExplanation;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.ContainerConfig;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.NetworkingConfig;
import carafe.spec.network.IpAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which containers are in which networks. A container's own record says which it belongs to (by name, the one of its
/// network mode first); the fabric knows the addresses it has while it runs.
final class Memberships {
    private static final Logger LOG = LoggerFactory.getLogger(Memberships.class);
    private static final String CONTAINER = NetworkModes.CONTAINER;

    private final Book book;
    private final ContainerRuntime runtime;
    private final NetworkBook networks;
    private final Fabric fabric;
    private final Outlets outlets;
    private final NameDefaults defaults;
    private final DefaultBridge bridge;
    private final Links links;
    private final Map<String, List<NetworkStep>> reserved = new ConcurrentHashMap<>();

    /// How containers are reached by their neighbours, and how they find others.
    record Reaching(Outlets outlets, NameDefaults defaults, DefaultBridge bridge) {}

    Memberships(Book book, ContainerRuntime runtime, NetworkBook networks, Fabric fabric, Reaching reaching) {
        this.runtime = runtime;
        this.book = book;
        this.networks = networks;
        this.fabric = fabric;
        this.outlets = reaching.outlets;
        this.defaults = reaching.defaults;
        this.bridge = reaching.bridge;
        this.links = new Links(book, networks, fabric);
    }

    /// The mode that the client means; where no default bridge is meant to be, who names no network has none.
    String mode(String asked) throws EngineException {
        if (asked.isEmpty() || asked.equals("default")) {
            return bridge.isMeant() ? Network.DEFAULT : "none";
        }
        if (asked.startsWith(CONTAINER)) {
            return CONTAINER + book.find(asked.substring(CONTAINER.length())).id();
        }
        return NetworkModes.isFixed(asked) ? asked : toJoin(asked);
    }

    private String toJoin(String asked) throws EngineException {
        return asked.equals(Network.DEFAULT) && bridge.isMeant() ? asked : networks.findToJoin(asked).name();
    }

    /// The networks of a container to be, by name: its mode's first, then the others in the client's order.
    NetworkingConfig joined(String mode, String asked, NetworkingConfig given, ContainerConfig config)
            throws EngineException {
        var endpoints = new LinkedHashMap<String, Json.Obj>();
        endpoints.put(mode, new Json.Obj(Map.of()));
        for (var entry : given.endpoints().entrySet()) {
            String name = isSame(entry.getKey(), mode, asked) ? mode : toJoin(entry.getKey());
            var settings = EndpointSettings.parse(entry.getValue());
            NetworkModes.checkSettings(name, settings);
            endpoints.put(name, settings.json());
        }
        if (mode.startsWith(CONTAINER)) {
            NetworkModes.refuseMac(endpoints.getOrDefault(mode, new Json.Obj(Map.of())).text("MacAddress"));
            if (endpoints.size() > 1) {
                throw new EngineException.Invalid("conflicting options: a container that shares the network of another"
                        + " cannot join networks of its own");
            }
            return NetworkingConfig.NONE;
        }
        if (NetworkModes.isFixed(mode) && endpoints.size() > 1) {
            throw new EngineException.Invalid("container cannot be connected to multiple networks with one of the networks"
                    + " in " + (mode.equals("none") ? "private (none)" : mode) + " mode");
        }
        String mac = config.document().text("MacAddress");
        var first = endpoints.getOrDefault(mode, new Json.Obj(Map.of()));
        if (!mac.isEmpty() && !NetworkModes.isFixed(mode) && first.text("MacAddress").isEmpty()) {
            endpoints.put(mode, EndpointSettings.parse(first.with("MacAddress", Json.of(mac))).json());
        }
        return new NetworkingConfig(endpoints);
    }

    private boolean isSame(String name, String mode, String asked) throws EngineException {
        return name.equals(asked) || name.equals(mode) || name.equals("default") && (asked.isEmpty() || asked.equals("default"))
                || !NetworkModes.isFixed(mode) && networks.named(name).isEmpty() && networks.find(name).name().equals(mode);
    }

    /// The container whose network one of this mode shares, and with it the names and the files of /etc; by now, it may be gone.
    Optional<ContainerSnapshot> owner(String mode) {
        var seen = new HashSet<String>();
        var owner = Optional.<ContainerSnapshot>empty();
        for (String next = mode; next.startsWith(CONTAINER) && seen.add(next); ) {
            try {
                owner = Optional.of(book.find(next.substring(CONTAINER.length())).snapshot());
            } catch (EngineException gone) {
                return Optional.empty();
            }
            next = owner.get().host().namespaces().network();
        }
        return owner;
    }

    /// The id of the container whose files of /etc it has.
    String filesOf(ContainerSnapshot container) {
        return owner(container.host().namespaces().network()).map(ContainerSnapshot::id).orElse(container.id());
    }

    /// A line of /etc/hosts.
    record HostLine(String address, String names) {
        String text() {
            return address + "\t" + names;
        }
    }

    /// Confined to the container's queue: makes its network ready for its first process, the larger part beside the caller.
    /// With users of its own it has those to whom belongs what is `shared`. `there` is run, and must be quick, as soon as its
    /// addresses are what others find.
    StartNetwork attach(ContainerSnapshot container, Sharings.Shared shared, Runnable there) throws EngineException {
        String mode = container.host().namespaces().network();
        if (mode.startsWith(CONTAINER)) {
            var other = joinOther(container, mode, shared);
            there.run();
            return other;
        }
        links.checkRunning(container);
        var ids = container.host().namespaces().ids();
        Optional<HeldNamespaces> held = Optional.empty();
        if (!ids.none()) {
            held = Optional.of(shared.owner().isPresent()
                    ? runtime.networkOf(shared.owner().get())
                    : runtime.users(ids));
        }
        boolean attached = false;
        try {
            var attachment = attach(container, held, there);
            attached = true;
            return attachment;
        } finally {
            if (!attached) {
                held.ifPresent(HeldNamespaces::close);
            }
        }
    }

    /// Whether it has a network of its own that others may be added to while it runs; it may be in none now.
    private static boolean mayJoin(ContainerSnapshot container) {
        String mode = container.host().namespaces().network();
        return !mode.startsWith(CONTAINER) && !mode.equals("host")
                && !container.networking().endpoints().containsKey("none");
    }

    private List<Joining> joinings(ContainerSnapshot container) throws EngineException {
        var joinings = new ArrayList<Joining>();
        for (var endpoint : container.networking().endpoints().entrySet()) {
            var network = networks.find(endpoint.getKey());
            if (network.driver() != Driver.HOST && network.driver() != Driver.NONE) {
                joinings.add(joining(network, EndpointSettings.parse(endpoint.getValue()), container));
            }
        }
        return joinings;
    }

    /// The network of one with users of its own belongs to them.
    private StartNetwork attach(ContainerSnapshot container, Optional<HeldNamespaces> held, Runnable there)
            throws EngineException {
        if (container.networking().endpoints().containsKey(Network.DEFAULT)) {
            bridge.demand();
        }
        var joinings = joinings(container);
        if (!mayJoin(container)) {
            boolean given = container.host().namespaces().network().equals("host") || held.isPresent();
            there.run();
            var spare = given ? Optional.<Fabric.Spare>empty() : fabric.spare();
            return new StartNetwork(spare.map(Fabric.Spare::path).orElse(""),
                    new EtcFiles.Known(List.of(), hostAddresses(), false), spare, held, Optional.empty());
        }
        var opening = opening(container);
        var diary = new NetworkStep.Diary();
        outlets.begin(opening);
        if (!opening.ports().isEmpty()) {
            diary.done(NetworkStep.Kind.PORTS, ports(opening));
        }
        reserved.put(container.id(), diary.steps());
        var coming = fabric.begin(container.id(), joinings, held.map(HeldNamespaces::network));
        var sandbox = coming.sandbox(); // one that cannot be completed has no namespace any more
        var becoming = Beside.begin("network of " + container.id().substring(0, 12), () -> {
            coming.complete();
            there.run();
            for (var joining : joinings) {
                networks.tell(joining.network(), "connect", Map.of("container", container.id()));
            }
        });
        return new StartNetwork(sandbox.path(), known(container, Optional.of(sandbox)), Optional.empty(), held,
                Optional.of(new StartNetwork.Becoming(coming, becoming)));
    }

    /// What the host's firewall forbids all containers now.
    List<String> warnings() throws EngineException {
        return outlets.warnings();
    }

    private static String ports(Outlets.Opening opening) {
        return opening.ports().stream()
                .map(port -> port.protocol() + " " + port.address().map(address -> address + ":").orElse("")
                        + (port.anyPort() ? "any port" : port.first() == port.last() ? port.first()
                                : port.first() + "-" + port.last())
                        + " for " + port.containerPort())
                .collect(Collectors.joining(", "));
    }

    /// The explanation of a start with the container's way into its networks before it.
    Supplier<TapeExplanation> explained(String id, Supplier<TapeExplanation> start) {
        var steps = new ArrayList<>(reserved.getOrDefault(id, List.of()));
        steps.addAll(fabric.steps(id));
        return () -> prefixed(steps, start.get());
    }

    /// The same of a start that is only planned.
    TapeExplanation planned(ContainerSnapshot container, TapeExplanation start) throws EngineException {
        var steps = new ArrayList<NetworkStep>();
        if (!container.host().namespaces().network().startsWith(CONTAINER)) {
            if (container.networking().endpoints().containsKey(Network.DEFAULT) && bridge.trouble().isPresent()) {
                throw new EngineException.Unavailable(bridge.trouble().get());
            }
            var joinings = joinings(container);
            var opening = opening(container);
            if (!opening.ports().isEmpty()) {
                steps.add(NetworkStep.planned(NetworkStep.Kind.PORTS, ports(opening)));
            }
            steps.addAll(NetworkStep.plan(joinings));
        }
        return prefixed(steps, start);
    }

    private static TapeExplanation prefixed(List<NetworkStep> network, TapeExplanation start) {
        var steps = new ArrayList<TapeExplanation.Step>();
        for (var step : network) {
            steps.add(new TapeExplanation.Step(step.kind().id(), "network", step.call(), step.kind().why(),
                    step.kind().man(), step.took().map(took -> took.toNanos() / 1000.0)));
        }
        steps.addAll(start.steps());
        return new TapeExplanation(steps, start.warnings());
    }

    private StartNetwork joinOther(ContainerSnapshot container, String mode, Sharings.Shared shared) throws EngineException {
        var other = book.find(mode.substring(CONTAINER.length()));
        var process = other.running();
        if (process.isEmpty()) {
            throw new EngineException.Conflict("cannot join network of a non running container: " + other.id());
        }
        if (other.id().equals(container.id())) {
            throw new EngineException.Invalid("cannot join own network");
        }
        if (!other.snapshot().host().namespaces().ids().equals(container.host().namespaces().ids())) {
            throw new EngineException.Conflict("cannot join the network of container " + other.snapshot().name()
                    + ": it belongs to its users, and they are others than those of this container; make the container"
                    + " anew");
        }
        var theirs = process.get().namespaces();
        if (!container.host().namespaces().ids().none()
                && shared.owner().map(owner -> !owner.hasUsersOf(theirs)).orElse(false)) {
            theirs.close();
            throw Sharings.otherUsers(container, "the network and the processes or ipc");
        }
        var nothing = new EtcFiles.Known(List.of(), List.of(), false); // its files are the owner's
        return new StartNetwork(theirs.network(), nothing, Optional.empty(), Optional.of(theirs), Optional.empty());
    }

    private static Joining joining(Network network, EndpointSettings settings, ContainerSnapshot container) {
        var wanted = new Joining.Wanted(settings.four(), settings.six(), settings.linkLocal(), settings.mac(),
                settings.driverOptions().getOrDefault(EndpointSettings.INTERFACE_NAME, ""));
        return new Joining(network, wanted, network.userDefined() ? names(container, settings) : List.of(),
                settings.gatewayPriority(), settings.driverOptions());
    }

    /// What others of a network may call the container: its name, its aliases, its short id, its host name.
    static List<String> names(ContainerSnapshot container, EndpointSettings settings) {
        var names = new LinkedHashSet<String>();
        names.add(container.name());
        names.addAll(settings.aliases());
        names.add(container.id().substring(0, 12));
        String host = container.config().names().host();
        if (!host.isEmpty()) {
            names.add(host);
        }
        return List.copyOf(names);
    }

    /// The lines of /etc/hosts of a container in this sandbox: its addresses, then those it is linked to.
    List<HostLine> hosts(ContainerSnapshot container, Sandbox sandbox) {
        var lines = new ArrayList<HostLine>();
        var names = container.config().names();
        String own = names.domain().isEmpty() ? names.host() : names.host() + "." + names.domain() + "\t" + names.host();
        for (var endpoint : sandbox.endpoints()) {
            endpoint.four().ifPresent(address -> lines.add(new HostLine(address.address().toString(), own)));
        }
        for (var endpoint : sandbox.endpoints()) {
            endpoint.six().ifPresent(address -> lines.add(new HostLine(address.address().toString(), own)));
        }
        lines.addAll(links.hosts(container));
        return lines;
    }

    /// What a plan that is only shown has in the place of the namespace's path.
    String shownPath(ContainerSnapshot container) {
        return NetworkModes.isFixed(container.host().namespaces().network()) ? "" : "/proc/self/fd/NETWORK";
    }

    /// Confined to the container's queue: its process ended, or never came to be.
    void detach(ContainerSnapshot container) {
        var sandbox = fabric.sandbox(container.id());
        fabric.close(container.id());
        outlets.end(container.id());
        reserved.remove(container.id());
        sandbox.ifPresent(gone -> gone.endpoints().forEach(endpoint -> network(endpoint).ifPresent(network ->
                networks.tell(network, "disconnect", Map.of("container", container.id())))));
    }

    private Optional<Network> network(Endpoint endpoint) {
        try {
            return Optional.of(networks.find(endpoint.networkId()));
        } catch (EngineException gone) {
            return Optional.empty();
        }
    }

    /// Confined to the container's queue, or at the engine's start: its networks and who asks for its ports know it by the
    /// name it has now. One that does not run is nowhere known.
    void rename(ContainerSnapshot container) throws EngineException {
        fabric.refuseUnheld(container.id());
        var sandbox = fabric.sandbox(container.id());
        if (sandbox.isEmpty()) {
            return;
        }
        var names = new LinkedHashMap<String, List<String>>();
        for (var endpoint : container.networking().endpoints().entrySet()) {
            var network = networks.named(endpoint.getKey()).filter(Network::userDefined);
            if (network.isPresent()) {
                names.put(network.get().id(), names(container, EndpointSettings.parse(endpoint.getValue())));
            }
        }
        fabric.rename(container.id(), names);
        outlets.called(container.id(), container.name());
    }

    /// Confined to the container's queue: one more network for one that runs.
    void connectRunning(ContainerSnapshot container, Network network, EndpointSettings settings) throws EngineException {
        fabric.refuseUnheld(container.id());
        if (fabric.sandbox(container.id()).isEmpty()) {
            throw new EngineException.Conflict("container " + container.name() + " was started without a network and cannot"
                    + " be connected to " + network.name() + " while it runs: stop it, connect it and start it again");
        }
        outlets.rename(container.id(), links.names(container));
        outlets.publish(opening(container));
        boolean connected = false;
        try {
            fabric.connect(container.id(), joining(network, settings, container));
            connected = true;
        } finally {
            if (!connected) {
                var endpoints = new LinkedHashMap<>(container.networking().endpoints());
                endpoints.remove(network.name());
                adaptPorts(container.with(new NetworkingConfig(endpoints)));
            }
        }
    }

    private void adaptPorts(ContainerSnapshot container) {
        try {
            var opening = opening(container);
            if (opening.ports().isEmpty()) {
                outlets.withdraw(container.id());
            } else {
                outlets.publish(opening);
            }
        } catch (EngineException e) { // it has left already, and that was no failure
            LOG.warn("the ports of container {} are as before it left a network: {}", container.name(), e.getMessage());
        }
    }

    /// Links of containers to others.
    Links links() {
        return links;
    }

    /// Confined to the container's queue: `container` is as it is without the network.
    void disconnectRunning(ContainerSnapshot container, Network network) throws EngineException {
        fabric.disconnect(container.id(), network.id());
        adaptPorts(container);
    }

    /// The networks that a container which runs is in, though it does not belong to them.
    List<Network> left(ContainerSnapshot container) {
        return fabric.sandbox(container.id()).stream()
                .flatMap(sandbox -> sandbox.endpoints().stream())
                .flatMap(endpoint -> network(endpoint).stream())
                .filter(network -> !container.networking().endpoints().containsKey(network.name()))
                .toList();
    }

    /// What /etc/hosts of a container that runs has to say now.
    EtcFiles.Known known(ContainerSnapshot container) {
        return known(container, fabric.sandbox(container.id()));
    }

    private EtcFiles.Known known(ContainerSnapshot container, Optional<Sandbox> in) {
        var lines = in.map(sandbox -> hosts(container, sandbox)).orElse(List.of());
        return new EtcFiles.Known(lines, hostAddresses(), hasNameServer(container));
    }

    /// Whether its names are served by us: in networks that users made.
    private boolean hasNameServer(ContainerSnapshot container) {
        return container.networking().endpoints().keySet().stream()
                .anyMatch(name -> networks.named(name).map(Network::userDefined).orElse(false));
    }

    /// What the container wants of the host's ports and of name servers. In networks that lead nowhere nothing can be
    /// published, and with the host's own network nothing has to be.
    private Outlets.Opening opening(ContainerSnapshot container) throws EngineException {
        boolean four = false;
        boolean six = false;
        boolean routed = false;
        long highest = Long.MIN_VALUE; // with `best`: as Sandbox.gateway chooses
        String best = "";
        Optional<IpAddress> bindAddress = Optional.empty();
        for (var endpoint : container.networking().endpoints().entrySet()) {
            var network = networks.find(endpoint.getKey());
            if (network.driver() == Driver.BRIDGE && !network.reach().internal()) {
                long priority = EndpointSettings.parse(endpoint.getValue()).gatewayPriority();
                boolean first = priority > highest || priority == highest && network.name().compareTo(best) < 0;
                if (network.subnet(false).isPresent() && first) {
                    highest = priority;
                    best = network.name();
                    routed = network.settings().gatewayFour() == LinkOptions.GatewayMode.ROUTED; // of its default route
                }
                if (!four && !six) { // the first: who comes to others as well keeps its ports where they are
                    // As in Docker, 0.0.0.0 of a network is what it is without saying so: every address of both families.
                    bindAddress = network.settings().bindAddress().filter(at -> !at.isUnspecified());
                }
                four |= network.subnet(false).isPresent();
                six |= network.subnet(true).isPresent();
            }
        }
        var ports = four || six
                ? PortPlan.requests(container.host(), container.config(), bindAddress)
                : List.<PortRequest>of();
        var servers = new ArrayList<IpAddress>();
        for (String server : defaults.complete(container.host().resolver()).servers()) {
            IpAddress.find(server).ifPresent(servers::add);
        }
        return new Outlets.Opening(container.id(), container.name(), ports, new Families(four, six, four && !routed),
                new Outlets.Asking(servers, links.names(container)));
    }

    /// At the engine's start, before the networks are there again: who runs keeps its ports.
    void resume(Collection<String> running) throws EngineException {
        var openings = new ArrayList<Outlets.Opening>();
        for (String id : running) {
            try {
                var container = book.find(id).snapshot();
                if (mayJoin(container)) {
                    openings.add(opening(container));
                }
            } catch (EngineException e) {
                // set aside, or in a network that is gone: what is open stays open while it runs
                LOG.warn("container {} runs, and what it wants of ports is not known: {}", id, e.getMessage());
                openings.add(new Outlets.Opening(id, "", List.of(), Families.NONE, Outlets.Asking.NONE));
            }
        }
        outlets.resume(openings);
    }

    /// At the engine's start, after that: the rules are as they should be.
    void hold() throws EngineException {
        outlets.hold();
    }

    /// From where its published ports can be reached.
    List<PortReach> reach(ContainerSnapshot container) throws EngineException {
        return outlets.reach(container.id()).stream()
                .map(reach -> new PortReach(
                        reach.binding().containerPort() + "/" + reach.binding().protocol(), reach.binding().hostText(),
                        reach.fromThisHost(), reach.fromOthers(), reach.remarks()))
                .toList();
    }

    private List<ContainerNetworks.Port> ports(ContainerSnapshot container) {
        if (!container.state().alive()) {
            return List.of();
        }
        try {
            var bindings = outlets.bindings(container.id());
            var ports = new ArrayList<ContainerNetworks.Port>();
            for (String name : PortPlan.known(container.host(), container.config())) {
                ports.add(new ContainerNetworks.Port(name, bindings.stream()
                        .filter(binding -> name.equals(binding.containerPort() + "/" + binding.protocol()))
                        .map(binding -> new ContainerNetworks.HostPort(binding.address(), binding.hostPort()))
                        .toList()));
            }
            return ports;
        } catch (EngineException.Invalid e) {
            throw new AssertionError("ports were checked when they came", e);
        }
    }

    /// What inspect and list tell.
    ContainerNetworks view(ContainerSnapshot container) {
        var sandbox = fabric.sandbox(container.id());
        var places = new ArrayList<ContainerNetworks.Place>();
        container.networking().endpoints().forEach((name, given) -> {
            try {
                var settings = EndpointSettings.parse(given);
                var network = networks.named(name);
                var endpoint = network.flatMap(known -> sandbox.flatMap(open -> open.in(known.id())));
                boolean named = network.map(Network::userDefined).orElse(false);
                places.add(new ContainerNetworks.Place(name, network.map(Network::id).orElse(""), settings,
                        endpoint.map(Memberships::live), named ? names(container, settings) : List.of()));
            } catch (EngineException.Invalid e) {
                throw new AssertionError("settings were checked when they came", e);
            }
        });
        String key = sandbox.map(Sandbox::path).orElse("");
        return new ContainerNetworks(sandbox.isPresent() ? container.id() : "", key, places, ports(container));
    }

    private static ContainerNetworks.Live live(Endpoint endpoint) {
        return new ContainerNetworks.Live(endpoint.id(), endpoint.mac().toString(), endpoint.four(), endpoint.six(),
                endpoint.gateways().four(), endpoint.gateways().six());
    }

    /// Whether `word` begins the id of the network called `name`.
    boolean isIdOf(String word, String name) {
        return !word.isEmpty() && networks.named(name).map(network -> network.id().startsWith(word)).orElse(false);
    }

    /// What passed its interfaces.
    Map<String, UsageSample.Traffic> traffic(String containerId) throws EngineException {
        var traffic = new LinkedHashMap<String, UsageSample.Traffic>();
        fabric.traffic(containerId).forEach((name, link) -> traffic.put(name, new UsageSample.Traffic(
                flow(link.in()), flow(link.out()))));
        return traffic;
    }

    private static UsageSample.Flow flow(Traffic.Flow way) {
        return new UsageSample.Flow(way.bytes(), way.packets(), way.errors(), way.dropped());
    }

    /// What `host-gateway` stands for: what was configured, else the host as containers on the default bridge see it.
    private List<String> hostAddresses() {
        if (!defaults.hostGateways().isEmpty()) {
            return defaults.hostGateways().stream().map(IpAddress::toString).toList();
        }
        return networks.named(Network.DEFAULT).stream()
                .flatMap(network -> Stream.of(false, true).flatMap(six -> network.subnet(six).stream()))
                .flatMap(subnet -> subnet.gateway().stream())
                .map(IpAddress::toString)
                .toList();
    }
}
