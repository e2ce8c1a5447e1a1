package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.LinkInfo;
import carafe.kernel.LinkWatch;
import carafe.kernel.NamespaceThread;
import carafe.kernel.Netlink;
import carafe.network.NetworkPlanner.Surroundings;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The fabric of this host's kernel. `planning` makes choosing a range and reserving it one step; nothing slow but a list
/// of the host's routes happens under it. `bridging` makes a network, its bridge and its rules (or the link that it shares)
/// one thing, so that one that somebody deleted is made again by one thread alone, and never after its network was removed.
final class LinuxFabric implements Fabric {

    private static final Logger LOG = LoggerFactory.getLogger(LinuxFabric.class);

    /// Namespaces kept ready, and as many with a cable.
    static final int POOL = 8;

    private final FabricConfig config;
    private final Parts parts;
    private final Marks marks;
    private final NamespaceThread thread;
    private final Netlink host;
    private final RetiredBridges retired;
    private final Bridges bridges;
    private final Parents parents;
    private final NetworkPlanner planner;
    private final Addresses addresses;
    private final ConcurrentMap<String, Network> networks = new ConcurrentHashMap<>();
    private final Arrivals arrivals = new Arrivals(networks.keySet());
    private final CopyOnWriteArrayList<EndpointListener> listeners = new CopyOnWriteArrayList<>();
    private final Sandboxes sandboxes;
    private final ReentrantLock planning = new ReentrantLock();
    private final ReentrantLock bridging = new ReentrantLock();
    private final DeletedLinks watch;

    private LinuxFabric(FabricConfig config, Parts parts, NamespaceThread thread, Duration quiet)
            throws KernelException, EngineException {
        this.config = config;
        this.parts = parts;
        this.thread = thread;
        marks = new Marks(config.engineId());
        var notes = SandboxNotes.open(config.place().runDirectory());
        host = thread.insideHome(Netlink::open);
        retired = new RetiredBridges(thread.insideHome(Netlink::open), quiet);
        bridges = new Bridges(host, thread, "carafe " + marks.mark(), config, retired);
        addresses = new Addresses(bridges::others);
        parents = new Parents(host, bridges);
        planner = new NetworkPlanner(new Ranges(config.pools(), config.engineId()), parts.clock());
        var graveyard = new Graveyard(thread.insideHome(Netlink::open), Lull.Patience.USUAL);
        sandboxes = new Sandboxes(
                new Sandboxes.Tools(thread,
                        new NamespacePool(thread, POOL, new CablesAhead(thread.insideHome(Netlink::open), marks, graveyard),
                                parts.failpoints()),
                        new Cables(host, thread, bridges, graveyard, this::remade), graveyard, notes, marks, arrivals, bridging),
                addresses, listeners, parts.failpoints());
        watch = new DeletedLinks(thread.insideHome(LinkWatch::open), this::deleted);
    }

    /// Opens the fabric in the caller's network namespace.
    static LinuxFabric open(FabricConfig config, Parts parts) throws EngineException {
        try {
            return open(config, parts, NamespaceThread.start(), RetiredBridges.QUIET);
        } catch (KernelException e) {
            throw Trouble.of("this host has no networks for containers", e);
        }
    }

    /// Opens the fabric where `thread`, which is adopted, is at home. Bridges go when none has come for `quiet`.
    static LinuxFabric open(FabricConfig config, Parts parts, NamespaceThread thread, Duration quiet) throws EngineException {
        boolean opened = false;
        try {
            var fabric = new LinuxFabric(config, parts, thread, quiet);
            fabric.watch.begin();
            opened = true;
            return fabric;
        } catch (KernelException e) {
            throw Trouble.of("this host has no networks for containers", e);
        } finally {
            if (!opened) {
                thread.close();
            }
        }
    }

    @Override
    public Network create(NetworkRequest request, Predicate<Network> prunable) throws EngineException {
        return alone(() -> {
            var network = bridges.keeping(
                    planner.plan(request, marks.id(), surroundings(prunable)), Optional.empty());
            check(network);
            boolean made = false;
            try {
                make(network);
                made = true;
            } finally {
                if (!made) {
                    forget(network);
                }
            }
            return network;
        });
    }

    @Override
    public Optional<Network> createDefault(Optional<Network> known, List<Network> others, Set<String> running)
            throws EngineException {
        if (!config.bridge().enabled()) {
            return Optional.empty();
        }
        return alone(() -> {
            var ids = Stream.concat(known.stream(), others.stream()).map(Network::id).collect(Collectors.toSet());
            ids.addAll(networks.keySet()); // also those that were made a moment ago
            bridges.takeBack(ids); // else it would be taken for the host's
            var before = known.map(network -> networks.remove(network.id()));
            try {
                return Optional.of(makeDefault(known, others, running));
            } catch (EngineException | RuntimeException e) {
                before.ifPresent(network -> networks.put(network.id(), network));
                throw e;
            }
        });
    }

    private Network makeDefault(Optional<Network> known, List<Network> others, Set<String> running) throws EngineException {
        String link = bridges.defaultName(config.bridge(), known);
        boolean inUse = known.isPresent() && sandboxes.takeover().isHeld(known.get().id(), running);
        var held = inUse ? known : Optional.<Network>empty();
        var ground = new NetworkPlanner.Ground(link, held.isPresent() ? List.of() : bridges.hosts(link));
        var around = surroundings(_ -> false).with(others);
        var network = bridges.keeping(planner.defaultBridge(config.bridge(), ground, known, marks.id(),
                held.isPresent() ? beside(held.get(), around) : around), known);
        make(network);
        return network;
    }

    /// Who runs in the default bridge keeps his addresses, whatever came to the host meanwhile.
    private static Surroundings beside(Network held, Surroundings around) {
        var free = around.outside(held.ranges());
        if (free.all().size() < around.all().size()) {
            LOG.warn("the host has routes or addresses in the range {} of the default bridge, or another network has; containers"
                    + " run in it, so that it stays until the engine starts without any: end them, or choose a range with"
                    + " \"bip\"", held.ranges());
        }
        return free;
    }

    private interface Choice<T> { T make() throws EngineException; }

    /// Chooses and makes while no other engine of the host does: what one has made, the next one sees in the kernel.
    private <T> T alone(Choice<T> choice) throws EngineException {
        planning.lock();
        try (var file = FileChannel.open(config.place().lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var _ = file.lock()) {
            return choice.make();
        } catch (IOException e) {
            throw Trouble.of("cannot lock " + config.place().lock(), e);
        } finally {
            planning.unlock();
        }
    }

    private void check(Network network) throws EngineException {
        if (network.driver() == Driver.BRIDGE) {
            for (var other : networks.values()) {
                if (other.link().equals(network.link()) && other.driver() == Driver.BRIDGE) {
                    throw new EngineException.Forbidden("cannot create network " + network.id() + " (" + network.link()
                            + "): conflicts with network " + other.id() + " (" + other.link()
                            + "): networks have same bridge name");
                }
            }
        } else if (network.shares()) {
            Parents.check(network, networks.values());
        }
    }

    private void reserve(Network network) {
        networks.put(network.id(), network);
        addresses.add(network);
    }

    /// What this engine has and what the host has beside it.
    private Surroundings surroundings(Predicate<Network> prunable) throws EngineException {
        var ours = networks.values().stream().flatMap(network -> network.ranges().stream()).toList();
        var used = sandboxes.networksInUse();
        var unused = networks.values().stream()
                .filter(network -> network.userDefined() && !used.contains(network.id()) && prunable.test(network))
                .map(Network::name).sorted().toList();
        return new Surroundings(ours, hosts(link -> bridges.isOurs(link.alias())), unused);
    }

    private HostRanges hosts(Predicate<LinkInfo> passed) throws EngineException {
        try {
            return HostRanges.read(host, passed);
        } catch (KernelException e) {
            throw Trouble.of("cannot list the host's routes", e);
        }
    }

    @Override
    public List<String> overlaps(Network network) throws EngineException {
        if (network.driver() != Driver.BRIDGE) {
            return List.of(); // what shares a link of the host's has that one's range
        }
        return hosts(link -> bridges.isOurs(link.alias()) || link.name().equals(network.link()))
                .leadingTo(network.ranges()).stream()
                .map(route -> "the host has a route to " + route + ", and the network has "
                        + String.join(", ", network.ranges().stream().filter(route::overlaps).map(Cidr::toString).toList())
                        + ": whoever is there by that route is reached from this host no more; choose another range with"
                        + " --subnet")
                .toList();
    }

    private void make(Network network) throws EngineException {
        pass("network.bridge");
        bridging.lock();
        try {
            reserve(network);
            if (network.driver() == Driver.BRIDGE) {
                bridge(network);
            } else if (network.shares()) {
                parents.make(network);
                pass("network.parent");
            }
        } finally {
            bridging.unlock();
        }
    }

    private void bridge(Network network) throws EngineException {
        var made = bridges.make(network);
        boolean admitted = false;
        try {
            pass("network.rules");
            admit(network);
            admitted = true;
        } finally {
            if (!admitted) {
                bridges.undo(network, made);
            }
        }
        bridges.note(network, made);
    }

    private void unbridge(Network network) throws EngineException {
        bridging.lock();
        try {
            parts.firewall().dismiss(network.id());
            pass("network.remove-bridge");
            bridges.remove(network);
        } finally {
            bridging.unlock();
        }
    }

    private void unshare(Network network, Collection<Network> left) throws EngineException {
        bridging.lock();
        try {
            parents.remove(network, left);
        } finally {
            bridging.unlock();
        }
    }

    private void admit(Network network) throws EngineException {
        parts.firewall().admit(new Firewall.BridgeRules(
                network.id(), network.link(), network.ranges(), network.reach().internal(), network.settings()));
    }

    @Override
    public void remove(Network network) throws EngineException {
        pass("network.remove");
        bridging.lock();
        try {
            if (!networks.containsKey(network.id())) {
                return; // somebody else removed it, and its bridge's name may be another's
            }
            arrivals.go(network, () -> sandboxes.dwellers(network.id()));
            if (network.driver() == Driver.BRIDGE) {
                unbridge(network);
            } else if (network.shares()) {
                unshare(network, networks.values());
            }
            forget(network);
        } finally {
            arrivals.gone(network.id());
            bridging.unlock();
        }
    }

    private void forget(Network network) {
        bridging.lock();
        try {
            networks.remove(network.id());
            addresses.remove(network.id());
        } finally {
            bridging.unlock();
        }
    }

    /// Makes the network's bridge, or makes it again, with its rules, and puts everybody back into it; or the link that a
    /// macvlan or ipvlan network shares, with everybody's on it.
    private void remade(Network network) throws EngineException {
        bridging.lock();
        try {
            if (!networks.containsKey(network.id())) {
                return;
            }
            boolean known = network.shares() || bridges.isKnown(network.id());
            if (network.shares() && !parents.isThere(network)) {
                parents.make(network);
                sandboxes.relinks().relay(network.id());
            } else if (!network.shares() && !(known && bridges.isThere(network))) {
                again(network);
            } else {
                return;
            }
            LOG.warn("the {} {} of network {}, which {}, is there again", network.shares() ? "link" : "bridge",
                    network.link(), network.name(), known ? "somebody deleted" : "could not be made before");
        } finally {
            bridging.unlock();
        }
    }

    private void again(Network network) throws EngineException {
        bridge(network);
        sandboxes.relinks().reattach(network.id());
    }

    /// What a user made, and deletes, he may be about to make anew: that is seen by the next start in it.
    private void deleted(Set<Integer> links, boolean any) {
        for (var network : networks.values()) {
            try {
                if (bridges.lost(network.id(), links, any) || parents.lost(network.id(), links, any)) {
                    remade(network);
                }
            } catch (EngineException e) {
                LOG.error("somebody deleted the link {}: {}", network.link(), e.getMessage());
            } catch (RuntimeException e) { // a fault in the engine: the other networks are watched all the same
                LOG.error("somebody deleted the link {}, and it could not be made again", network.link(), e);
            }
        }
    }

    private void pass(String point) throws EngineException {
        try {
            parts.failpoints().pass(point);
        } catch (Failpoints.Injected e) {
            throw Trouble.of(point, e);
        }
    }

    @Override
    public Sandbox open(String containerId, List<Joining> joinings, Optional<String> namespace)
            throws EngineException {
        var opening = begin(containerId, joinings, namespace);
        try {
            opening.complete();
        } finally {
            opening.settle();
        }
        return opening.sandbox();
    }

    @Override
    public Opening begin(String containerId, List<Joining> joinings, Optional<String> namespace) throws EngineException {
        return sandboxes.begin(containerId, joinings, namespace);
    }

    @Override
    public Optional<Spare> spare() {
        return sandboxes.spare();
    }

    @Override
    public Optional<Sandbox> sandbox(String containerId) {
        return sandboxes.find(containerId);
    }

    @Override
    public void refuseUnheld(String containerId) throws EngineException.Unavailable {
        sandboxes.refuseUnheld(containerId);
    }

    @Override
    public Endpoint connect(String containerId, Joining joining) throws EngineException {
        return sandboxes.connect(containerId, joining);
    }

    @Override
    public void disconnect(String containerId, String networkId) throws EngineException {
        sandboxes.disconnect(containerId, networkId);
    }

    @Override
    public void rename(String containerId, Map<String, List<String>> names) throws EngineException {
        sandboxes.rename(containerId, names);
    }

    @Override
    public void close(String containerId) {
        sandboxes.close(containerId);
    }

    @Override
    public void restore(List<Network> known, Map<String, Integer> running) throws EngineException {
        bridges.takeBack(known.stream().map(Network::id).collect(Collectors.toSet()));
        known.forEach(this::reserve);
        for (var network : known) {
            if (!bridges.isKnown(network.id())) {
                remake(network);
            }
        }
        sandboxes.takeover().restore(networks, running);
        known.stream().filter(Network::shares).forEach(this::relay);
        sweepLinks();
        parts.firewall().retain(known.stream().map(Network::id).toList());
    }

    /// One network that cannot be made now does not keep the engine from the others; its containers will say why.
    private void remake(Network network) {
        try {
            make(network);
        } catch (EngineException e) {
            LOG.warn("network {} is not there: {}", network.name(), e.getMessage());
        }
    }

    private void relay(Network network) {
        bridging.lock();
        try {
            sandboxes.relinks().relay(network.id());
        } finally {
            bridging.unlock();
        }
    }

    /// Whatever carries this engine's mark and belongs to nobody goes.
    private void sweepLinks() throws EngineException {
        try {
            Set<String> alive = sandboxes.hostLinks();
            var dead = host.links().stream()
                    .map(LinkInfo::name)
                    .filter(name -> marks.isOurs(name) && !alive.contains(name))
                    .toList();
            sandboxes.sweep(dead);
            bridging.lock();
            try {
                bridges.sweep(networks);
            } finally {
                bridging.unlock();
            }
        } catch (KernelException e) {
            throw Trouble.of("cannot list the host's links", e);
        }
    }

    @Override
    public Map<String, Traffic> traffic(String containerId) throws EngineException {
        return sandboxes.traffic(containerId);
    }

    @Override
    public void rest() throws EngineException {
        var used = sandboxes.networksInUse();
        var failures = new ArrayList<EngineException>();
        for (var network : networks.values()) {
            if (!used.contains(network.id())) {
                try {
                    rest(network, used);
                } catch (EngineException e) {
                    failures.add(e);
                }
            }
        }
        if (!failures.isEmpty()) {
            throw new EngineException.Internal(failures.stream().map(Throwable::getMessage).collect(Collectors.joining("; ")),
                    failures.getFirst());
        }
    }

    private void rest(Network network, Set<String> used) throws EngineException {
        if (network.driver() == Driver.BRIDGE) {
            unbridge(network);
        } else if (network.shares()) {
            unshare(network, networks.values().stream().filter(other -> used.contains(other.id())).toList());
        }
    }

    @Override
    public List<Fault> check(boolean repair) {
        var faults = new ArrayList<Fault>();
        for (var network : networks.values()) {
            if (network.driver() == Driver.BRIDGE) {
                fault(network, repair).ifPresent(faults::add);
            }
        }
        return faults;
    }

    private Optional<Fault> fault(Network network, boolean repair) {
        bridging.lock();
        try {
            var fault = networks.containsKey(network.id()) ? bridges.fault(network) : Optional.<String>empty();
            return fault.map(text -> repair
                    ? repaired(network, text) : new Fault(network.link(), network.name(), text, false));
        } catch (EngineException e) {
            return Optional.of(new Fault(network.link(), network.name(), String.valueOf(e.getMessage()), false));
        } finally {
            bridging.unlock();
        }
    }

    private Fault repaired(Network network, String fault) {
        try {
            again(network);
            return new Fault(network.link(), network.name(), fault, true);
        } catch (EngineException e) {
            return new Fault(network.link(), network.name(), fault + " and stays so: " + e.getMessage(), false);
        }
    }

    @Override
    public List<NetworkStep> steps(String containerId) {
        return sandboxes.steps(containerId);
    }

    @Override
    public void listen(EndpointListener listener) {
        listeners.add(listener);
    }

    @Override
    public List<Usage> usage(Network network) {
        return addresses.of(network.id()).stream()
                .map(pool -> new Usage(pool.subnet(), pool.inUse(), pool.available())).toList();
    }

    @Override
    public void close() {
        watch.close();
        sandboxes.close();
        retired.close();
        host.close();
        thread.close();
    }

    /// Lets go of everything at once, as a crash would. For tests.
    void abandon() {
        watch.close();
        sandboxes.abandon();
        retired.abandon();
        host.close();
        thread.close();
    }

    /// Waits for what goes on in the background. For tests, which look for what is left.
    void settle() throws InterruptedException {
        sandboxes.settle();
        retired.settle();
    }
}
