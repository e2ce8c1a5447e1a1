package carafe.network;

import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkEnd;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.kernel.RouteInfo;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Networks of a host with routes and addresses of its own: a VPN on `tun9`, which has 10.8.0.2/24.
class HostRangesTest {

    @TempDir
    Path run;

    private FabricStage stage;
    private LinuxFabric fabric;
    private int tunnel;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        fabric = stage.open();
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("tun9").raised(), "bridge"));
        tunnel = stage.netlink().link("tun9").orElseThrow().index();
        stage.thread().set(stage.host().handle(), new NetNamespace.Settings(Map.of("ipv6/conf/tun9/disable_ipv6", "0")));
        address("10.8.0.2/24");
    }

    @AfterEach
    void close() {
        fabric.close();
        stage.close();
    }

    private void address(String text) throws Exception {
        var address = Cidr.parseHost(text);
        stage.netlink().perform(NetRequest.addAddress(tunnel, address.address().bytes(), address.prefix()));
    }

    private void route(String text) throws Exception {
        route(text, "10.8.0.1");
    }

    private void route(String text, String gateway) throws Exception {
        var range = Cidr.parse(text);
        var by = gateway.isEmpty() ? new byte[0] : IpAddress.parse(gateway).bytes();
        var shape = RouteInfo.direct(range.base().bytes(), range.prefix(), tunnel);
        stage.netlink().perform(NetRequest.addRoute(
                new RouteInfo(range.six(), range.base().bytes(), range.prefix(), by, tunnel, shape.table())));
    }

    private String made(String name) throws Exception {
        return fabric.create(request(name)).ranges().toString();
    }

    private String defaultBridge() throws Exception {
        return fabric.createDefault(Optional.empty()).orElseThrow().ranges().toString();
    }

    @Test
    void aTunnelThatTakesAllTrafficIsInNobodysWay() throws Exception {
        for (String gateway : List.of("10.8.0.1", "")) { // OpenVPN's, WireGuard's
            route("0.0.0.0/1", gateway);
            route("128.0.0.0/1", gateway);
            route("::/1", "");
            route("8000::/1", "");
            var first = fabric.createDefault(Optional.empty()).orElseThrow();
            assertThat(first.ranges()).hasToString("[172.17.0.0/16]");
            assertThat(made("a")).isEqualTo("[172.16.0.0/22]");
            var six = fabric.create(request("six", Map.of(), pool("fd00:7::/64")));
            assertThat(fabric.overlaps(six)).isEmpty();
            fabric.remove(six);
            fabric.rest();
            fabric.settle();
            fabric.close();
            fabric = stage.open();
            fabric.restore(List.of(), Map.of());
        }
    }

    @Test
    void aNarrowRouteIsAvoidedWhoeverLeadsIt() throws Exception {
        route("172.17.4.0/24");
        route("172.16.0.0/22", "");
        assertThat(defaultBridge()).isEqualTo("[172.18.0.0/16]");
        assertThat(made("a")).isEqualTo("[172.16.4.0/22]");
    }

    @Test
    void aRouteToAWholePoolIsAvoidedWhileAnythingElseIsFree() throws Exception {
        route("172.16.0.0/12");
        assertThat(made("a")).isEqualTo("[192.168.0.0/24]");
        route("192.168.0.0/16");
        route("192.168.0.0/23");
        route("172.16.0.0/22");
        var network = fabric.create(request("b"));
        assertThat(network.ranges()).hasToString("[172.16.4.0/22]");
        assertThat(fabric.overlaps(network)).containsExactly("the host has a route to 172.16.0.0/12, and the network has"
                + " 172.16.4.0/22: whoever is there by that route is reached from this host no more; choose another range with"
                + " --subnet");
    }

    @Test
    void theDefaultBridgeStaysWhereARouteToAllPoolsCame() throws Exception {
        var first = fabric.createDefault(Optional.empty()).orElseThrow();
        fabric.rest();
        fabric.settle();
        fabric.close();
        route("172.16.0.0/12");
        route("192.168.0.0/16");
        fabric = stage.open();
        assertThat(fabric.createDefault(Optional.of(first))).contains(first);
    }

    @Test
    void aRangeThatTheHostHasItselfIsRefused() throws Exception {
        for (String range : List.of("10.8.0.0/24", "10.8.0.0/16", "10.8.0.0/29")) {
            assertThatThrownBy(() -> fabric.create(request("lan", Map.of(), pool(range))))
                    .isInstanceOf(EngineException.Forbidden.class)
                    .hasMessage("invalid pool request: Pool overlaps with other one on this address space: " + range
                            + " is in use on this host, whose link tun9 has 10.8.0.2/24; choose another range with --subnet");
        }
        var network = fabric.create(request("lan", Map.of(), pool("10.9.0.0/24"), pool("fd00:7::/64")));
        try (var second = stage.open("second", Failpoints.none())) {
            assertThatThrownBy(() -> second.create(request("lan", Map.of(), pool("10.9.0.0/25"))))
                    .isInstanceOf(EngineException.Forbidden.class)
                    .hasMessageContaining("whose link " + network.link() + " has 10.9.0.1/24");
        }
        fabric.rest();
        fabric.settle();
        address("10.9.0.2/24"); // it came while the engine was away: the network is as it was
        fabric.restore(List.of(network), Map.of());
        assertThat(stage.links()).contains(network.link());
    }

    @Test
    void whatUsesALinkOfTheHostHasThatOnesRange() throws Exception {
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("br9").raised(), "bridge"));
        int bridge = stage.netlink().link("br9").orElseThrow().index();
        stage.netlink().perform(NetRequest.addAddress(bridge, IpAddress.parse("10.7.0.9").bytes(), 24));
        var lan = fabric.create(request("lan", Map.of(LinkOptions.BRIDGE_NAME, "br9"), pool("10.7.0.0/24")));
        assertThat(lan.ranges()).hasToString("[10.7.0.0/24]");
        assertThat(fabric.overlaps(lan)).isEmpty();
        var asked = request("shared", Map.of("parent", "tun9"), pool("10.8.0.0/24"));
        var shared = fabric.create(new NetworkRequest("shared", Driver.MACVLAN, asked.four(), asked.six(), asked.pools(),
                asked.reach(), asked.options(), asked.labels()));
        assertThat(fabric.overlaps(shared)).isEmpty();
    }

    @Test
    void aRangeThatOnlyARouteLeadsToIsTakenAndTold() throws Exception {
        route("10.20.0.0/16");
        var network = fabric.create(request("lan", Map.of(), pool("10.20.3.0/24")));
        assertThat(fabric.overlaps(network)).singleElement().asString()
                .startsWith("the host has a route to 10.20.0.0/16, and the network has 10.20.3.0/24: ");
        assertThat(fabric.overlaps(fabric.create(request("far", Map.of(), pool("10.21.3.0/24"))))).isEmpty();
    }
}
