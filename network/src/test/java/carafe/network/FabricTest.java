package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import carafe.kernel.AddressInfo;
import carafe.kernel.Descriptors;
import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.Linux;
import carafe.kernel.NetRequest;
import carafe.kernel.RouteInfo;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The fabric on a host that is a namespace of the test.
class FabricTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);

    @TempDir
    Path run;

    private FabricStage stage;
    private LinuxFabric fabric;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        fabric = stage.open();
    }

    @AfterEach
    void close() {
        fabric.close();
        stage.close();
    }

    private Network made(NetworkRequest request) throws Exception {
        return fabric.create(request);
    }

    @Test
    void aBridgeHasItsAddressItsMarkAndItsRules() throws Exception {
        var network = made(request("app", Map.of(LinkOptions.MTU, "1400"), pool("10.77.0.0/24")));
        var link = stage.netlink().link(network.link()).orElseThrow();
        assertThat(network.link()).isEqualTo("br-" + network.id().substring(0, 12));
        assertThat(link.kind()).isEqualTo("bridge");
        assertThat(link.up()).isTrue();
        assertThat(link.mtu()).isEqualTo(1400);
        assertThat(link.alias()).startsWith("carafe ");
        assertThat(stage.netlink().addresses())
                .filteredOn(address -> address.link() == link.index())
                .extracting(AddressInfo::address)
                .containsExactly(new byte[] {10, 77, 0, 1});
        assertThat(stage.firewall.rules).hasEntrySatisfying(
                network.id(), rules -> assertThat(rules.ranges()).hasToString("[10.77.0.0/24]"));
        fabric.remove(network);
        fabric.settle();
        assertThat(stage.links()).containsExactly("lo");
        assertThat(stage.firewall.rules).isEmpty();
        fabric.remove(network);
    }

    @Test
    void aContainerGetsAnInterfaceAnAddressAndARoute() throws Exception {
        var network = made(request("app", Map.of(), pool("10.77.0.0/24")));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        var endpoint = sandbox.endpoints().getFirst();
        assertThat(endpoint.four()).get().hasToString("10.77.0.2/24");
        assertThat(endpoint.mac()).hasToString("02:42:0a:4d:00:02");
        assertThat(endpoint.gateways().four()).get().hasToString("10.77.0.1");
        try (var inside = stage.enter(sandbox)) {
            var eth = inside.netlink().link("eth0").orElseThrow();
            assertThat(eth.up()).isTrue();
            assertThat(eth.mac()).isEqualTo(endpoint.mac().bytes());
            assertThat(inside.netlink().addresses()).filteredOn(a -> a.link() == eth.index()).singleElement()
                    .satisfies(address -> assertThat(address.address()).containsExactly(10, 77, 0, 2));
            assertThat(inside.netlink().routes()).filteredOn(RouteInfo::isDefault).singleElement()
                    .satisfies(route -> assertThat(route.gateway()).containsExactly(10, 77, 0, 1));
        }
        var host = stage.netlink().link(endpoint.hostLink()).orElseThrow();
        assertThat(host.up()).isTrue();
        assertThat(host.master()).isEqualTo(stage.netlink().link(network.link()).orElseThrow().index());

        fabric.close(ONE);
        assertThat(fabric.sandbox(ONE)).isEmpty();
        fabric.settle();
        assertThat(stage.links()).containsExactlyInAnyOrder("lo", network.link());
        assertThat(run.resolve(FabricStage.NAME)).isEmptyDirectory();
    }

    @Test
    void addressesAreTheLowestThatAreFree() throws Exception {
        var network = made(request("app", Map.of(), pool("10.77.0.0/24")));
        assertThat(four(fabric.open(ONE, List.of(joining(network))))).isEqualTo("10.77.0.2/24");
        assertThat(four(fabric.open(TWO, List.of(joining(network))))).isEqualTo("10.77.0.3/24");
        fabric.close(ONE);
        assertThat(four(fabric.open("3".repeat(64), List.of(joining(network))))).isEqualTo("10.77.0.2/24");
    }

    private static String four(Sandbox sandbox) {
        return sandbox.endpoints().getFirst().four().orElseThrow().toString();
    }

    @Test
    void twoFamiliesTwoNetworksOnePriority() throws Exception {
        var dual = made(request("dual", Map.of(), pool("10.77.0.0/24"), pool("fd00:77::/64")));
        var other = made(request("other", Map.of(), pool("10.78.0.0/24")));
        var sandbox = fabric.open(ONE, List.of(
                joining(dual),
                new Joining(other, Joining.Wanted.ANYTHING, List.of(), 10, Map.of())));
        assertThat(sandbox.endpoints()).extracting(Endpoint::interfaceName).containsExactly("eth0", "eth1");
        assertThat(sandbox.endpoints().getFirst().six()).get().hasToString("fd00:77::2/64");
        try (var inside = stage.enter(sandbox)) {
            int eth1 = inside.netlink().link("eth1").orElseThrow().index();
            int eth0 = inside.netlink().link("eth0").orElseThrow().index();
            var defaults = inside.netlink().routes().stream().filter(route -> route.isDefault() && route.isMain()).toList();
            assertThat(defaults).filteredOn(route -> !route.six()).singleElement()
                    .satisfies(route -> assertThat(route.link()).isEqualTo(eth1));
            assertThat(defaults).filteredOn(RouteInfo::six).singleElement()
                    .satisfies(route -> assertThat(route.link()).isEqualTo(eth0));
        }
    }

    @Test
    void aRunningContainerIsConnectedAndDisconnected() throws Exception {
        var listener = new FabricStage.RecordingListener();
        fabric.listen(listener);
        var first = made(request("first", Map.of(), pool("10.77.0.0/24")));
        var second = made(request("second", Map.of(), pool("10.78.0.0/24")));
        var sandbox = fabric.open(ONE, List.of(joining(first)));
        try (var inside = stage.enter(sandbox)) {
            var endpoint = fabric.connect(ONE, new Joining(second, Joining.Wanted.ANYTHING, List.of("db"), 5, Map.of()));
            assertThat(endpoint.interfaceName()).isEqualTo("eth1");
            assertThat(gateway(inside)).containsExactly(10, 78, 0, 1);

            fabric.disconnect(ONE, second.id());
            assertThat(inside.netlink().links()).extracting(LinkInfo::name).containsExactlyInAnyOrder("lo", "eth0");
            assertThat(gateway(inside)).containsExactly(10, 77, 0, 1);

            fabric.disconnect(ONE, first.id());
            assertThat(inside.netlink().links()).extracting(LinkInfo::name).containsExactly("lo");
            assertThat(fabric.sandbox(ONE)).get().satisfies(now -> assertThat(now.endpoints()).isEmpty());
        }
        fabric.disconnect(ONE, first.id());
        fabric.settle();
        assertThat(stage.links()).containsExactlyInAnyOrder("lo", first.link(), second.link());
        assertThat(listener.heard).containsExactly("+first", "+second running", "-eth1", "-eth0");
    }

    private static byte[] gateway(carafe.kernel.NetNamespace inside) throws Exception {
        return inside.netlink().routes().stream().filter(RouteInfo::isDefault).findFirst().orElseThrow().gateway();
    }

    @Test
    void wantedAddressesAreGivenOrRefused() throws Exception {
        var network = made(new NetworkRequest("app", Driver.BRIDGE, Optional.empty(), Optional.empty(),
                new NetworkRequest.Pools("default", Map.of(), List.of(new NetworkRequest.Pool(
                        "10.77.0.0/24", "10.77.0.128/25", "10.77.0.254", Map.of("router", "10.77.0.128")))),
                Network.Reach.USUAL, Map.of(), Map.of()));
        assertThat(four(fabric.open(ONE, List.of(joining(network))))).isEqualTo("10.77.0.129/24");
        assertThat(four(fabric.open(TWO, List.of(joining(network, "10.77.0.9"))))).isEqualTo("10.77.0.9/24");
        for (String used : List.of("10.77.0.9", "10.77.0.254", "10.77.0.128", "10.77.0.0", "10.77.0.255")) {
            assertThatThrownBy(() -> fabric.open("3".repeat(64), List.of(joining(network, used))))
                    .as(used).isInstanceOf(EngineException.Forbidden.class).hasMessage("Address already in use");
        }
        assertThatThrownBy(() -> fabric.open("3".repeat(64), List.of(joining(network, "10.78.0.1"))))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("no configured subnet or ip-range contain the IP address 10.78.0.1");
        var mac = MacAddress.parse("02:00:00:00:00:77");
        var wanted = new Joining.Wanted(Optional.empty(), Optional.empty(), List.of(IpAddress.parse("169.254.8.8")),
                Optional.of(mac), "wan");
        var sandbox = fabric.open("3".repeat(64), List.of(new Joining(network, wanted, List.of(), 0, Map.of())));
        try (var inside = stage.enter(sandbox)) {
            assertThat(inside.netlink().link("wan").orElseThrow().mac()).isEqualTo(mac.bytes());
            assertThat(inside.netlink().addresses()).anySatisfy(
                    address -> assertThat(IpAddress.of(address.address())).hasToString("169.254.8.8"));
        }
    }

    @Test
    void aSmallRangeRunsOutAndSaysSo() throws Exception {
        var network = made(request("tiny", Map.of(), pool("10.77.0.0/30")));
        fabric.open(ONE, List.of(joining(network)));
        assertThat(fabric.usage(network)).singleElement().satisfies(usage -> {
            assertThat(usage.inUse()).isEqualTo(2);
            assertThat(usage.available()).isZero();
        });
        assertThatThrownBy(() -> fabric.open(TWO, List.of(joining(network))))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("no available IPv4 addresses on network tiny: all of 10.77.0.0/30 are in use");
        fabric.settle();
        assertThat(stage.links()).hasSize(3);
    }

    @Test
    void choosesRangesThatTheHostDoesNotUse() throws Exception {
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("vpn0").raised(), "bridge"));
        int vpn = stage.netlink().link("vpn0").orElseThrow().index();
        stage.netlink().perform(
                NetRequest.addAddress(vpn, new byte[] {(byte) 172, 16, 1, 1}, 24),
                NetRequest.addRoute(RouteInfo.direct(new byte[] {(byte) 172, 16, 8, 0}, 21, vpn)));
        assertThat(made(request("a")).ranges()).hasToString("[172.16.4.0/22]");
        assertThat(made(request("b")).ranges()).hasToString("[172.16.16.0/22]");
        assertThat(fabric.createDefault(Optional.empty()).orElseThrow().ranges()).hasToString("[172.17.0.0/16]");
        try (var second = stage.open("other-engine", Failpoints.none())) {
            assertThat(second.create(request("c")).ranges()).hasToString("[172.16.0.0/22]".replace("16.0.0", "16.20.0"));
        }
    }

    @Test
    void containersOfABridgeLeaveByAnotherRouterIfOneIsNamed() throws Exception {
        var config = new FabricConfig("router", new FabricConfig.Place("", run.resolve("router"), run.resolve("lock")),
                bridge("10.77.0.1/24", new FabricConfig.DefaultBridge.Gateways(
                        Optional.of(IpAddress.parse("10.77.0.2")), Optional.of(IpAddress.parse("fd00:77::fe")))),
                FabricConfig.usualPools(), true);
        try (var engine = stage.open(config, Failpoints.none())) {
            var network = engine.createDefault(Optional.empty()).orElseThrow();
            assertThat(network.subnet(false).orElseThrow().auxiliary()).hasToString("{DefaultGatewayIPv4=10.77.0.2}");
            var sandbox = engine.open(ONE, List.of(joining(network)));
            assertThat(four(sandbox)).isEqualTo("10.77.0.3/24"); // the router's own is never given out
            try (var inside = stage.enter(sandbox)) {
                assertThat(inside.netlink().routes()).filteredOn(route -> route.isDefault() && route.isMain())
                        .extracting(route -> IpAddress.of(route.gateway()).toString())
                        .containsExactlyInAnyOrder("10.77.0.2", "fd00:77::fe");
            }
            assertThat(stage.netlink().addresses())
                    .noneMatch(address -> IpAddress.of(address.address()).toString().equals("10.77.0.2"));
            engine.close(ONE);
        }
        var outside = new FabricConfig("outside", new FabricConfig.Place("", run.resolve("outside"), run.resolve("lock")),
                bridge("10.78.0.1/24", new FabricConfig.DefaultBridge.Gateways(
                        Optional.of(IpAddress.parse("10.77.0.2")), Optional.empty())),
                FabricConfig.usualPools(), true);
        try (var engine = stage.open(outside, Failpoints.none())) {
            assertThatThrownBy(() -> engine.createDefault(Optional.empty())).isInstanceOf(EngineException.Invalid.class)
                    .hasMessage("default-gateway 10.77.0.2 is not in the default bridge's range 10.78.0.0/24; \"bip\" chooses"
                            + " the range");
        }
    }

    private static FabricConfig.DefaultBridge bridge(String own, FabricConfig.DefaultBridge.Gateways gateways)
            throws Exception {
        return new FabricConfig.DefaultBridge(true, Optional.empty(), Optional.of(Cidr.parseHost(own)), Optional.empty(),
                true, Optional.empty(), Optional.of(Cidr.parse("fd00:77::/64")), 1500, true, true, Optional.empty(), gateways);
    }

    @Test
    void aSecondRouterOfAUsersBridgeIsAnAuxiliaryAddressByName() throws Exception {
        var network = made(new NetworkRequest("app", Driver.BRIDGE, Optional.empty(), Optional.empty(),
                new NetworkRequest.Pools("default", Map.of(), List.of(new NetworkRequest.Pool(
                        "10.77.0.0/24", "", "", Map.of("DefaultGatewayIPv4", "10.77.0.254")))),
                Network.Reach.USUAL, Map.of(), Map.of()));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        assertThat(sandbox.endpoints().getFirst().gateways().four()).get().hasToString("10.77.0.254");
        assertThat(network.subnet(false).orElseThrow().gateway()).get().hasToString("10.77.0.1");
    }

    @Test
    void moreThanAThousandRangesAreThere() throws Exception {
        var ranges = new Ranges(FabricConfig.usualPools(), FabricStage.NAME);
        var used = new TreeSet<Cidr>();
        for (int i = 0; i < 1024 + 256; i++) {
            var chosen = ranges.choose(false, used).orElseThrow();
            assertThat(used).noneMatch(chosen::overlaps);
            used.add(chosen);
        }
        assertThat(ranges.choose(false, used)).isEmpty();
        var six = ranges.choose(true, List.of()).orElseThrow();
        assertThat(six.prefix()).isEqualTo(64);
        assertThat(Cidr.parse("fd00::/8").contains(six)).isTrue();
        assertThat(ranges.choose(true, List.of(six)).orElseThrow().base()).isEqualTo(six.last().plus(1));
    }

    @Test
    void whenNoRangeIsFreeTheUnusedNetworksAreNamed() throws Exception {
        var pools = List.of(new FabricConfig.PoolRule(Cidr.parse("10.200.0.0/26"), 28));
        var config = new FabricConfig("pools", new FabricConfig.Place("", run.resolve("pools"), run.resolve("lock")),
                FabricConfig.DefaultBridge.USUAL, pools, true);
        try (var small = stage.open(config, Failpoints.none())) {
            for (int i = 0; i < 4; i++) {
                small.create(request("n" + i));
            }
            var used = small.create(request("used", Map.of(), pool("10.77.0.0/24")));
            small.open(ONE, List.of(joining(used)));
            assertThatThrownBy(() -> small.create(request("one-more"), network -> network.name().equals("n2")))
                    .hasMessageContaining("no container uses n2: ");
            assertThatThrownBy(() -> small.create(request("one-more")))
                    .isInstanceOf(EngineException.Unavailable.class)
                    .hasMessage("could not find an available, non-overlapping IPv4 address pool among the defaults to"
                            + " assign to the network; no container uses n0, n1, n2, n3: \"docker network prune\" gives"
                            + " their ranges back");
            small.close(ONE);
        }
    }

    @Test
    void overlapsAndContradictionsAreRefusedInDockersWords() throws Exception {
        made(request("a", Map.of(), pool("10.77.0.0/16")));
        refused(EngineException.Forbidden.class, "invalid pool request: Pool overlaps with other one on this address space",
                pool("10.77.4.0/24"));
        refused(EngineException.Invalid.class, "invalid network config:\ninvalid subnet 10.1.1.1/24: it should be 10.1.1.0/24",
                pool("10.1.1.1/24"));
        refused(EngineException.Invalid.class, "invalid network config:\ninvalid subnet x: invalid CIDR block notation",
                pool("x"));
        refused(EngineException.Invalid.class,
                "invalid network config:\ninvalid gateway 10.2.0.1: parent subnet is an invalid range for 10.1.1.0/24",
                new NetworkRequest.Pool("10.1.1.0/24", "", "10.2.0.1", Map.of()));
        for (String range : List.of("127.0.0.0/8", "127.9.0.0/16", "224.0.0.0/4", "239.1.0.0/16", "255.255.255.255/32",
                "0.0.0.0/0", "::1/128", "ff02::/16", "::/64")) {
            assertThatThrownBy(() -> fabric.create(request("b", Map.of(), pool(range)))).as(range)
                    .isInstanceOf(EngineException.Invalid.class)
                    .hasMessageMatching("(?s)invalid network config:\ninvalid subnet " + range
                            + ": the (loopback|multicast|broadcast|unspecified) addresses .*name a private range.*");
        }
        refused(EngineException.Invalid.class, "invalid network config:\ngateway requires a subnet",
                new NetworkRequest.Pool("", "", "10.2.0.1", Map.of()));
        assertThatThrownBy(() -> fabric.create(request("b", Map.of(LinkOptions.MTU, "12"))))
                .hasMessage("invalid MTU 12: it must be between 68 and 65535");
        assertThatThrownBy(() -> fabric.create(request("b", Map.of(LinkOptions.BRIDGE_NAME, "a/../b"))))
                .hasMessageStartingWith("invalid bridge name: a/../b");
    }

    private void refused(Class<? extends Exception> kind, String message, NetworkRequest.Pool pool) {
        assertThatThrownBy(() -> fabric.create(request("b", Map.of(), pool))).isInstanceOf(kind).hasMessage(message);
    }

    @Test
    void aBridgeOfSomebodyElseIsUsedButNeverRemoved() throws Exception {
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("lan0").raised(), "bridge"));
        var network = made(request("lan", Map.of(LinkOptions.BRIDGE_NAME, "lan0"), pool("10.77.0.0/24")));
        assertThat(stage.netlink().addresses()).anyMatch(a -> IpAddress.of(a.address()).toString().equals("10.77.0.1"));
        fabric.remove(network);
        assertThat(stage.links()).contains("lan0");
        assertThat(stage.netlink().addresses()).noneMatch(a -> IpAddress.of(a.address()).toString().equals("10.77.0.1"));
        try (var other = stage.open("another-engine", Failpoints.none())) {
            var theirs = other.createDefault(Optional.empty()).orElseThrow();
            var ours = fabric.createDefault(Optional.empty()).orElseThrow();
            assertThat(theirs.link()).isEqualTo("carafe0");
            assertThat(theirs.ranges()).hasToString("[172.17.0.0/16]");
            assertThat(ours.link()).isEqualTo("carafe1");
            assertThat(ours.ranges()).hasToString("[172.18.0.0/16]");
            assertThatThrownBy(() -> fabric.create(request("x", Map.of(LinkOptions.BRIDGE_NAME, "carafe0"))))
                    .isInstanceOf(EngineException.Conflict.class)
                    .hasMessageContaining("belongs to another engine of this host");
            other.rest();
            assertThat(stage.links()).doesNotContain("carafe0").contains("carafe1");
        }
    }

    @Test
    void oneThatIsInNoNetworkComesToOneWhileItRuns() throws Exception {
        var network = made(request("app", Map.of(), pool("10.77.0.0/24")));
        assertThat(fabric.open(ONE, List.of()).endpoints()).isEmpty();
        var endpoint = fabric.connect(ONE, joining(network));
        var sandbox = fabric.sandbox(ONE).orElseThrow();
        assertThat(sandbox.endpoints()).containsExactly(endpoint);
        try (var inside = stage.enter(sandbox)) {
            assertThat(inside.netlink().routes()).anyMatch(route -> route.isDefault() && !route.six());
        }
    }

    @Test
    void whatIsAskedForIsReadAsDockerReadsIt() throws Exception {
        for (String yes : List.of("1", "t", "True", "true")) {
            var silent = fabric.create(request("silent", Map.of(LinkOptions.INHIBIT, yes), pool("10.77.0.0/24")));
            int bridge = stage.netlink().link(silent.link()).orElseThrow().index();
            assertThat(stage.netlink().addresses()).as(yes)
                    .noneMatch(address -> address.link() == bridge && address.address().length == 4);
            fabric.remove(silent);
        }
        var four = fabric.create(new NetworkRequest("four", Driver.BRIDGE, Optional.empty(), Optional.of(false),
                new NetworkRequest.Pools("default", Map.of(), List.of(pool("10.77.0.0/24"), pool("fd00:77::/64"))),
                Network.Reach.USUAL, Map.of(), Map.of()));
        assertThat(four.ranges()).hasToString("[10.77.0.0/24]");
        fabric.remove(four);
        assertThatThrownBy(() -> fabric.create(new NetworkRequest("null", Driver.BRIDGE, Optional.empty(), Optional.empty(),
                new NetworkRequest.Pools("null", Map.of(), List.of()), Network.Reach.USUAL, Map.of(), Map.of())))
                .isInstanceOf(EngineException.Invalid.class).hasMessageStartingWith("ipv4 pool is empty");
    }

    @Test
    void theDefaultRouteLeadsToTheNetworkWhoseNameComesFirst() throws Exception {
        var zeta = made(request("zeta", Map.of(), pool("10.77.0.0/24")));
        var alpha = made(request("alpha", Map.of(), pool("10.78.0.0/24")));
        var beta = made(request("beta", Map.of(), pool("10.79.0.0/24")));
        try (var inside = stage.enter(fabric.open(ONE, List.of(joining(zeta), joining(beta))))) {
            assertThat(gateway(inside)).containsExactly(10, 79, 0, 1);
            fabric.connect(ONE, joining(alpha));
            assertThat(gateway(inside)).containsExactly(10, 78, 0, 1);
            fabric.disconnect(ONE, alpha.id());
            fabric.connect(ONE, new Joining(alpha, Joining.Wanted.ANYTHING, List.of(), -1, Map.of()));
            assertThat(gateway(inside)).containsExactly(10, 79, 0, 1);
        }
    }

    @Test
    void aBridgeDeletedByHandComesBackWithEverybodyInIt() throws Exception {
        var network = made(request("app", Map.of(), pool("10.77.0.0/24")));
        var one = fabric.open(ONE, List.of(joining(network)));
        for (int round = 0; round < 20; round++, fabric.close(TWO)) { // now this thread is quicker than the watch, now not
            stage.netlink().perform(NetRequest.deleteLink(network.link()));
            for (var sandbox : List.of(one, fabric.open(TWO, List.of(joining(network))))) {
                assertThat(stage.netlink().link(sandbox.endpoints().getFirst().hostLink()).orElseThrow().master())
                        .isEqualTo(stage.netlink().link(network.link()).orElseThrow().index());
            }
        }
    }

    /// A network over a bridge that a user made: who deletes it is not answered by the watch, which would be quicker than a
    /// check.
    private Network theirs(String name, String subnet) throws Exception {
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("of-" + name).raised(), "bridge"));
        return made(request(name, Map.of(LinkOptions.BRIDGE_NAME, "of-" + name), pool(subnet)));
    }

    @Test
    void aCheckTellsWhatBridgesLackAndMakesThemAgain() throws Exception {
        var network = theirs("app", "10.77.0.0/24");
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        assertThat(fabric.check(false)).isEmpty();
        stage.netlink().perform(NetRequest.deleteLink(network.link()));
        assertThat(fabric.check(false)).containsExactly(new Fabric.Fault(network.link(), "app", "it is missing", false));
        assertThat(fabric.check(true)).containsExactly(new Fabric.Fault(network.link(), "app", "it is missing", true));
        assertThat(fabric.check(false)).isEmpty();
        var bridge = stage.netlink().link(network.link()).orElseThrow();
        assertThat(stage.netlink().link(sandbox.endpoints().getFirst().hostLink()).orElseThrow().master())
                .as("who is in it is in it again").isEqualTo(bridge.index());
        stage.netlink().perform(NetRequest.deleteAddress(bridge.index(), new byte[] {10, 77, 0, 1}, 24));
        assertThat(fabric.check(true)).containsExactly(
                new Fabric.Fault(network.link(), "app", "it has no address 10.77.0.1/24", true));
        assertThat(fabric.check(true)).isEmpty();
    }

    @Test
    void aBridgeThatCannotBeMadeAgainKeepsNoOtherFromIt() throws Exception {
        var networks = List.of(
                theirs("one", "10.77.0.0/24"), theirs("two", "10.78.0.0/24"), theirs("three", "10.79.0.0/24"));
        var barred = networks.get(1);
        for (var network : networks) {
            stage.netlink().perform(NetRequest.deleteLink(network.link()));
        }
        stage.netlink().perform(NetRequest.addVeth(LinkEnd.named(barred.link()), LinkEnd.named("peer")));
        var faults = fabric.check(true);
        stage.netlink().perform(NetRequest.deleteLink("peer"));
        assertThat(faults).extracting(Fabric.Fault::network, Fabric.Fault::repaired)
                .containsExactlyInAnyOrder(tuple("one", true), tuple("two", false), tuple("three", true));
        assertThat(faults).filteredOn(fault -> !fault.repaired()).singleElement().extracting(Fabric.Fault::text).asString()
                .startsWith("it is another one than was made and stays so: ").contains("that is no bridge");
    }

    @Test
    void containersOfANetworkWithoutPeersAreIsolated() throws Exception {
        var network = made(request("alone", Map.of(LinkOptions.ICC, "false"), pool("10.77.0.0/24")));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        assertThat(stage.netlink().link(sandbox.endpoints().getFirst().hostLink()).orElseThrow().isolated()).isTrue();
    }

    /// Packets between them are dropped by the bridge itself: no rule could let those of a link pass, as Docker's do.
    @Test
    void whetherPeersReachEachOtherIsTheNetworksChoice() throws Exception {
        for (boolean peers : new boolean[] {true, false}) {
            var network = made(request("peers-" + peers, Map.of(LinkOptions.ICC, String.valueOf(peers)), pool("10.77.0.0/24")));
            var server = fabric.open(ONE, List.of(joining(network, "10.77.0.2")));
            var client = fabric.open(TWO, List.of(joining(network, "10.77.0.3")));
            try (var listener = inside(server, () -> new ServerSocket(80))) {
                assertThat(inside(client, () -> connects("10.77.0.2", listener.getLocalPort()))).isEqualTo(peers);
                assertThat(inside(server, () -> connects("10.77.0.2", listener.getLocalPort()))).as("itself").isTrue();
            }
            fabric.close(ONE);
            fabric.close(TWO);
            fabric.remove(network);
        }
    }

    private static boolean connects(String address, int port) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 1500);
            return true;
        } catch (SocketTimeoutException | NoRouteToHostException e) {
            return false;
        }
    }

    private <T> T inside(Sandbox sandbox, Callable<T> task) throws Exception {
        try (var handle = Descriptors.open(Path.of(sandbox.path()), Linux.O_RDONLY, 0)) {
            return stage.thread().inside(handle, () -> {
                try {
                    return task.call();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
        }
    }

    /// Links are removed in the background, after others may have their addresses.
    @Test
    void whoIsGoneDoesNotAnswerForWhoHasTheAddressNow() throws Exception {
        var network = made(request("app", Map.of(), pool("10.77.0.0/24")));
        for (int round = 0; round < 5; round++) {
            try (var gone = stage.enter(fabric.open(ONE, List.of(joining(network, "10.77.0.2"))));
                    var listener = inside(fabric.sandbox(ONE).orElseThrow(), () -> new ServerSocket(80))) {
                assertThat(onHost(() -> connects("10.77.0.2", listener.getLocalPort()))).isTrue(); // the bridge knows it
                assertThat(gone.netlink().link("eth0")).isPresent();
                fabric.close(ONE);
                var now = fabric.open(TWO, List.of(joining(network, "10.77.0.2")));
                try (var other = inside(now, () -> new ServerSocket(81))) {
                    assertThat(onHost(() -> connects("10.77.0.2", other.getLocalPort()))).isTrue();
                }
                fabric.close(TWO);
            }
            fabric.settle();
        }
    }

    private <T> T onHost(Callable<T> task) throws Exception {
        return stage.thread().inside(stage.host().handle(), () -> {
            try {
                return task.call();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void routerAdvertisementsAreOffEverywhere() throws Exception { // CVE-2020-13401
        var network = made(request("dual", Map.of(), pool("10.77.0.0/24"), pool("fd00:77::/64")));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        try (var inside = stage.enter(sandbox)) {
            assertThat(setting(inside.handle(), "ipv6/conf/eth0/accept_ra")).isEqualTo("0");
            assertThat(setting(inside.handle(), "ipv6/conf/all/accept_ra")).isEqualTo("0");
            assertThat(setting(inside.handle(), "ipv6/conf/eth0/disable_ipv6")).isEqualTo("0");
        }
        assertThat(setting(stage.host().handle(), "ipv6/conf/" + network.link() + "/accept_ra")).isEqualTo("0");
        assertThat(setting(stage.host().handle(), "ipv4/ip_forward")).isEqualTo("1");
        var four = made(request("four", Map.of(), pool("10.78.0.0/24")));
        var second = fabric.open(TWO, List.of(new Joining(four, Joining.Wanted.ANYTHING, List.of(), 0,
                Map.of(Cables.SYSCTLS, "net.ipv4.conf.IFNAME.log_martians=1"))));
        try (var inside = stage.enter(second)) {
            assertThat(setting(inside.handle(), "ipv6/conf/eth0/disable_ipv6")).isEqualTo("1");
            assertThat(setting(inside.handle(), "ipv4/conf/eth0/log_martians")).isEqualTo("1");
        }
        assertThatThrownBy(() -> fabric.open("3".repeat(64), List.of(new Joining(four, Joining.Wanted.ANYTHING, List.of(), 0,
                Map.of(Cables.SYSCTLS, "net.ipv4.conf.IFNAME/../../ip_forward.x=1")))))
                .isInstanceOf(EngineException.Invalid.class);
    }

    private String setting(carafe.kernel.Fd namespace, String path) throws Exception {
        return stage.thread().inside(namespace, () -> {
            try {
                return Files.readString(Path.of("/proc/sys/net/" + path)).strip();
            } catch (java.io.IOException e) {
                return e.toString();
            }
        });
    }

    @Test
    void linksOnAParentOfTheHost() throws Exception {
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("lan0").raised(), "bridge"));
        var network = fabric.create(new NetworkRequest("lan", Driver.MACVLAN, Optional.empty(), Optional.empty(),
                new NetworkRequest.Pools("default", Map.of(), List.of(pool("10.77.0.0/24"))), Network.Reach.USUAL,
                Map.of("parent", "lan0"), Map.of()));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        try (var inside = stage.enter(sandbox)) {
            assertThat(inside.netlink().link("eth0").orElseThrow().kind()).isEqualTo("macvlan");
        }
        assertThatThrownBy(() -> fabric.create(new NetworkRequest("x", Driver.MACVLAN, Optional.empty(), Optional.empty(),
                new NetworkRequest.Pools("default", Map.of(), List.of()), Network.Reach.USUAL, Map.of("parent", "no0"), Map.of())))
                .hasMessageContaining("there is no link no0");
    }
}
