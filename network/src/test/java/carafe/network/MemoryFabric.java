package carafe.network;

import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.MacAddress;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/// A fabric without a kernel, for tests of other rooms: it decides networks and gives out addresses as the real one does
/// and makes no link. Strict: what is opened twice or connected while closed is an error of the caller's.
public final class MemoryFabric implements Fabric {

    private final Marks marks = new Marks("memory");
    private final NetworkPlanner planner = new NetworkPlanner(
            new Ranges(FabricConfig.usualPools(), "memory"), Clock.systemUTC());
    private final Addresses addresses = new Addresses(_ -> Set.of());
    private final Map<String, Network> networks = new TreeMap<>();
    private final ConcurrentMap<String, Sandbox> sandboxes = new ConcurrentHashMap<>();
    private volatile FabricConfig.DefaultBridge bridge = FabricConfig.DefaultBridge.USUAL;
    private volatile List<Cidr.Host> hosts = List.of();
    private volatile String obstacle = "";
    private volatile String cut = "";
    private volatile boolean enabled = true;
    private final List<EndpointListener> listeners = new CopyOnWriteArrayList<>();
    private final Set<String> settled = ConcurrentHashMap.newKeySet();

    @Override
    public synchronized Network create(NetworkRequest request, Predicate<Network> prunable) throws EngineException {
        return add(planner.plan(request, marks.id(), around()));
    }

    /// From the next engine on the default bridge has this range of IPv6 too.
    public void defaultSix(String range) throws EngineException {
        var usual = FabricConfig.DefaultBridge.USUAL;
        bridge = new FabricConfig.DefaultBridge(true, usual.link(), usual.four(), usual.fixedFour(), true,
                Optional.empty(), Optional.of(Cidr.parse(range)), usual.mtu(), usual.peers(), usual.masquerade(), usual.bindAddress(),
                usual.gateways());
    }

    /// From the next engine on the default bridge is one of the host's, which has that address.
    public void hostsBridge(String address) throws EngineException {
        hosts = List.of(Cidr.parseHost(address));
    }

    /// From now on the default bridge cannot be made, for this reason; `""`: it can again.
    public void obstacle(String reason) {
        obstacle = reason;
    }

    /// The containers whose starts let others be served.
    public Set<String> settled() {
        return Set.copyOf(settled);
    }

    /// From now on there is to be no default bridge.
    public void noDefault() {
        enabled = false;
    }

    /// As an engine that begins, it knows of no network but those it is told of.
    @Override
    public synchronized Optional<Network> createDefault(Optional<Network> known, List<Network> others, Set<String> running)
            throws EngineException {
        if (!enabled) {
            return Optional.empty();
        }
        if (!obstacle.isEmpty()) {
            throw new EngineException.Unavailable(obstacle);
        }
        var around = new NetworkPlanner.Surroundings(List.of(), HostRanges.NONE, List.of()).with(others);
        return Optional.of(add(planner.defaultBridge(
                bridge, new NetworkPlanner.Ground("carafe0", hosts), known, marks.id(), around)));
    }

    private NetworkPlanner.Surroundings around() {
        var ranges = networks.values().stream().flatMap(network -> network.ranges().stream()).toList();
        return new NetworkPlanner.Surroundings(ranges, HostRanges.NONE, List.of());
    }

    private Network add(Network network) {
        networks.put(network.id(), network);
        addresses.add(network);
        return network;
    }

    @Override
    public synchronized void remove(Network network) throws EngineException {
        if (sandboxes.values().stream().anyMatch(sandbox -> sandbox.in(network.id()).isPresent())) {
            throw new EngineException.Forbidden("error while removing network: network " + network.name()
                    + " has active endpoints");
        }
        networks.remove(network.id());
        addresses.remove(network.id());
    }

    @Override
    public Sandbox open(String containerId, List<Joining> joinings, Optional<String> namespace)
            throws EngineException {
        var opening = begin(containerId, joinings, namespace);
        opening.complete();
        return opening.sandbox();
    }

    /// From now on no container's links can be made, for this reason; `""`: they can again.
    public void cut(String reason) {
        cut = reason;
    }

    /// Addresses are taken at once, and the container is in the fabric once it is complete.
    @Override
    public Opening begin(String containerId, List<Joining> joinings, Optional<String> namespace) throws EngineException {
        close(containerId);
        var endpoints = new ArrayList<Endpoint>();
        boolean opened = false;
        try {
            for (var joining : joinings) {
                endpoints.add(endpoint(joining, endpoints.size()));
            }
            var sandbox = new Sandbox(containerId, namespace.orElse("/memory/" + containerId), endpoints);
            opened = true;
            return opening(sandbox);
        } finally {
            if (!opened) {
                endpoints.forEach(addresses::free);
            }
        }
    }

    private Opening opening(Sandbox sandbox) {
        return new Opening() {
            @Override
            public Sandbox sandbox() {
                return sandbox;
            }

            @Override
            public void complete() throws EngineException {
                if (!cut.isEmpty()) {
                    sandbox.endpoints().forEach(addresses::free);
                    throw new EngineException.Unavailable(cut);
                }
                sandboxes.put(sandbox.containerId(), sandbox);
            }

            @Override
            public void settle() {
                settled.add(sandbox.containerId());
            }
        };
    }

    @Override
    public Optional<Spare> spare() {
        return Optional.empty();
    }

    private Endpoint endpoint(Joining joining, int number) throws EngineException {
        var network = joining.network();
        var four = addresses.take(network, false, joining.wanted().four());
        var six = addresses.take(network, true, joining.wanted().six());
        var mac = joining.wanted().mac().or(() -> four.map(address -> MacAddress.of(address.address())));
        return new Endpoint(marks.id(), network.id(), "eth" + number, marks.hostLink(), mac.orElseThrow(), four, six,
                new Endpoint.Gateways(network.subnet(false).flatMap(Subnet::gateway), Optional.empty(), 0, network.name()),
                List.of(), joining.names());
    }

    @Override
    public Optional<Sandbox> sandbox(String containerId) {
        return Optional.ofNullable(sandboxes.get(containerId));
    }

    @Override
    public Endpoint connect(String containerId, Joining joining) throws EngineException {
        var open = sandbox(containerId)
                .orElseThrow(() -> new EngineException.Conflict("container " + containerId + " is not running"));
        var endpoint = endpoint(joining, open.endpoints().size());
        var endpoints = new ArrayList<>(open.endpoints());
        endpoints.add(endpoint);
        sandboxes.put(containerId, new Sandbox(containerId, open.path(), endpoints));
        return endpoint;
    }

    @Override
    public void disconnect(String containerId, String networkId) {
        sandbox(containerId).ifPresent(open -> {
            open.in(networkId).ifPresent(addresses::free);
            sandboxes.put(containerId, new Sandbox(containerId, open.path(), open.endpoints().stream()
                    .filter(endpoint -> !endpoint.networkId().equals(networkId)).toList()));
        });
    }

    @Override
    public void rename(String containerId, Map<String, List<String>> names) {
        sandbox(containerId).ifPresent(open -> sandboxes.put(containerId, new Sandbox(
                containerId, open.path(), open.endpoints().stream()
                        .map(one -> one.called(names.getOrDefault(one.networkId(), one.names()))).toList())));
    }

    @Override
    public void close(String containerId) {
        var gone = sandboxes.remove(containerId);
        if (gone != null) {
            gone.endpoints().forEach(addresses::free);
        }
    }

    /// Who runs on is remembered by this object, as it is by the kernel: an engine that died hands it to the next.
    @Override
    public synchronized void restore(List<Network> known, Map<String, Integer> running) {
        var ids = known.stream().map(Network::id).toList();
        networks.keySet().stream().filter(id -> !ids.contains(id)).forEach(addresses::remove);
        networks.keySet().retainAll(ids);
        known.forEach(this::add);
        for (String id : List.copyOf(sandboxes.keySet())) {
            if (!running.containsKey(id)) {
                close(id);
            }
        }
    }

    @Override
    public void listen(EndpointListener listener) {
        listeners.add(listener);
    }

    @Override
    public Map<String, Traffic> traffic(String containerId) {
        return Map.of();
    }

    @Override
    public void rest() {}

    @Override
    public List<Usage> usage(Network network) {
        return addresses.of(network.id()).stream()
                .map(pool -> new Usage(pool.subnet(), pool.inUse(), pool.available())).toList();
    }

    /// Ids of containers that have a sandbox, for tests of what is left.
    public List<String> open() {
        return List.copyOf(sandboxes.keySet());
    }

    @Override
    public void close() {}

    @Override
    public List<Fault> check(boolean repair) {
        return List.of();
    }
}
