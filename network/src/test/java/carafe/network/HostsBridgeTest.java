package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkEnd;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A bridge that the host had before, with addresses of its own, lends itself to networks and loses nothing by it.
class HostsBridgeTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);
    private static final List<String> OWN = List.of("203.0.113.9/32", "192.0.2.10/24", "198.51.100.1/24", "2001:db8::10/64");

    @TempDir
    Path run;

    private FabricStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("br9").raised(), "bridge"));
        int index = stage.netlink().link("br9").orElseThrow().index();
        stage.thread().set(stage.host().handle(), new NetNamespace.Settings(Map.of("ipv6/conf/br9/disable_ipv6", "0",
                "ipv6/conf/br9/accept_ra", "1")));
        for (String text : OWN) {
            var address = Cidr.parseHost(text);
            stage.netlink().perform(NetRequest.addAddress(index, address.address().bytes(), address.prefix()));
        }
    }

    @AfterEach
    void close() {
        stage.close();
    }

    private FabricConfig config(boolean ipv6) {
        var usual = stage.config(FabricStage.NAME);
        return new FabricConfig(usual.engineId(), usual.place(), new FabricConfig.DefaultBridge(true, Optional.of("br9"),
                Optional.empty(), Optional.empty(), ipv6, Optional.empty(), Optional.empty(), 1500, true, true, Optional.empty(),
                FabricConfig.DefaultBridge.Gateways.NONE), usual.pools(), true);
    }

    private List<String> addresses() throws Exception {
        int index = stage.netlink().link("br9").orElseThrow().index();
        return stage.netlink().addresses().stream()
                .filter(address -> address.link() == index)
                .map(address -> new Cidr.Host(IpAddress.of(address.address()), address.prefix()))
                .filter(address -> !address.address().isLinkLocal())
                .map(Cidr.Host::toString)
                .toList();
    }

    private String setting(String name) throws Exception {
        return stage.thread().inside(stage.host().handle(), () -> {
            try {
                return Files.readString(Path.of("/proc/sys/net/ipv6/conf/br9", name)).strip();
            } catch (java.io.IOException e) {
                return e.toString();
            }
        });
    }

    @Test
    void theDefaultBridgeTakesItsRangeAndKeepsItsAddresses() throws Exception {
        var dying = stage.open(config(false), Failpoints.none());
        var first = dying.createDefault(Optional.empty()).orElseThrow();
        assertThat(first.ranges()).hasToString("[192.0.2.0/24]");
        var sandbox = dying.open(ONE, List.of(joining(first)));
        assertThat(sandbox.endpoints().getFirst().four()).get().hasToString("192.0.2.1/24");
        assertThat(sandbox.endpoints().getFirst().gateways().four()).get().hasToString("192.0.2.10");
        assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
        assertThat(List.of(setting("disable_ipv6"), setting("accept_ra"))).containsExactly("0", "1");
        dying.abandon();
        try (var fabric = stage.open(config(true), Failpoints.none())) {
            var again = fabric.createDefault(Optional.of(first)).orElseThrow();
            assertThat(again.ranges()).hasToString("[192.0.2.0/24, 2001:db8::/64]");
            assertThat(again.subnet(true).flatMap(Subnet::gateway)).get().hasToString("2001:db8::10");
            fabric.restore(List.of(again), Map.of());
            fabric.rest();
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
        }
    }

    @Test
    void aNetworkOnItAddsItsOwnAddressAndTakesThatAwayAgain() throws Exception {
        var options = Map.of(LinkOptions.BRIDGE_NAME, "br9");
        var dying = stage.open();
        var network = dying.create(request("lan", options, pool("10.77.0.0/24")));
        assertThat(addresses()).hasSize(5).containsAll(OWN).contains("10.77.0.1/24");
        dying.abandon();
        try (var fabric = stage.open()) {
            fabric.restore(List.of(network), Map.of());
            assertThat(addresses()).hasSize(5).containsAll(OWN).contains("10.77.0.1/24");
            fabric.remove(network);
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);

            var same = fabric.create(request("same", options,
                    new NetworkRequest.Pool("192.0.2.0/24", "", "192.0.2.10", Map.of())));
            assertThat(same.options()).containsEntry(LinkOptions.KEPT, "192.0.2.10/24");
            assertThat(same.givenOptions()).isEqualTo(options);
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
            fabric.remove(same);
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
        }
    }

    @Test
    void aNetworkOneOfWhoseAddressesTheKernelRefusesLeavesNoneOnIt() throws Exception {
        stage.netlink().perform(NetRequest.resize(stage.netlink().link("br9").orElseThrow().index(), 1000)); // no IPv6
        var before = addresses();
        assertThat(before).contains("192.0.2.10/24");
        try (var fabric = stage.open()) {
            assertThatThrownBy(() -> fabric.create(request("lan", Map.of(LinkOptions.BRIDGE_NAME, "br9"),
                    pool("10.77.0.0/24"), pool("fd00:77::/64"))))
                    .hasMessageContaining("cannot make the bridge br9 of network lan");
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(before);
        }
    }

    /// Takes the addresses from the bridge, which networks overlap, or gives them back in their order.
    private void have(boolean there) throws Exception {
        int index = stage.netlink().link("br9").orElseThrow().index();
        for (String text : OWN) {
            var address = Cidr.parseHost(text);
            stage.netlink().perform(there
                    ? NetRequest.addAddress(index, address.address().bytes(), address.prefix())
                    : NetRequest.deleteAddress(index, address.address().bytes(), address.prefix()));
        }
    }

    @Test
    void aRangeOfItThatANetworkHasIsRefused() throws Exception {
        Network lan;
        Network six;
        try (var fabric = stage.open(config(false), Failpoints.none())) {
            assertThatThrownBy(() -> fabric.create(request("lan", Map.of(), pool("192.0.2.0/25"))))
                    .isInstanceOf(EngineException.Forbidden.class).hasMessageContaining("whose link br9 has 192.0.2.10/24");
            have(false);
            lan = fabric.create(request("lan", Map.of(), pool("192.0.2.0/25")));
            six = fabric.create(request("six", Map.of(), pool("10.77.0.0/24"), pool("2001:db8::/96")));
            have(true);
            assertThatThrownBy(() -> fabric.createDefault(Optional.empty())).isInstanceOf(EngineException.Conflict.class);
        }
        try (var fabric = stage.open(config(true), Failpoints.none())) { // which knows of nothing yet
            assertThatThrownBy(() -> fabric.createDefault(Optional.empty(), List.of(lan), Set.of()))
                    .isInstanceOf(EngineException.Conflict.class)
                    .hasMessageContaining("the bridge br9 of the host has the range 192.0.2.0/24, and so has a network");
            assertThatThrownBy(() -> fabric.createDefault(Optional.empty(), List.of(six), Set.of()))
                    .isInstanceOf(EngineException.Conflict.class)
                    .hasMessageContaining("has the range 2001:db8::/64, and so has a network")
                    .hasMessageEndingWith("choose another range with \"fixed-cidr-v6\"");
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
        }
    }

    @Test
    void anEngineThatDiesBeforeItsNetworksRowLeavesNoAddressOnIt() throws Exception {
        var dying = stage.open();
        dying.create(request("lost", Map.of(LinkOptions.BRIDGE_NAME, "br9"), pool("10.77.0.0/24")));
        assertThat(addresses()).hasSize(5).contains("10.77.0.1/24");
        dying.abandon();
        var second = stage.open();
        second.restore(List.of(), Map.of()); // the row was not written
        assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
        assertThat(run.resolve(FabricStage.NAME)).isEmptyDirectory();
        var known = second.create(request("known", Map.of(LinkOptions.BRIDGE_NAME, "br9"), pool("10.77.0.0/24")));
        second.abandon();
        try (var fabric = stage.open()) {
            fabric.createDefault(Optional.empty(), List.of(known), Set.of());
            fabric.restore(List.of(known), Map.of());
            assertThat(addresses()).as("of the network that was").hasSize(5).contains("10.77.0.1/24");
            fabric.remove(known);
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
            assertThat(run.resolve(FabricStage.NAME)).isEmptyDirectory();
        }
    }

    /// Else the next engine would find its address there, and take it for the host's.
    @Test
    void aDefaultBridgeOnItThatWasNotWrittenDownIsMadeAnewAsAnAdditionOfTheEngines() throws Exception {
        var usual = config(false).bridge();
        var config = stage.config(FabricStage.NAME);
        config = new FabricConfig(config.engineId(), config.place(), new FabricConfig.DefaultBridge(true, usual.link(),
                Optional.of(Cidr.parseHost("10.66.0.1/24")), Optional.empty(), false, Optional.empty(),
                Optional.empty(), 1500, true, true, Optional.empty(), FabricConfig.DefaultBridge.Gateways.NONE), config.pools(), true);
        var dying = stage.open(config, Failpoints.none());
        dying.createDefault(Optional.empty());
        assertThat(addresses()).hasSize(5).contains("10.66.0.1/24");
        dying.abandon();
        try (var fabric = stage.open(config, Failpoints.none())) {
            var made = fabric.createDefault(Optional.empty()).orElseThrow();
            assertThat(made.options()).doesNotContainKey(LinkOptions.KEPT);
            fabric.restore(List.of(made), Map.of());
            assertThat(addresses()).hasSize(5).contains("10.66.0.1/24");
            fabric.rest();
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
        }
    }

    @Test
    void aNetworkOnItThatGetsNoRulesLeavesNoAddress() throws Exception {
        try (var fabric = stage.open(FabricStage.NAME, Failpoints.parse("network.rules=1*EIO->off"))) {
            assertThatThrownBy(() -> fabric.create(
                    request("lan", Map.of(LinkOptions.BRIDGE_NAME, "br9"), pool("10.77.0.0/24"))))
                    .hasMessageContaining("network.rules");
            assertThat(addresses()).containsExactlyInAnyOrderElementsOf(OWN);
            assertThat(run.resolve(FabricStage.NAME)).isEmptyDirectory();
        }
    }

    @Test
    void nobodyGetsAnAddressThatTheBridgeHas() throws Exception {
        int index = stage.netlink().link("br9").orElseThrow().index();
        var second = Cidr.parseHost("192.0.2.1/24").address().bytes();
        stage.netlink().perform(NetRequest.addAddress(index, second, 24));
        try (var fabric = stage.open()) {
            var lan = fabric.create(request("lan", Map.of(LinkOptions.BRIDGE_NAME, "br9"),
                    new NetworkRequest.Pool("192.0.2.0/24", "", "192.0.2.254", Map.of()),
                    new NetworkRequest.Pool("2001:db8::/64", "", "2001:db8::1", Map.of())));
            var one = fabric.open(ONE, List.of(joining(lan))).endpoints().getFirst();
            assertThat(one.four()).get().hasToString("192.0.2.2/24");
            for (String taken : List.of("192.0.2.1", "192.0.2.10")) {
                assertThatThrownBy(() -> fabric.open(TWO, List.of(joining(lan, taken)))).as(taken)
                        .isInstanceOf(EngineException.Forbidden.class).hasMessage("Address already in use");
            }
            stage.netlink().perform(NetRequest.deleteAddress(index, second, 24));
            assertThat(fabric.open(TWO, List.of(joining(lan))).endpoints().getFirst().four()).as("free by now")
                    .get().hasToString("192.0.2.1/24");
            fabric.close(ONE);
            fabric.close(TWO);
        }
    }

    @Test
    void norOneOfTheLinkThatANetworkShares() throws Exception {
        stage.netlink().perform(NetRequest.addVeth(LinkEnd.named("up0").raised(), LinkEnd.named("up1")));
        int index = stage.netlink().link("up0").orElseThrow().index();
        stage.netlink().perform(NetRequest.addAddress(index, Cidr.parseHost("10.77.0.2/24").address().bytes(), 24));
        try (var fabric = stage.open()) {
            var shared = fabric.create(new NetworkRequest("shared", Driver.MACVLAN, Optional.empty(), Optional.empty(),
                    new NetworkRequest.Pools("default", Map.of(), List.of(pool("10.77.0.0/24"))), Network.Reach.USUAL,
                    Map.of("parent", "up0"), Map.of()));
            assertThat(fabric.open(ONE, List.of(joining(shared))).endpoints().getFirst().four())
                    .get().hasToString("10.77.0.3/24");
            fabric.close(ONE);
        }
    }
}
