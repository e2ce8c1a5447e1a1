package carafe.engine;

import carafe.network.ConfigNetworks;
import carafe.network.Driver;
import carafe.network.Fabric;
import carafe.network.Network;
import carafe.network.NetworkRequest;
import carafe.spec.EngineException;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.Filters;
import carafe.spec.docker.NetworkCreateRequest;
import carafe.spec.docker.NetworkingConfig;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The door to networks. A network's row is written after it was made and erased after it is gone; what a crash leaves in
/// between carries the engine's mark, and the next start removes it.
final class LiveNetworks implements Networks {
    private static final Logger LOG = LoggerFactory.getLogger(LiveNetworks.class);
    private static final Set<String> KEYS = Set.of("driver", "id", "label", "name", "scope", "type", "dangling");
    private static final Set<String> PRUNE_KEYS = Set.of("label", "label!", "until");
    private static final List<String> PREDEFINED = List.of("bridge", "host", "none", "default");

    private final Book book;
    private final NetworkBook networks;
    private final Fabric fabric;
    private final Hands hands;
    private final Clock clock;

    /// Those who do the work on a container's side.
    record Hands(Memberships memberships, DefaultBridge bridge, EtcFiles etc, Layout layout, Steps steps,
            NetworkDefaults defaults) {}

    LiveNetworks(Book book, NetworkBook networks, Fabric fabric, Hands hands, Clock clock) {
        this.book = book;
        this.networks = networks;
        this.fabric = fabric;
        this.hands = hands;
        this.clock = clock;
    }

    @Override
    public String create(NetworkCreateRequest request) throws EngineException {
        String name = request.name();
        if (PREDEFINED.contains(name) || name.startsWith("container:")) {
            throw new EngineException.Forbidden("operation is not permitted on predefined " + name + " network ");
        }
        refuseSwarm(request.flags());
        networks.reserve(name);
        boolean made = false;
        try {
            hands.steps.pass("network.plan");
            Network network;
            if (request.flags().configOnly()) {
                network = ConfigNetworks.plan(asked(request), newId(), clock.instant());
                hands.steps.pass("network.row");
                networks.save(network);
                made = true;
            } else {
                String config = request.flags().configFrom();
                network = ConfigNetworks.made(fabric.create(wanted(request, config), other -> !isNamed(other)), config);
                try {
                    hands.steps.pass("network.row");
                    networks.save(network);
                    made = true;
                } finally {
                    if (!made) {
                        fabric.remove(network);
                    }
                }
            }
            networks.tell(network, "create", Map.of());
            return network.id();
        } finally {
            if (!made) {
                networks.release(name);
            }
        }
    }

    private static void refuseSwarm(NetworkCreateRequest.Flags flags) throws EngineException {
        if (flags.configOnly() && !flags.configFrom().isEmpty()) {
            throw new EngineException.Forbidden("a configuration network cannot depend on another configuration network");
        }
        if (flags.ingress() && !flags.configOnly()) {
            throw new EngineException.Forbidden("Ingress network can only be global scope network");
        }
        if (flags.scope().equals("swarm") && !flags.configOnly()) {
            throw new EngineException.Forbidden("cannot create a swarm scoped network when swarm is not active.");
        }
    }

    /// What is asked for, with what the configuration called `config` says, if there is one.
    private NetworkRequest wanted(NetworkCreateRequest request, String config) throws EngineException {
        if (config.isEmpty()) {
            return asked(request);
        }
        var found = networks.named(config).filter(network -> network.config().only());
        if (found.isEmpty()) {
            throw new EngineException.NotFound("configuration network \"" + config + "\" does not exist");
        }
        return ConfigNetworks.apply(found.get(), asked(request));
    }

    @Override
    public String warning(String id) throws EngineException {
        var network = networks.find(id);
        var warnings = new ArrayList<String>();
        try {
            warnings.addAll(fabric.overlaps(network));
            if (network.driver() == Driver.BRIDGE && !network.reach().internal()) {
                warnings.addAll(hands.memberships.warnings());
            }
        } catch (EngineException e) {
            warnings.add(e.getMessage()); // the network is made all the same
        }
        return String.join("; ", warnings);
    }

    private NetworkRequest asked(NetworkCreateRequest request) throws EngineException {
        var pools = request.ipam().pools().stream()
                .map(pool -> new NetworkRequest.Pool(pool.subnet(), pool.range(), pool.gateway(), pool.auxiliary()))
                .toList();
        var driver = Driver.of(request.driver());
        boolean whole = request.flags().configFrom().isEmpty();
        var options = whole
                ? hands.defaults.complete(driver.word(), request.options())
                : new LinkedHashMap<>(request.options());
        return new NetworkRequest(
                request.name(), driver,
                NetworkDefaults.family(request.four(), NetworkDefaults.FOUR, options),
                NetworkDefaults.family(request.six(), NetworkDefaults.SIX, options),
                new NetworkRequest.Pools(request.ipam().driver(), request.ipam().options(), pools),
                new Network.Reach(request.flags().internal(), request.flags().attachable(),
                        request.flags().ingress() || !request.flags().scope().isEmpty() && request.flags().configOnly()),
                options, request.labels());
    }

    @Override
    public List<NetworkDetails> list(Filters filters) throws EngineException {
        filters.allowOnly(KEYS);
        for (String type : filters.of("type")) {
            if (!type.equals("custom") && !type.equals("builtin")) {
                throw new EngineException.Invalid("invalid filter: 'type'='" + type + "'");
            }
        }
        boolean asksDangling = !filters.of("dangling").isEmpty();
        boolean dangling = filters.truth("dangling", false);
        var id = filters.finding("id");
        var named = filters.finding("name");
        var found = new ArrayList<NetworkDetails>();
        for (var network : networks.all()) {
            boolean shown = filters.allows("driver", network.driver().word())
                    && id.test(network.id())
                    && named.test(network.name())
                    && filters.allowsLabels("label", network.labels())
                    && filters.allows("scope", "local")
                    && filters.allows("type", network.builtIn() ? "builtin" : "custom")
                    && (!asksDangling || dangling == (network.userDefined() && members(network).isEmpty()));
            if (shown) {
                found.add(details(network, List.of()));
            }
        }
        return found;
    }

    @Override
    public NetworkDetails inspect(String reference) throws EngineException {
        var network = networks.find(reference);
        return details(network, members(network));
    }

    private NetworkDetails details(Network network, List<NetworkDetails.Member> members) {
        var ranges = new ArrayList<NetworkDetails.Range>();
        if (network.config().only()) {
            network.addressing().subnets().forEach(subnet -> ranges.add(new NetworkDetails.Range(
                    subnet.range(), subnet.gateway(), subnet.allocation(), subnet.auxiliary(), 0, 0)));
        }
        for (var usage : network.config().only() ? List.<Fabric.Usage>of() : fabric.usage(network)) {
            var subnet = usage.subnet();
            ranges.add(new NetworkDetails.Range(subnet.range(), subnet.gateway(), subnet.allocation(), subnet.auxiliary(),
                    usage.inUse(), usage.available()));
        }
        var addressing = network.addressing();
        return new NetworkDetails(
                network.id(), network.name(), network.created(), network.driver().word(),
                new NetworkDetails.Families(addressing.four(), addressing.six()),
                new NetworkDetails.Ipam(addressing.ipam(), addressing.ipamOptions(), ranges),
                new NetworkDetails.Flags(network.reach().internal(), network.reach().attachable(), false,
                        network.config().only(), network.config().from()),
                network.givenOptions(), network.labels(), members);
    }

    private List<NetworkDetails.Member> members(Network network) {
        var members = new ArrayList<NetworkDetails.Member>();
        for (var container : book.all()) {
            fabric.sandbox(container.id()).flatMap(sandbox -> sandbox.in(network.id())).ifPresent(endpoint ->
                    members.add(new NetworkDetails.Member(container.id(), container.snapshot().name(), endpoint.id(),
                            endpoint.mac(), endpoint.four(), endpoint.six())));
        }
        return members;
    }

    @Override
    public void remove(String reference) throws EngineException {
        var network = networks.find(reference);
        if (network.builtIn()) {
            throw new EngineException.Forbidden(network.name() + " is a pre-defined network and cannot be removed");
        }
        if (network.config().only()
                && networks.real().stream().anyMatch(other -> other.config().from().equals(network.name()))) {
            throw new EngineException.Forbidden("configuration network \"" + network.name() + "\" is in use");
        }
        var members = members(network);
        if (!members.isEmpty()) {
            var texts = members.stream()
                    .map(member -> "name:\"" + member.name() + "\" id:\"" + member.endpointId().substring(0, 12) + "\"")
                    .toList();
            throw new EngineException.Forbidden("error while removing network: network " + network.name()
                    + " has active endpoints (" + String.join(", ", texts) + ")");
        }
        erase(network);
    }

    private void erase(Network network) throws EngineException {
        hands.steps.pass("network.gone");
        if (!network.config().only()) {
            fabric.remove(network);
        }
        hands.steps.pass("network.erase");
        networks.erase(network);
        networks.tell(network, "destroy", Map.of());
    }

    @Override
    public void connect(String reference, String containerReference, EndpointSettings settings)
            throws EngineException, InterruptedException {
        if (reference.equals(Network.DEFAULT)) {
            hands.bridge.demand();
        }
        var network = networks.findToJoin(reference);
        var container = book.find(containerReference);
        container.mailbox().perform(() -> {
            if (container.removed()) {
                throw Book.unknown(containerReference);
            }
            connect(network, container, settings);
        });
    }

    /// Confined to the container's queue.
    private void connect(Network network, Container container, EndpointSettings settings) throws EngineException {
        var before = container.snapshot();
        String mode = before.host().namespaces().network();
        if (mode.startsWith("container:")) {
            throw new EngineException.Forbidden("container sharing network namespace with another container or host cannot"
                    + " be connected to any other network");
        }
        if (mode.equals("host") || network.driver() == Driver.HOST) {
            throw new EngineException.Forbidden("cannot connect container to host network - container must be created in"
                    + " host network mode");
        }
        if (before.networking().endpoints().containsKey("none") || network.driver() == Driver.NONE) {
            throw new EngineException.Forbidden(
                    "container cannot be connected to multiple networks with one of the networks in private (none) mode");
        }
        if (before.networking().endpoints().containsKey(network.name())) {
            throw new EngineException.Forbidden("endpoint with name " + before.name() + " already exists in network "
                    + network.name());
        }
        NetworkModes.checkSettings(network.name(), settings);
        for (var address : Stream.of(settings.four(), settings.six()).flatMap(Optional::stream).toList()) {
            network.checkHolds(address);
        }
        var endpoints = new LinkedHashMap<>(before.networking().endpoints());
        endpoints.put(network.name(), settings.json());
        var after = before.with(new NetworkingConfig(endpoints));
        if (before.state().alive()) {
            hands.memberships.connectRunning(after, network, settings);
        }
        boolean saved = false;
        try {
            hands.steps.pass("connect.row");
            book.save(after);
            saved = true;
        } finally {
            if (!saved && before.state().alive()) {
                hands.memberships.disconnectRunning(before, network);
            }
        }
        container.show(after);
        tellFiles(after);
        networks.tell(network, "connect", Map.of("container", container.id()));
    }

    /// A running container reads its addresses in /etc/hosts, which is one file for all of its life. One that spoilt its file
    /// is in the network all the same.
    private void tellFiles(ContainerSnapshot container) {
        if (container.state().alive()) {
            try {
                var files = hands.layout.files(container.id());
                var known = hands.memberships.known(container);
                hands.etc.updateHosts(files, known);
                hands.etc.writeResolver(files, container.host(), known);
            } catch (EngineException e) {
                LOG.warn("{}", e.getMessage());
            }
        }
    }

    @Override
    public void disconnect(String reference, String containerReference, boolean force)
            throws EngineException, InterruptedException {
        var network = networks.find(reference);
        Container container;
        try {
            container = book.find(containerReference);
        } catch (EngineException.NotFound e) {
            if (force) {
                return;
            }
            throw e;
        }
        container.mailbox().perform(() -> disconnect(network, container));
    }

    /// Confined to the container's queue.
    private void disconnect(Network network, Container container) throws EngineException {
        var before = container.snapshot();
        if (before.host().namespaces().network().equals("host") && network.driver() == Driver.HOST) {
            throw new EngineException.Forbidden(
                    "container cannot be disconnected from host network or connected to host network");
        }
        if (!before.networking().endpoints().containsKey(network.name())) {
            throw new EngineException.Forbidden(
                    "container " + before.id() + " is not connected to network " + network.name());
        }
        var endpoints = new LinkedHashMap<>(before.networking().endpoints());
        endpoints.remove(network.name());
        var after = before.with(new NetworkingConfig(endpoints));
        book.save(after);
        container.show(after);
        hands.steps.pass("disconnect.row");
        if (before.state().alive()) {
            hands.memberships.disconnectRunning(after, network);
        }
        hands.steps.pass("disconnect.files");
        tellFiles(after);
        networks.tell(network, "disconnect", Map.of("container", container.id()));
    }

    @Override
    public List<String> prune(Filters filters) throws EngineException {
        filters.allowOnly(PRUNE_KEYS);
        var until = ContainerFilter.until(filters, clock.instant());
        var removed = new ArrayList<String>();
        for (var network : networks.real()) {
            boolean goes = network.userDefined() && !isNamed(network)
                    && (until.isEmpty() || network.created().isBefore(until.get()))
                    && filters.allowsLabels("label", network.labels())
                    && (filters.of("label!").isEmpty() || !filters.allowsLabels("label!", network.labels()));
            if (goes && erased(network)) {
                removed.add(network.name());
            }
        }
        return removed;
    }

    /// Whether a container belongs to it, be it stopped.
    private boolean isNamed(Network network) {
        return book.all().stream()
                .anyMatch(container -> container.snapshot().networking().endpoints().containsKey(network.name()));
    }

    /// One that cannot go keeps no other from going.
    private boolean erased(Network network) {
        try {
            erase(network);
            return true;
        } catch (EngineException e) {
            LOG.warn("network {} is not removed: {}", network.name(), e.getMessage());
            return false;
        }
    }

    /// At the engine's start: the networks that always are, then everything as the rows and the containers that run say.
    void restore(Map<String, Integer> running) throws EngineException {
        for (var builtIn : Map.of("host", Driver.HOST, "none", Driver.NONE).entrySet()) {
            if (networks.named(builtIn.getKey()).isEmpty()) {
                networks.save(new Network(newId(), builtIn.getKey(), clock.instant(), builtIn.getValue(),
                        Network.Addressing.NONE, Network.Reach.USUAL, "", Map.of(), Map.of()));
            }
        }
        var stored = hands.bridge.open(running.keySet());
        hands.memberships.resume(running.keySet());
        fabric.restore(stored, running);
        hands.bridge.settle(running.keySet());
        finish(running.keySet());
        try {
            hands.memberships.hold();
        } catch (EngineException e) {
            LOG.error("containers are not protected and ports not published: {}", e.getMessage());
        }
    }

    /// What an engine that died had begun with containers that run: a rename of which it had not told the networks, a
    /// network that was left, or not yet come to, as far as the row says.
    private void finish(Collection<String> running) {
        for (String id : running) {
            try {
                var container = book.find(id).snapshot();
                hands.memberships.rename(container);
                if (fabric.sandbox(id).isPresent()) {
                    finishLeaving(container);
                }
            } catch (EngineException e) {
                LOG.warn("container {} may have an old name, or be in networks that it left: {}", id, e.getMessage());
            }
        }
    }

    private void finishLeaving(ContainerSnapshot container) throws EngineException {
        var files = hands.layout.files(container.id());
        var before = hands.memberships.known(container);
        for (var network : hands.memberships.left(container)) {
            LOG.info("container {} leaves network {}, as was begun before", container.name(), network.name());
            fabric.disconnect(container.id(), network.id());
            networks.tell(network, "disconnect", Map.of("container", container.id()));
        }
        hands.etc.noteOlder(files, before);
        if (hands.etc.isBehind(files, hands.memberships.known(container))) {
            tellFiles(container);
        }
    }

    private static String newId() {
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
