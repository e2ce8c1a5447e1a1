package carafe.network;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.LinkInfo;
import carafe.kernel.Linux;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.kernel.Netlink;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.IpAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// A host for a fabric that is none: a network namespace that the test made. What the fabric does to "the host" it does
/// there, and closing the stage takes all of it away.
final class FabricStage implements AutoCloseable {

    static final String NAME = "7c5f1b7e-0000-4000-8000-000000000001";

    /// A graveyard where nothing lies.
    static final Lull.Patience AT_ONCE = new Lull.Patience(Duration.ofMillis(1), Duration.ofMillis(1), 1);

    final Path run;
    final RecordingFirewall firewall = new RecordingFirewall();
    private final NamespaceThread thread = start();
    private final NetNamespace host;

    FabricStage(Path run) throws Exception {
        this.run = run;
        host = thread.create(new NetNamespace.Settings(Map.of()));
    }

    private static NamespaceThread start() {
        try {
            return NamespaceThread.start();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    Netlink netlink() {
        return host.netlink();
    }

    NamespaceThread thread() {
        return thread;
    }

    NetNamespace host() {
        return host;
    }

    /// An engine on this host.
    LinuxFabric open(String engineId, Failpoints failpoints) throws Exception {
        return open(config(engineId), failpoints);
    }

    FabricConfig config(String engineId) {
        return new FabricConfig(engineId,
                new FabricConfig.Place(run.toString(), run.resolve(engineId), run.resolve("lock")),
                FabricConfig.DefaultBridge.USUAL, FabricConfig.usualPools(), true);
    }

    /// A handle of the host's namespace, for whoever adopts it.
    Fd home() throws Exception {
        return Descriptors.open(Path.of(host.path()), Linux.O_RDONLY, 0);
    }

    LinuxFabric open(FabricConfig config, Failpoints failpoints) throws Exception {
        return open(config, failpoints, RetiredBridges.QUIET);
    }

    private LinuxFabric open(FabricConfig config, Failpoints failpoints, Duration quiet) throws Exception {
        return LinuxFabric.open(
                config, new Fabric.Parts(firewall, failpoints, Clock.systemUTC()), NamespaceThread.startAt(home()), quiet);
    }

    /// One that removes retired bridges only when somebody waits for that, or it is closed.
    LinuxFabric openHoarding() throws Exception {
        return open(config(NAME), Failpoints.none(), Duration.ofHours(1));
    }

    LinuxFabric open() throws Exception {
        return open(NAME, Failpoints.none());
    }

    static NetworkRequest request(String name) {
        return request(name, Map.of());
    }

    static NetworkRequest request(String name, Map<String, String> options, NetworkRequest.Pool... pools) {
        return new NetworkRequest(name, Driver.BRIDGE, Optional.empty(),
                Optional.of(List.of(pools).stream().anyMatch(pool -> pool.subnet().indexOf(':') >= 0)),
                new NetworkRequest.Pools("default", Map.of(), List.of(pools)), Network.Reach.USUAL, options, Map.of());
    }

    static NetworkRequest.Pool pool(String subnet) {
        return new NetworkRequest.Pool(subnet, "", "", Map.of());
    }

    static Joining joining(Network network) {
        return new Joining(network, Joining.Wanted.ANYTHING, List.of(), 0, Map.of());
    }

    static Joining joining(Network network, String four) throws EngineException {
        return new Joining(network, new Joining.Wanted(
                Optional.of(IpAddress.parse(four)), Optional.empty(), List.of(), Optional.empty(), ""), List.of(), 0, Map.of());
    }

    /// All links but those that lie ready for the next container: down, in no bridge, and never more than the pool keeps.
    Set<String> links() throws Exception {
        var links = netlink().links();
        var ahead = links.stream().filter(FabricStage::liesReady).toList();
        assertThat(ahead).as("cables made ahead").hasSizeLessThanOrEqualTo(LinuxFabric.POOL + 1); // one is being made
        return links.stream().filter(link -> !liesReady(link)).map(LinkInfo::name).collect(Collectors.toSet());
    }

    static boolean liesReady(LinkInfo link) {
        return link.name().startsWith("veth") && !link.up() && link.master() == 0;
    }

    /// Takes hold of a sandbox's namespace; the caller closes it.
    NetNamespace enter(Sandbox sandbox) throws Exception {
        return thread.adopt(Descriptors.open(Path.of(sandbox.path()), Linux.O_RDONLY, 0));
    }

    @Override
    public void close() {
        host.close();
        thread.close();
    }

    /// Remembers what it was asked for.
    static final class RecordingFirewall implements Firewall {
        final Map<String, BridgeRules> rules = new java.util.concurrent.ConcurrentHashMap<>();

        @Override
        public void admit(BridgeRules wanted) {
            rules.put(wanted.networkId(), wanted);
        }

        @Override
        public void dismiss(String networkId) {
            rules.remove(networkId);
        }

        @Override
        public void retain(List<String> networkIds) {
            rules.keySet().retainAll(networkIds);
        }
    }

    /// Remembers who came and went.
    static final class RecordingListener implements EndpointListener {
        final List<String> heard = new ArrayList<>();

        @Override
        public synchronized void attached(Attached attached) {
            heard.add("+" + attached.network().name() + (attached.running() ? " running" : ""));
        }

        @Override
        public synchronized void renamed(String containerId, Endpoint endpoint) {
            heard.add("=" + String.join(",", endpoint.names()));
        }

        @Override
        public synchronized void detached(String containerId, Endpoint endpoint) {
            heard.add("-" + endpoint.interfaceName());
        }
    }
}
