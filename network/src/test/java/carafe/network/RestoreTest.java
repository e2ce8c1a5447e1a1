package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkEnd;
import carafe.kernel.NetRequest;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an engine leaves that fails, or dies, at any step: nothing that the next one does not find.
class RestoreTest {

    private static final String ONE = "1".repeat(64);
    private static final List<String> STEPS = List.of("sandbox.addresses", "sandbox.namespace", "sandbox.note",
            "sandbox.link", "sandbox.configure", "sandbox.listeners", "sandbox.opened");

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

    @Test
    void aStartThatFailsAtAnyStepLeavesNothingAndARetryWorks() throws Exception {
        for (String step : STEPS) {
            try (var fabric = stage.open(FabricStage.NAME, Failpoints.parse(step + "=1*EIO->off"))) {
                var network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
                assertThatThrownBy(() -> fabric.open(ONE, List.of(joining(network))))
                        .as(step).isInstanceOf(EngineException.Internal.class).hasMessageContaining(step);
                fabric.settle();
                assertThat(stage.links()).as(step).containsExactlyInAnyOrder("lo", network.link());
                assertThat(run.resolve(FabricStage.NAME)).as(step).isEmptyDirectory();
                assertThat(fabric.usage(network).getFirst().inUse()).as(step).isEqualTo(1);
                var again = fabric.open(ONE, List.of(joining(network)));
                assertThat(again.endpoints().getFirst().four()).get().as(step).hasToString("10.77.0.2/24");
                fabric.close(ONE);
                fabric.remove(network);
            }
        }
    }

    /// Without them an internal network would lead out.
    @Test
    void aBridgeThatCouldNotBeMadeAtTheStartGetsItsRulesWithTheFirstContainer() throws Exception {
        Network network;
        try (var fabric = stage.open()) {
            network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
        }
        stage.netlink().perform(NetRequest.deleteLink(network.link()));
        stage.netlink().perform(NetRequest.addVeth(LinkEnd.named(network.link()), LinkEnd.named("peer")));
        stage.firewall.rules.clear();
        try (var fabric = stage.open()) {
            fabric.restore(List.of(network), Map.of());
            assertThatThrownBy(() -> fabric.open(ONE, List.of(joining(network)))).hasMessageContaining("that is no bridge");
            stage.netlink().perform(NetRequest.deleteLink("peer"));
            assertThat(stage.firewall.rules).isEmpty();
            var sandbox = fabric.open(ONE, List.of(joining(network)));
            assertThat(stage.firewall.rules).containsOnlyKeys(network.id());
            assertThat(stage.netlink().link(sandbox.endpoints().getFirst().hostLink()).orElseThrow().master())
                    .isEqualTo(stage.netlink().link(network.link()).orElseThrow().index());
            fabric.close(ONE);
            fabric.remove(network);
        }
    }

    /// Whether a network is made, or a container starts in one whose bridge could not be made before.
    @Test
    void aBridgeThatGetsNoRulesIsNotLeftBehind() throws Exception {
        Network network;
        try (var fabric = stage.open(FabricStage.NAME, Failpoints.parse("network.rules=1*EIO->off"))) {
            assertThatThrownBy(() -> fabric.create(request("app", Map.of(), pool("10.77.0.0/24"))))
                    .hasMessageContaining("network.rules");
            assertThat(stage.links()).containsExactly("lo");
            network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
        }
        stage.netlink().perform(NetRequest.deleteLink(network.link()));
        try (var fabric = stage.open(FabricStage.NAME, Failpoints.parse("network.rules=2*EIO->off"))) {
            fabric.restore(List.of(network), Map.of());
            assertThat(stage.links()).containsExactly("lo");
            assertThatThrownBy(() -> fabric.open(ONE, List.of(joining(network)))).hasMessageContaining("network.rules");
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
            fabric.open(ONE, List.of(joining(network)));
            fabric.close(ONE);
            fabric.remove(network);
        }
    }

    @Test
    void connectingThatFailsAtAnyStepLeavesTheOldNetworks() throws Exception {
        for (String step : List.of("connect.addresses", "connect.note", "connect.link", "connect.routes", "connect.listeners")) {
            try (var fabric = stage.open(FabricStage.NAME, Failpoints.parse(step + "=1*EIO->off"))) {
                var first = fabric.create(request("first", Map.of(), pool("10.77.0.0/24")));
                var second = fabric.create(request("second", Map.of(), pool("10.78.0.0/24")));
                var sandbox = fabric.open(ONE, List.of(joining(first)));
                assertThatThrownBy(() -> fabric.connect(ONE, joining(second))).as(step).hasMessageContaining(step);
                fabric.settle();
                assertThat(stage.links()).as(step).hasSize(4);
                try (var inside = stage.enter(sandbox)) {
                    assertThat(inside.netlink().links()).as(step).hasSize(2);
                }
                assertThat(fabric.usage(second).getFirst().inUse()).as(step).isEqualTo(1);
                fabric.connect(ONE, joining(second));
                fabric.close(ONE);
                fabric.remove(first);
                fabric.remove(second);
            }
        }
    }

    @Test
    void aNewNameIsKnownToTheNextEngineOrToNone() throws Exception {
        var fabric = stage.open(FabricStage.NAME, Failpoints.parse("rename.note=1*EIO->off"));
        var network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
        var sandbox = fabric.open(ONE, List.of(
                new Joining(network, Joining.Wanted.ANYTHING, List.of("web", "w3"), 0, Map.of())));
        var listener = new FabricStage.RecordingListener();
        fabric.listen(listener);
        var names = Map.of(network.id(), List.of("shop", "w3"), "another network", List.of("lost"));
        assertThatThrownBy(() -> fabric.rename(ONE, names)).hasMessageContaining("cannot rename container");
        assertThat(fabric.sandbox(ONE)).contains(sandbox);
        fabric.rename(ONE, names);
        fabric.rename(ONE, names);
        fabric.rename("2".repeat(64), names);
        assertThat(listener.heard).containsExactly("=shop,w3");
        assertThat(fabric.sandbox(ONE).orElseThrow().endpoints().getFirst().names()).containsExactly("shop", "w3");
        try (var process = Dweller.in(stage, sandbox)) {
            fabric.abandon();
            try (var next = stage.open()) {
                next.restore(List.of(network), Map.of(ONE, process.pid()));
                assertThat(next.sandbox(ONE).orElseThrow().endpoints().getFirst().names()).containsExactly("shop", "w3");
                next.close(ONE);
                next.remove(network);
            }
        }
    }

    /// The engine dies without a word; its descriptors close with it. The containers' processes are this one's children.
    @Test
    void theNextEngineTakesOverWhoRunsAndSweepsTheRest() throws Exception {
        var fabric = stage.open();
        var network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
        var gone = fabric.create(request("gone", Map.of(), pool("10.78.0.0/24")));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        var dead = fabric.open("2".repeat(64), List.of(joining(network)));
        Files.writeString(run.resolve(FabricStage.NAME).resolve("3".repeat(64)), "{\"Endpoi");
        stage.netlink().perform(NetRequest.deleteLink(network.link()));

        try (var process = Dweller.in(stage, sandbox)) {
            fabric.abandon();
            try (var next = stage.open()) {
                var listener = new FabricStage.RecordingListener();
                next.listen(listener);
                next.restore(List.of(network), Map.of(ONE, process.pid()));
                next.settle();

                assertThat(listener.heard).containsExactly("+app running");
                var link = stage.netlink().link(sandbox.endpoints().getFirst().hostLink()).orElseThrow();
                int bridge = stage.netlink().link(network.link()).orElseThrow().index();
                assertThat(link.master()).isEqualTo(bridge);
                assertThat(stage.links()).containsExactlyInAnyOrder("lo", network.link(), link.name())
                        .doesNotContain(dead.endpoints().getFirst().hostLink(), gone.link());
                assertThat(next.sandbox(ONE)).get().extracting(Sandbox::endpoints).isEqualTo(sandbox.endpoints());
                try (var notes = Files.list(run.resolve(FabricStage.NAME))) {
                    assertThat(notes).singleElement().hasToString(run.resolve(FabricStage.NAME).resolve(ONE).toString());
                }
                var another = next.open("4".repeat(64), List.of(joining(network)));
                assertThat(another.endpoints().getFirst().four()).get().hasToString("10.77.0.3/24");
                next.close("4".repeat(64));
                next.close(ONE);
                next.settle();
            }
        }
    }

    /// One has lost its bridge, whose name is another link's now; to another names cannot be served. A third is well.
    @Test
    void aContainerWhoseNetworkIsBrokenKeepsTheEngineFromNothing() throws Exception {
        var fabric = stage.open();
        var broken = fabric.create(request("broken", Map.of(), pool("10.77.0.0/24")));
        var whole = fabric.create(request("whole", Map.of(), pool("10.78.0.0/24")));
        String two = "2".repeat(64);
        String three = "3".repeat(64);
        var one = fabric.open(ONE, List.of(joining(broken), joining(whole)));
        try (var first = Dweller.in(stage, one);
                var second = Dweller.in(stage, fabric.open(two, List.of(joining(whole))));
                var third = Dweller.in(stage, fabric.open(three, List.of(joining(whole))))) {
            fabric.abandon();
            stage.netlink().perform(NetRequest.deleteLink(broken.link()));
            stage.netlink().perform(NetRequest.addVeth(
                    carafe.kernel.LinkEnd.named(broken.link()), carafe.kernel.LinkEnd.named("stranger")));
            try (var next = stage.open()) {
                next.listen(new EndpointListener() {
                    @Override
                    public void attached(Attached attached) throws EngineException {
                        if (attached.sandbox().containerId().equals(two)) {
                            throw new EngineException.Internal("its loopback has no address");
                        }
                    }

                    @Override
                    public void detached(String containerId, Endpoint endpoint) {}
                });
                var listener = new FabricStage.RecordingListener();
                next.listen(listener);
                next.restore(List.of(broken, whole), Map.of(ONE, first.pid(), two, second.pid(), three, third.pid()));

                assertThat(listener.heard).containsExactlyInAnyOrder(
                        "+broken running", "+whole running", "+whole running", "+whole running");
                assertThat(next.sandbox(ONE)).get().extracting(Sandbox::endpoints).isEqualTo(one.endpoints());
                assertThat(next.sandbox(two)).isPresent();
                assertThat(next.usage(whole).getFirst().inUse()).isEqualTo(4);
                for (String id : List.of(ONE, two, three)) {
                    next.close(id);
                }
                next.settle();
                stage.netlink().perform(NetRequest.deleteLink(broken.link()));
                next.remove(whole);
            }
        }
    }

    @Test
    void anEngineNeverTouchesTheLinksOfAnother() throws Exception {
        try (var other = stage.open("other", Failpoints.none()); var fabric = stage.open()) {
            var theirs = other.create(request("theirs", Map.of(), pool("10.77.0.0/24")));
            var sandbox = other.open(ONE, List.of(joining(theirs)));
            fabric.restore(List.of(), Map.of());
            fabric.settle();
            assertThat(stage.links()).contains(theirs.link(), sandbox.endpoints().getFirst().hostLink());
            other.close(ONE);
        }
    }

    @Test
    void theDefaultBridgeKeepsItsRangeUntilTheHostNeedsIt() throws Exception {
        Network first;
        try (var fabric = stage.open()) {
            first = fabric.createDefault(Optional.empty()).orElseThrow();
            assertThat(first.link()).isEqualTo("carafe0");
            fabric.rest();
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
        try (var fabric = stage.open()) {
            var again = fabric.createDefault(Optional.of(first)).orElseThrow();
            assertThat(again).isEqualTo(first);
            fabric.rest();
        }
        stage.netlink().perform(NetRequest.addLink(carafe.kernel.LinkEnd.named("vpn0").raised(), "bridge"));
        int vpn = stage.netlink().link("vpn0").orElseThrow().index();
        stage.netlink().perform(NetRequest.addAddress(vpn, new byte[] {(byte) 172, 17, 9, 1}, 24));
        try (var fabric = stage.open()) {
            var moved = fabric.createDefault(Optional.of(first)).orElseThrow();
            assertThat(moved.id()).isEqualTo(first.id());
            assertThat(moved.ranges()).hasToString("[172.18.0.0/16]");
        }
    }

    @Test
    void aNetworkThatCannotRestKeepsNoOtherFromIt() throws Exception {
        try (var fabric = stage.open(FabricStage.NAME, Failpoints.parse("network.remove-bridge=2*EIO->off"))) {
            for (int number = 1; number <= 3; number++) {
                fabric.create(request("app" + number, Map.of(), pool("10.77." + number + ".0/24")));
            }
            assertThatThrownBy(fabric::rest).isInstanceOf(EngineException.Internal.class)
                    .hasMessageMatching("network.remove-bridge: eio; network.remove-bridge: eio");
            fabric.settle();
            assertThat(stage.links()).as("all but the two").hasSize(3);
            fabric.rest();
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }

    /// The kernel shows their bridges, but those are the engine's own and nobody else's.
    @Test
    void theDefaultBridgeLeavesRangesToTheNetworksThatAreRestoredAfterIt() throws Exception {
        var fabric = stage.open();
        var first = fabric.createDefault(Optional.empty()).orElseThrow();
        var app = fabric.create(request("app", Map.of(), pool("172.18.0.0/16")));
        fabric.abandon();
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("vpn0").raised(), "bridge"));
        int vpn = stage.netlink().link("vpn0").orElseThrow().index();
        stage.netlink().perform(NetRequest.addAddress(vpn, new byte[] {(byte) 172, 17, 9, 1}, 24));
        try (var next = stage.open()) {
            var moved = next.createDefault(Optional.of(first), List.of(app), java.util.Set.of()).orElseThrow();
            assertThat(moved.ranges()).hasToString("[172.19.0.0/16]");
            next.restore(List.of(moved, app), Map.of());
            assertThat(next.usage(app).getFirst().subnet().range()).hasToString("172.18.0.0/16");
        }
        try (var last = stage.open()) { // as an engine left it that did not look
            var same = FabricStage.request("same", Map.of(), pool("172.19.0.0/17"));
            var taken = new NetworkPlanner(new Ranges(FabricConfig.usualPools(), "x"), java.time.Clock.systemUTC())
                    .plan(same, "5".repeat(64), new NetworkPlanner.Surroundings(List.of(), HostRanges.NONE, List.of()));
            var moved = last.createDefault(Optional.of(first), List.of(app, taken), java.util.Set.of()).orElseThrow();
            assertThat(moved.ranges()).hasToString("[172.20.0.0/16]");
        }
    }

    /// A VPN came while the engine was away.
    @Test
    void theDefaultBridgeKeepsItsRangeWhileSomebodyRunsInIt() throws Exception {
        var fabric = stage.open();
        var first = fabric.createDefault(Optional.empty()).orElseThrow();
        assertThat(first.ranges()).hasToString("[172.17.0.0/16]");
        var sandbox = fabric.open(ONE, List.of(joining(first)));
        try (var process = Dweller.in(stage, sandbox)) {
            fabric.abandon();
            stage.netlink().perform(NetRequest.addLink(LinkEnd.named("vpn0").raised(), "bridge"));
            int vpn = stage.netlink().link("vpn0").orElseThrow().index();
            stage.netlink().perform(NetRequest.addAddress(vpn, new byte[] {(byte) 172, 17, 9, 1}, 24));
            try (var next = stage.open()) {
                var running = Map.of(ONE, process.pid());
                var kept = next.createDefault(Optional.of(first), List.of(), running.keySet()).orElseThrow();
                assertThat(kept).isEqualTo(first);
                next.restore(List.of(kept), running);
                assertThat(next.sandbox(ONE)).get().extracting(Sandbox::endpoints).isEqualTo(sandbox.endpoints());
                int bridge = stage.netlink().link(first.link()).orElseThrow().index();
                assertThat(stage.netlink().addresses()).anyMatch(address -> address.link() == bridge
                        && carafe.spec.network.IpAddress.of(address.address()).toString().equals("172.17.0.1"));
                next.close(ONE);
                next.settle();
            }
        }
        try (var last = stage.open()) {
            var moved = last.createDefault(Optional.of(first), List.of(), java.util.Set.of("2".repeat(64))).orElseThrow();
            assertThat(moved.ranges()).hasToString("[172.18.0.0/16]");
        }
    }

    @Test
    void addressesOfWhoRunsAreCountedInTheirOwnFamilyOnly() throws Exception {
        var fabric = stage.open();
        var network = fabric.create(request("dual", Map.of(), pool("10.77.0.0/24"), pool("fd00:7::/64")));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        assertThat(fabric.usage(network)).extracting(Fabric.Usage::inUse).containsExactly(2L, 2L);
        try (var process = Dweller.in(stage, sandbox)) {
            fabric.abandon();
            try (var next = stage.open()) {
                next.restore(List.of(network), Map.of(ONE, process.pid()));
                assertThat(next.usage(network)).extracting(Fabric.Usage::inUse).containsExactly(2L, 2L);
                next.close(ONE);
                assertThat(next.usage(network)).extracting(Fabric.Usage::inUse).containsExactly(1L, 1L);
                next.settle();
            }
        }
    }

    @Test
    void documentsOfNetworksAreReadAsTheyWerePrinted() throws Exception {
        try (var fabric = stage.open()) {
            var networks = new ArrayList<Network>();
            networks.add(fabric.createDefault(Optional.empty()).orElseThrow());
            networks.add(fabric.create(request("dual", Map.of(LinkOptions.ICC, "false"), pool("10.77.0.0/24"), pool("fd00:7::/64"))));
            for (var network : networks) {
                var text = NetworkCodec.print(network).print();
                assertThat(NetworkCodec.parse(carafe.spec.Json.parseObject(text.getBytes()))).isEqualTo(network);
            }
        }
    }
}
