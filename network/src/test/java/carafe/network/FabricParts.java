package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.kernel.Netlink;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/// What a fabric on a stage is made of, where a test wants a part to be another or looks at it. Whoever has closed the
/// sandboxes that it opened closes this, and the stage last.
final class FabricParts implements AutoCloseable {

    final NamespaceThread thread;
    final Netlink host;
    final Marks marks;
    final Graveyard graveyard;
    final ReentrantLock bridging = new ReentrantLock();
    private final FabricStage stage;
    private final RetiredBridges retired;
    private final Bridges bridges;
    private final Addresses addresses;

    FabricParts(FabricStage stage, Lull.Patience patience) throws Exception {
        this(stage, patience, new Marks(FabricStage.NAME));
    }

    FabricParts(FabricStage stage, Lull.Patience patience, Marks marks) throws Exception {
        this.stage = stage;
        this.marks = marks;
        thread = NamespaceThread.startAt(stage.home());
        host = netlink();
        graveyard = new Graveyard(netlink(), patience);
        retired = new RetiredBridges(netlink(), Duration.ofHours(1));
        bridges = new Bridges(host, thread, "carafe " + marks.mark(), stage.config(FabricStage.NAME), retired);
        addresses = new Addresses(bridges::others);
    }

    private Netlink netlink() throws KernelException {
        return thread.insideHome(Netlink::open);
    }

    CablesAhead cablesAhead() throws KernelException {
        return new CablesAhead(netlink(), marks, graveyard);
    }

    /// Containers' places in these networks, with no namespace made ahead. Closing them closes the graveyard too.
    Sandboxes sandboxes(Set<String> networks, EndpointListener... listeners) throws Exception {
        return sandboxes(networks, 0, () -> thread.create(NamespacePool.SETTINGS), listeners);
    }

    /// The same with `ahead` namespaces, and as many with a cable, made ahead.
    Sandboxes sandboxes(Set<String> networks, int ahead, NamespacePool.Maker maker, EndpointListener... listeners)
            throws Exception {
        var namespaces = new NamespacePool(thread, maker, ahead, cablesAhead(), Failpoints.none());
        return new Sandboxes(
                new Sandboxes.Tools(thread, namespaces, new Cables(host, thread, bridges, graveyard, this::make), graveyard,
                        SandboxNotes.open(stage.run.resolve("n")), marks, new Arrivals(networks), bridging),
                addresses, List.of(listeners), Failpoints.none());
    }

    /// A bridge of that name and these ranges, which is there.
    Network network(String name, Map<String, String> options, String... ranges) throws EngineException {
        boolean six = false;
        var subnets = new ArrayList<Subnet>();
        for (String range : ranges) {
            var cidr = Cidr.parse(range);
            six |= cidr.six();
            subnets.add(new Subnet(cidr, Optional.of(cidr.base().plus(1)), Optional.empty(), Map.of()));
        }
        var network = new Network(name, name, Instant.EPOCH, Driver.BRIDGE,
                new Network.Addressing(true, six, "default", Map.of(), subnets), Network.Reach.USUAL, "br-" + name,
                options, Map.of());
        addresses.add(network);
        make(network);
        return network;
    }

    /// Its bridge, again perhaps.
    void make(Network network) throws EngineException {
        bridges.note(network, bridges.make(network));
    }

    /// Somebody deletes its bridge when the kernel has made the next link, and before that is set as a port is to be.
    void deleteUnderTheNext(Network network) {
        bridges.note(network, new Bridges.Made(0, true, false, List.of())); // whose ports are no ports
    }

    @Override
    public void close() {
        retired.close();
        host.close();
        thread.close();
    }
}
