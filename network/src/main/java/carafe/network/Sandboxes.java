package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.LinkInfo;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.network.Cell.Place;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Containers in their networks. The order when one comes: addresses, note, links, listeners; when it goes: listeners,
/// addresses, note, then in the background links and namespace. A crash between any two steps leaves a note or a marked
/// link, which [#restore] compares with who runs.
final class Sandboxes implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Sandboxes.class);

    /// Docker's word for the name of one interface.
    private static final String INTERFACE_NAME = "com.docker.network.endpoint.ifname";

    private final Tools tools;
    private final Addresses addresses;
    private final List<EndpointListener> listeners;
    private final Failpoints failpoints;
    private final ConcurrentMap<String, Cell> cells = new ConcurrentHashMap<>();
    private final Dying dying;
    private final Relinks relinks;
    private final Takeover takeover;

    /// Who does the work; `bridging` is that of [LinuxFabric].
    record Tools(NamespaceThread thread, NamespacePool namespaces, Cables cables, Graveyard graveyard,
            SandboxNotes notes, Marks marks, Arrivals arrivals, ReentrantLock bridging) {}

    Sandboxes(Tools tools, Addresses addresses, List<EndpointListener> listeners, Failpoints failpoints) {
        this.tools = tools;
        this.dying = tools.cables.dying();
        this.addresses = addresses;
        this.listeners = listeners;
        this.failpoints = failpoints;
        relinks = new Relinks(cells, tools, listeners, failpoints);
        takeover = new Takeover(tools, addresses, listeners, failpoints, cells);
    }

    Optional<Sandbox> find(String containerId) {
        return Optional.ofNullable(cells.get(containerId)).map(Cell::sandbox);
    }

    /// Ids of the networks that somebody is in, or on the way into.
    Set<String> networksInUse() {
        var used = new HashSet<>(tools.arrivals.awaited());
        everybody().values().forEach(places -> places.forEach(place -> used.add(place.network().id())));
        return used;
    }

    /// Ids of the containers in the network.
    List<String> dwellers(String networkId) {
        return everybody().entrySet().stream()
                .filter(one -> one.getValue().stream().anyMatch(place -> place.network().id().equals(networkId)))
                .map(Map.Entry::getKey)
                .toList();
    }

    /// The host ends of all containers.
    Set<String> hostLinks() {
        var links = new HashSet<String>();
        everybody().values().forEach(places -> places.forEach(place -> links.add(place.endpoint().hostLink())));
        return links;
    }

    private Map<String, List<Place>> everybody() {
        var all = new HashMap<>(takeover.unheld());
        cells.forEach((id, cell) -> all.put(id, cell.places()));
        return all;
    }

    Optional<Fabric.Spare> spare() {
        return tools.namespaces.poll().map(namespace -> new Alone(namespace, tools.namespaces));
    }

    private record Alone(NetNamespace namespace, NamespacePool pool) implements Fabric.Spare {

        @Override
        public String path() {
            return namespace.path();
        }

        @Override
        public void close() {
            namespace.close();
            pool.refill();
        }
    }

    Fabric.Opening begin(String containerId, List<Joining> joinings, Optional<String> given) throws EngineException {
        tools.graveyard.newcomer();
        close(containerId); // what a failed start may have left
        var arrival = tools.arrivals.come(containerId, joinings.stream().map(Joining::network).toList());
        boolean begun = false;
        try {
            var coming = reserve(containerId, joinings, given, arrival);
            begun = true;
            return coming;
        } finally {
            if (!begun) {
                arrival.close();
                tools.namespaces.refill();
            }
        }
    }

    /// Addresses, namespace, note.
    private Coming reserve(String containerId, List<Joining> joinings, Optional<String> given, Arrivals.Arrival arrival)
            throws EngineException {
        var places = new ArrayList<Place>();
        NetNamespace namespace = null;
        boolean reserved = false;
        var diary = new NetworkStep.Diary();
        // One with a cable where the first network is a bridge: that cable is the first link.
        var ahead = given.isEmpty() && !joinings.isEmpty() && joinings.getFirst().network().driver() == Driver.BRIDGE
                ? tools.namespaces.pollCabled()
                : Optional.<NamespacePool.Cabled>empty();
        try {
            namespace = ahead.map(NamespacePool.Cabled::namespace).orElse(null);
            pass("sandbox.addresses");
            for (var joining : joinings) {
                var cable = places.isEmpty() ? ahead : Optional.<NamespacePool.Cabled>empty();
                var place = place(joining, places, hostLink(joining, cable), Set.of("lo"));
                places.add(place);
                diary.done(NetworkStep.Kind.ADDRESS, chosen(place));
            }
            pass("sandbox.namespace");
            if (namespace == null) {
                namespace = given.isPresent() ? tools.namespaces.prepare(given.get()) : tools.namespaces.take();
            }
            var cell = new Cell(containerId, namespace, places);
            diary.done(NetworkStep.Kind.NAMESPACE,
                    given.isPresent() ? "that of the container's users" : "unshare(CLONE_NEWNET), made ahead");
            pass("sandbox.note");
            tools.notes.write(containerId, cell.endpoints());
            diary.done(NetworkStep.Kind.NOTE, "write(), rename()");
            reserved = true;
            return new Coming(cell, joinings, ahead.map(NamespacePool.Cabled::cable), diary, arrival);
        } catch (IOException e) {
            throw Trouble.of("cannot make the network of container " + containerId, e);
        } finally {
            if (!reserved) {
                if (places.isEmpty()) {
                    ahead.ifPresent(one -> tools.graveyard.bury(List.of(one.cable().hostLink()), List.of()));
                }
                undo(containerId, places, Optional.ofNullable(namespace));
            }
        }
    }

    /// One that has its addresses, and not yet its links.
    private final class Coming implements Fabric.Opening {
        private final Cell cell;
        private final List<Joining> joinings;
        private final Optional<NamespacePool.Cable> ahead;
        private final NetworkStep.Diary diary;
        private final Arrivals.Arrival arrival;
        private final AtomicBoolean settled = new AtomicBoolean();

        Coming(Cell cell, List<Joining> joinings, Optional<NamespacePool.Cable> ahead, NetworkStep.Diary diary,
                Arrivals.Arrival arrival) {
            this.cell = cell;
            this.joinings = joinings;
            this.ahead = ahead;
            this.diary = diary;
            this.arrival = arrival;
        }

        @Override
        public Sandbox sandbox() {
            return cell.sandbox();
        }

        @Override
        public void complete() throws EngineException {
            try (var _ = arrival) {
                arrive();
            }
        }

        @Override
        public void settle() {
            if (settled.compareAndSet(false, true)) {
                tools.namespaces.refill();
            }
        }

        private void arrive() throws EngineException {
            boolean opened = false;
            try {
                diary.resume();
                var seen = relinks.rounds(cell.places().stream().map(Place::network));
                link(cell.places(), cell.namespace(), ahead, diary);
                pass("sandbox.configure");
                tools.cables.configure(
                        cell.sandbox(), cell.namespace(), joinings.stream().map(Joining::driverOptions).toList());
                diary.done(NetworkStep.Kind.CONFIGURE, NetworkStep.configuration(cell.sandbox()));
                pass("sandbox.listeners");
                for (var place : cell.places()) {
                    attached(cell, place, false, Optional.of(diary));
                }
                pass("sandbox.opened");
                cell.steps(diary.steps());
                cells.put(cell.containerId(), cell);
                opened = true;
                relinks.catchUp(cell, seen);
            } finally {
                if (!opened) {
                    undo(cell.containerId(), cell.places(), Optional.of(cell.namespace()));
                }
            }
        }
    }

    /// Makes the links of all places; that of the first is `ahead`, if that is there.
    private void link(List<Place> places, NetNamespace namespace, Optional<NamespacePool.Cable> ahead, NetworkStep.Diary diary)
            throws EngineException {
        for (var place : places) {
            pass("sandbox.link");
            boolean used = ahead.isPresent() && place == places.getFirst();
            if (used) {
                tools.cables.use(ahead.get(), place, namespace);
            } else {
                tools.cables.lay(place, namespace);
            }
            diary.done(NetworkStep.kind(place.network()), NetworkStep.link(place.network(),
                    place.endpoint().hostLink(), place.endpoint().interfaceName(), place.endpoint().mac().toString())
                    + (used ? ", made ahead" : ""));
        }
    }

    private void undo(String containerId, List<Place> places, Optional<NetNamespace> namespace) {
        namespace.ifPresent(inside -> tools.cables.cutShared(containerId, places, inside));
        for (var place : places) {
            detached(containerId, place.endpoint());
            dying.add(place.endpoint());
            addresses.free(place.endpoint());
        }
        try {
            failpoints.pass("undo.note");
            tools.notes.remove(containerId); // links that are still there are found by their names
        } catch (IOException e) {
            LOG.warn("the note about container {} was not removed; the next start does it: {}", containerId, e.getMessage());
        }
        bury(places, namespace);
    }

    private void bury(List<Place> places, Optional<NetNamespace> namespace) {
        var links = places.stream().map(place -> place.endpoint().hostLink()).filter(link -> !link.isEmpty()).toList();
        var then = new ArrayList<AutoCloseable>();
        namespace.ifPresent(then::add);
        places.forEach(place -> then.add(() -> dying.gone(place.endpoint())));
        tools.graveyard.bury(links, then);
    }

    /// The name of its end on the host, if it has one: that of `cable`, which is used for it, or a free one.
    private String hostLink(Joining joining, Optional<NamespacePool.Cabled> cable) throws EngineException {
        if (joining.network().driver() != Driver.BRIDGE) {
            return "";
        }
        return cable.isPresent() ? cable.get().cable().hostLink() : tools.cables.freeName(tools.marks);
    }

    /// The place of `joining` beside those `before` and the links `inside`; on a bridge the end on the host is called
    /// `hostLink`.
    private Place place(Joining joining, List<Place> before, String hostLink, Set<String> inside) throws EngineException {
        var network = joining.network();
        var wanted = joining.wanted();
        String name = interfaceName(joining, before, inside);
        if (network.driver() == Driver.IPVLAN && wanted.mac().isPresent()) {
            throw new EngineException.Invalid("ipvlan interfaces do not support custom mac address assignment: all of"
                    + " network " + network.name() + " have the one of " + network.link());
        }
        Optional<MacAddress> shared =
                network.driver() == Driver.IPVLAN ? Optional.of(tools.cables.mac(network)) : Optional.empty();
        var four = addresses.take(network, false, wanted.four());
        Optional<Cidr.Host> six = Optional.empty();
        boolean taken = false;
        try {
            six = addresses.take(network, true, wanted.six());
            taken = true;
        } finally {
            if (!taken) {
                four.ifPresent(address -> free(network, address.address()));
            }
        }
        boolean leads = network.leadsOut();
        var gateways = new Endpoint.Gateways(
                leads ? four.flatMap(address -> gateway(network, address.address())) : Optional.empty(),
                leads ? six.flatMap(address -> gateway(network, address.address())) : Optional.empty(),
                joining.gatewayPriority(), network.name());
        var own = four.isPresent() ? four : six;
        var mac = shared.isPresent() ? shared.get()
                : wanted.mac().or(() -> own.map(address -> MacAddress.of(address.address()))).orElseGet(this::anyMac);
        return new Place(network, new Endpoint(
                tools.marks.id(), network.id(), name,
                hostLink,
                mac, four, six, gateways, wanted.linkLocal(), joining.names()), joining.driverOptions());
    }

    private void free(Network network, IpAddress address) {
        addresses.of(network.id()).forEach(pool -> pool.free(address));
    }

    /// That of the subnet which has the address, as a router is reached from there. Unspecified where packets leave by the
    /// link itself: a link shared at layer 3 has no neighbours.
    private static Optional<IpAddress> gateway(Network network, IpAddress own) {
        if (network.driver() == Driver.IPVLAN && network.settings().mode().startsWith("l3")) {
            return Optional.of(own.six() ? new IpAddress(true, 0, 0) : IpAddress.four(0));
        }
        return network.addressing().subnets().stream()
                .filter(subnet -> subnet.range().contains(own))
                .findFirst()
                .flatMap(network.driver() == Driver.BRIDGE ? Subnet::wayOut : Subnet::gateway);
    }

    private static String interfaceName(Joining joining, List<Place> before, Set<String> inside)
            throws EngineException.Conflict {
        var taken = new HashSet<>(inside);
        before.forEach(place -> taken.add(place.endpoint().interfaceName()));
        String wanted = joining.wanted().interfaceName();
        if (taken.contains(wanted)) {
            throw new EngineException.Conflict("cannot connect to network " + joining.network().name() + ": the container has"
                    + " an interface " + wanted + " already; choose another name, or leave out the driver option "
                    + INTERFACE_NAME);
        }
        int number = 0;
        while (taken.contains(joining.network().settings().interfacePrefix() + number)) {
            number++;
        }
        return wanted.isEmpty() ? joining.network().settings().interfacePrefix() + number : wanted;
    }

    private MacAddress anyMac() {
        return new MacAddress(0x0242L << 32 | Long.parseLong(tools.marks.id().substring(0, 8), 16));
    }

    Endpoint connect(String containerId, Joining joining) throws EngineException {
        var cell = cells.get(containerId);
        if (cell == null) {
            throw new EngineException.Conflict("container " + containerId + " is not running");
        }
        tools.graveyard.newcomer();
        try (var _ = tools.arrivals.come(containerId, List.of(joining.network()))) {
            return connect(cell, joining);
        }
    }

    private Endpoint connect(Cell cell, Joining joining) throws EngineException {
        String containerId = cell.containerId();
        pass("connect.addresses");
        var place = place(joining, cell.places(), hostLink(joining, Optional.empty()), inside(cell));
        var seen = relinks.rounds(Stream.of(joining.network()));
        boolean laid = false;
        boolean connected = false;
        try {
            pass("connect.note");
            var after = new ArrayList<>(cell.endpoints());
            after.add(place.endpoint());
            tools.notes.write(containerId, after);
            pass("connect.link");
            tools.cables.lay(place, cell.namespace());
            laid = true;
            tools.cables.address(place, cell.namespace(), joining.driverOptions());
            pass("connect.routes");
            cell.places(cell.with(place));
            relinks.catchUp(cell, seen);
            tools.cables.route(cell.sandbox(), cell.namespace());
            attached(cell, place, true, Optional.empty());
            pass("connect.listeners");
            connected = true;
            return place.endpoint();
        } catch (IOException e) {
            throw Trouble.of("cannot connect container " + containerId + " to network " + joining.network().name(), e);
        } finally {
            if (!connected && laid) {
                remove(cell, place);
            } else if (!connected) {
                giveBack(cell, place, true); // an interface of that name is somebody else's
            }
        }
    }

    /// The names of all links in the container's namespace, those that it made itself included.
    private static Set<String> inside(Cell cell) throws EngineException {
        try {
            return cell.namespace().netlink().links().stream().map(LinkInfo::name).collect(Collectors.toSet());
        } catch (KernelException e) {
            throw Trouble.of("cannot list the interfaces of container " + cell.containerId(), e);
        }
    }

    void refuseUnheld(String containerId) throws EngineException.Unavailable {
        if (takeover.unheld().containsKey(containerId)) {
            throw new EngineException.Unavailable("the networks of container " + containerId + " cannot be changed while it"
                    + " runs: they could not be taken over when the engine started, whose log says why; restart it");
        }
    }

    void disconnect(String containerId, String networkId) throws EngineException {
        refuseUnheld(containerId);
        var cell = cells.get(containerId);
        if (cell != null) {
            for (var place : cell.places()) {
                if (place.network().id().equals(networkId)) {
                    pass("disconnect.link");
                    remove(cell, place);
                }
            }
        }
    }

    /// Takes the interface out of the running container at once: who is disconnected must not be reached any longer.
    private void remove(Cell cell, Place place) {
        detached(cell.containerId(), place.endpoint());
        var cut = new AtomicBoolean();
        cell.alone(() -> {
            cell.places(cell.without(place.network().id()));
            try {
                cut.set(tools.cables.cut(place, cell.places(), cell.namespace()));
                tools.cables.route(cell.sandbox(), cell.namespace());
            } catch (IOException | EngineException e) {
                LOG.warn("disconnecting container {} from {}: {}", cell.containerId(), place.network().name(), e.getMessage());
            }
        });
        giveBack(cell, place, !cut.get());
    }

    /// What the container had, or was to have, in a place that it is in no more, and where its link `lies` perhaps.
    private void giveBack(Cell cell, Place place, boolean lies) {
        try {
            failpoints.pass("disconnect.note");
            tools.notes.write(cell.containerId(), cell.endpoints());
        } catch (IOException e) {
            LOG.warn("the note about container {} still tells of network {}: {}",
                    cell.containerId(), place.network().name(), e.getMessage());
        }
        if (lies) {
            dying.add(place.endpoint());
        }
        addresses.free(place.endpoint());
        if (lies) {
            bury(List.of(place), Optional.empty());
        }
    }

    void rename(String containerId, Map<String, List<String>> names) throws EngineException {
        var cell = cells.get(containerId);
        if (cell == null) {
            return;
        }
        var places = cell.places().stream().map(place -> place.called(names)).toList();
        if (places.equals(cell.places())) {
            return;
        }
        try {
            failpoints.pass("rename.note");
            tools.notes.write(containerId, places.stream().map(Place::endpoint).toList());
        } catch (IOException e) {
            throw Trouble.of("cannot rename container " + containerId + " in its networks", e);
        }
        cell.places(places);
        for (var place : places) {
            listeners.forEach(listener -> listener.renamed(containerId, place.endpoint()));
        }
    }

    void close(String containerId) {
        var cell = cells.get(containerId);
        if (cell != null) {
            cell.alone(() -> cells.remove(containerId)); // nobody works in the namespace any more
            undo(containerId, cell.places(), Optional.of(cell.namespace()));
        }
        var unheld = takeover.unheld().remove(containerId);
        if (unheld != null) {
            undo(containerId, unheld, Optional.empty());
        }
    }

    Map<String, Traffic> traffic(String containerId) throws EngineException {
        var cell = cells.get(containerId);
        var traffic = new LinkedHashMap<String, Traffic>();
        if (cell == null) {
            return traffic;
        }
        try {
            for (var link : cell.namespace().netlink().links()) {
                if (!link.name().equals("lo")) {
                    traffic.put(link.name(), Traffic.of(link.traffic()));
                }
            }
            return traffic;
        } catch (KernelException e) {
            throw Trouble.of("cannot read the traffic of container " + containerId, e);
        }
    }

    /// Who puts links back that somebody deleted under containers.
    Relinks relinks() {
        return relinks;
    }

    void sweep(List<String> links) {
        if (!links.isEmpty()) {
            LOG.info("sweeping the links {} that no container owns", links);
            links.forEach(link -> tools.graveyard.bury(List.of(link), List.of()));
            tools.graveyard.hurry(); // nobody knows which addresses they have
        }
    }

    /// Who takes over those who run.
    Takeover takeover() {
        return takeover;
    }

    private void attached(Cell cell, Place place, boolean running, Optional<NetworkStep.Diary> diary)
            throws EngineException {
        var attached = new EndpointListener.Attached(cell.sandbox(), place.network(), place.endpoint(), running);
        for (var listener : listeners) {
            listener.attached(attached);
            if (diary.isPresent()) {
                listener.told(attached).ifPresent(step -> diary.get().done(step.kind(), step.call()));
            }
        }
    }

    private static String chosen(Place place) {
        var endpoint = place.endpoint();
        return place.network().name() + ": " + Stream.concat(endpoint.four().stream(), endpoint.six().stream())
                .map(Object::toString).collect(Collectors.joining(", "));
    }

    /// How the container came to its networks; empty when it was taken over from an earlier engine.
    List<NetworkStep> steps(String containerId) {
        return Optional.ofNullable(cells.get(containerId)).map(Cell::steps).orElse(List.of());
    }

    private void detached(String containerId, Endpoint endpoint) {
        listeners.forEach(listener -> listener.detached(containerId, endpoint));
    }

    private void pass(String point) throws EngineException {
        try {
            failpoints.pass(point);
        } catch (Failpoints.Injected e) {
            throw Trouble.of("cannot make the network (" + point + ")", e);
        }
    }

    void settle() throws InterruptedException {
        tools.graveyard.settle();
    }

    /// Lets go of namespaces; those with a process in them live on.
    @Override
    public void close() {
        tools.namespaces.close();
        tools.graveyard.close(); // the pool's cables lie in it
        cells.values().forEach(cell -> cell.namespace().close());
        cells.clear();
    }

    /// Closes descriptors only. For tests of crashes: what was on its way in the background stays undone.
    void abandon() {
        tools.graveyard.abandon();
        tools.namespaces.close();
        cells.values().forEach(cell -> cell.namespace().close());
        cells.clear();
    }
}
