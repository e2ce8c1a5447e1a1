package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetRequest;
import carafe.network.port.Families;
import carafe.network.port.PortFilter;
import carafe.network.port.PortRequest;
import carafe.network.port.Protocol;
import carafe.network.port.PublishedPorts;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A bridge that somebody deletes under containers that run: nobody starts anything, and all is as it was.
class DeletedBridgeTest {

    private static final String ONE = "1".repeat(64);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path run;

    private FabricStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
    }

    @AfterEach
    void close() {
        stage.close();
    }

    /// The filter writes settings of the namespace that its caller is in: an engine's is the host's.
    private record Inside(FabricStage stage, PortFilter filter) implements Firewall {

        @Override
        public void admit(BridgeRules rules) throws EngineException {
            DeletedBridgeTest.in(stage, () -> {
                filter.admit(rules);
                return true;
            });
        }

        @Override
        public void dismiss(String networkId) throws EngineException {
            filter.dismiss(networkId);
        }

        @Override
        public void retain(List<String> networkIds) throws EngineException {
            filter.retain(networkIds);
        }
    }

    private static <T> T in(FabricStage stage, Callable<T> work) {
        try {
            var done = new FutureTask<>(work);
            stage.thread().inside(stage.host().handle(), () -> {
                done.run();
                return true;
            });
            return done.get();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void eventually(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("it did not happen").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    private boolean isPortOf(Endpoint endpoint, String bridge) throws Exception {
        var made = stage.netlink().link(bridge);
        var port = stage.netlink().link(endpoint.hostLink());
        return made.isPresent() && port.map(LinkInfo::master).equals(made.map(LinkInfo::index));
    }

    @Test
    void aPortOfThisHostLeadsToTheContainerAgain() throws Exception {
        var filter = in(stage, () -> PortFilter.open("deleted", run, Optional.empty()));
        var ports = in(stage, () -> new PublishedPorts(
                filter, new PublishedPorts.Ways(Optional.empty(), false), run.resolve("ports"), Failpoints.none()));
        try (filter; ports; var fabric = LinuxFabric.open(stage.config(FabricStage.NAME),
                new Fabric.Parts(new Inside(stage, filter), Failpoints.none(), java.time.Clock.systemUTC()),
                NamespaceThread.startAt(stage.home()), RetiredBridges.QUIET)) {
            fabric.listen(ports);
            var network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
            var peers = fabric.create(request("peers", Map.of(LinkOptions.ICC, "false"), pool("10.78.0.0/24")));
            var wish = new PortRequest(Protocol.TCP, 80, Optional.empty(), false, 8080, 8080);
            in(stage, () -> ports.reserve(ONE, "web", List.of(wish), new Families(true, false, true)));
            var sandbox = fabric.open(ONE, List.of(joining(network), joining(peers)));
            filter.hold();
            assertThat(fetched(sandbox)).isEqualTo("hello");
            for (var each : List.of(network, peers)) {
                stage.netlink().perform(NetRequest.deleteLink(each.link()));
                eventually(() -> isPortOf(sandbox.in(each.id()).orElseThrow(), each.link()));
            }
            eventually(() -> stage.netlink().link(sandbox.endpoints().getLast().hostLink()).orElseThrow().isolated());
            assertThat(fetched(sandbox)).isEqualTo("hello");
            fabric.close(ONE);
            ports.release(ONE);
            fabric.remove(network);
            fabric.remove(peers);
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }

    /// What 127.0.0.1:8080 of the host says while the container serves its port 80.
    private String fetched(Sandbox sandbox) throws Exception {
        try (var inside = stage.enter(sandbox)) {
            var server = stage.thread().inside(inside.handle(), DeletedBridgeTest::listening);
            try (server) {
                Thread.ofVirtual().start(() -> {
                    try (var client = server.accept()) {
                        client.getOutputStream().write("hello".getBytes(StandardCharsets.UTF_8));
                    } catch (IOException nobodyCame) {
                        // which the one who asks finds out
                    }
                });
                return in(stage, () -> {
                    try (var socket = new Socket()) {
                        socket.connect(new InetSocketAddress("127.0.0.1", 8080), (int) PATIENCE.toMillis());
                        socket.setSoTimeout((int) PATIENCE.toMillis());
                        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                    }
                });
            }
        }
    }

    private static ServerSocket listening() {
        try {
            return new ServerSocket(80);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void listenersHearOfTheNewPortAndABridgeOfTheUsersIsHis() throws Exception {
        var heard = new ArrayList<String>();
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("theirs").raised(), "bridge"));
        try (var fabric = stage.open()) {
            fabric.listen(new EndpointListener() {
                @Override
                public void attached(Attached attached) {}

                @Override
                public synchronized void replugged(String containerId, Endpoint endpoint) {
                    heard.add(endpoint.interfaceName());
                }

                @Override
                public void detached(String containerId, Endpoint endpoint) {}
            });
            var ours = fabric.create(request("ours", Map.of(), pool("10.77.0.0/24")));
            var theirs = fabric.create(
                    request("theirs", Map.of(LinkOptions.BRIDGE_NAME, "theirs"), pool("10.78.0.0/24")));
            var sandbox = fabric.open(ONE, List.of(joining(theirs), joining(ours)));
            stage.firewall.rules.clear();
            stage.netlink().perform(NetRequest.deleteLink("theirs"), NetRequest.deleteLink(ours.link()));
            eventually(() -> isPortOf(sandbox.in(ours.id()).orElseThrow(), ours.link()));
            fabric.remove(fabric.create(request("last", Map.of(), pool("10.79.0.0/24")))); // waits for what is under way
            assertThat(heard).containsExactly("eth1");
            assertThat(stage.firewall.rules).containsOnlyKeys(ours.id());
            assertThat(stage.netlink().link("theirs")).isEmpty();
            fabric.close(ONE);
            fabric.remove(ours);
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }

    @Test
    void aFaultInOneNetworkDoesNotEndTheWatchOfTheOthers() throws Exception {
        var faults = new CountDownLatch(1);
        try (var fabric = stage.open()) {
            fabric.listen(new EndpointListener() {
                @Override
                public void attached(Attached attached) {}

                @Override
                public void replugged(String containerId, Endpoint endpoint) {
                    if (endpoint.interfaceName().equals("eth0")) {
                        faults.countDown();
                        throw new IllegalStateException("a fault");
                    }
                }

                @Override
                public void detached(String containerId, Endpoint endpoint) {}
            });
            var broken = fabric.create(request("broken", Map.of(), pool("10.77.0.0/24")));
            var whole = fabric.create(request("whole", Map.of(), pool("10.78.0.0/24")));
            var sandbox = fabric.open(ONE, List.of(joining(broken), joining(whole)));
            stage.netlink().perform(NetRequest.deleteLink(broken.link()));
            faults.await();
            stage.netlink().perform(NetRequest.deleteLink(whole.link()));
            eventually(() -> isPortOf(sandbox.in(whole.id()).orElseThrow(), whole.link()));
            fabric.close(ONE);
        }
    }
}
