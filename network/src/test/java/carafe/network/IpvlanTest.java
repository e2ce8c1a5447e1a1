package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.SharedLinkTest.shared;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.NetRequest;
import carafe.kernel.RouteInfo;
import carafe.spec.EngineException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Networks of ipvlan and of 802.1q links, which a kernel need not have: these run in the virtual machine.
@Tag("modules")
class IpvlanTest extends FabricScene {

    private static final int PATIENCE_MILLIS = 30_000;
    private static final int IMPATIENCE_MILLIS = 1_000;

    private Neighbours neighbours;

    @BeforeEach
    void lan() throws Exception {
        neighbours = new Neighbours(stage);
        stage.netlink().perform(NetRequest.addLink(LinkEnd.named("lan0").raised(), "dummy"));
    }

    private Network ipvlan(String name, Map<String, String> options, String... subnets) throws Exception {
        return fabric.create(shared(name, Driver.IPVLAN, options, subnets));
    }

    @ParameterizedTest
    @CsvSource({
        "'','',l2 bridge", "l2,vepa,l2 vepa", "l3,bridge,l3 bridge", "l3,private,l3 private", "l3s,'',l3s bridge",
        "l3s,vepa,l3s vepa"
    })
    void modeAndFlagAreTheKernels(String mode, String flag, String told) throws Exception {
        var network = ipvlan("lan", Map.of("parent", "lan0", "ipvlan_mode", mode, "ipvlan_flag", flag), "10.77.0.0/24");
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        assertThat(neighbours.ip(sandbox, "-d", "link", "show", "eth0").replaceAll("\\s+", " "))
                .contains("ipvlan mode " + told);
    }

    @Test
    void atLayerTwoContainersAreNeighboursBehindOneHardwareAddress() throws Exception {
        var network = ipvlan("lan", Map.of("parent", "lan0"), "10.77.0.0/24", "fd00:77::/64");
        var one = fabric.open(ONE, List.of(joining(network)));
        var two = fabric.open(TWO, List.of(joining(network)));
        byte[] mac = stage.netlink().link("lan0").orElseThrow().mac();
        for (var sandbox : List.of(one, two)) {
            assertThat(sandbox.endpoints().getFirst().mac().bytes()).isEqualTo(mac);
            try (var inside = stage.enter(sandbox)) {
                assertThat(inside.netlink().link("eth0").orElseThrow()).satisfies(eth -> {
                    assertThat(eth.kind()).isEqualTo("ipvlan");
                    assertThat(eth.mac()).isEqualTo(mac);
                    assertThat(eth.up()).isTrue();
                });
                assertThat(inside.netlink().routes()).filteredOn(route -> route.isDefault() && !route.six()).singleElement()
                        .satisfies(route -> assertThat(route.gateway()).containsExactly(10, 77, 0, 1));
            }
        }
        assertThat(neighbours.reach(one, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue();
        assertThat(neighbours.reach(two, one, "fd00:77::2", PATIENCE_MILLIS)).isTrue();
        assertThat(stage.links()).containsExactlyInAnyOrder("lo", "lan0");
    }

    @Test
    void privateLinksDoNotReachEachOther() throws Exception {
        var network = ipvlan("lan", Map.of("parent", "lan0", "ipvlan_flag", "private"), "10.77.0.0/24");
        var one = fabric.open(ONE, List.of(joining(network)));
        var two = fabric.open(TWO, List.of(joining(network)));
        assertThat(neighbours.reach(one, two, "10.77.0.3", IMPATIENCE_MILLIS)).isFalse();
        assertThat(neighbours.reach(two, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue(); // it does listen
    }

    @ParameterizedTest
    @CsvSource({"l3", "l3s"})
    void atLayerThreeEverythingLeavesByTheLinkAndNetworksOfAParentReachEachOther(String mode) throws Exception {
        var options = Map.of("parent", "lan0", "ipvlan_mode", mode);
        var first = ipvlan("first", options, "10.77.0.0/24", "fd00:77::/64");
        var second = ipvlan("second", options, "10.78.0.0/24");
        var one = fabric.open(ONE, List.of(joining(first)));
        var two = fabric.open(TWO, List.of(joining(second)));
        try (var inside = stage.enter(one)) {
            int eth0 = inside.netlink().link("eth0").orElseThrow().index();
            assertThat(inside.netlink().routes()).filteredOn(route -> route.isDefault() && route.isMain())
                    .hasSize(2)
                    .allSatisfy(route -> {
                        assertThat(route.gateway()).isEmpty();
                        assertThat(route.link()).isEqualTo(eth0);
                    });
        }
        assertThat(neighbours.reach(one, two, "10.78.0.2", PATIENCE_MILLIS)).isTrue();

        fabric.connect(ONE, new Joining(second, Joining.Wanted.ANYTHING, List.of(), 5, Map.of()));
        assertThat(neighbours.ip(one, "route", "show", "default").strip()).startsWith("default dev eth1");
        fabric.disconnect(ONE, second.id());
        assertThat(neighbours.ip(one, "route", "show", "default").strip()).startsWith("default dev eth0");
        try (var inside = stage.enter(one)) {
            assertThat(inside.netlink().links()).extracting(LinkInfo::name).containsExactlyInAnyOrder("lo", "eth0");
        }
        assertThat(neighbours.reach(one, two, "10.78.0.2", PATIENCE_MILLIS)).isTrue();
    }

    @Test
    void aVlanOfALinkIsMadeAndGoesWithTheLastNetworkThatSharesIt() throws Exception {
        var first = ipvlan("first", Map.of("parent", "lan0.10"), "10.77.0.0/24");
        var second = ipvlan("second", Map.of("parent", "lan0.10"), "10.78.0.0/24");
        assertThat(neighbours.hostIp("-d", "link", "show", "lan0.10")).contains("vlan protocol 802.1Q id 10").contains("UP");
        var one = fabric.open(ONE, List.of(joining(first)));
        var two = fabric.open(TWO, List.of(joining(first)));
        assertThat(neighbours.reach(one, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue();
        fabric.close(ONE);
        fabric.close(TWO);
        fabric.settle();
        fabric.remove(first);
        assertThat(stage.links()).contains("lan0.10");
        fabric.remove(second);
        assertThat(stage.links()).containsExactlyInAnyOrder("lo", "lan0");

        neighbours.hostIp("link", "add", "link", "lan0", "name", "lan0.20", "type", "vlan", "id", "20");
        fabric.remove(ipvlan("theirs", Map.of("parent", "lan0.20"), "10.77.0.0/24"));
        assertThat(stage.links()).contains("lan0.20"); // somebody else's stays
    }

    @Test
    void withoutAParentTheyReachEachOtherAndNothingElse() throws Exception {
        var network = ipvlan("alone", Map.of(), "10.77.0.0/24");
        assertThat(network.link()).isEqualTo("di-" + network.id().substring(0, 12));
        assertThat(stage.netlink().link(network.link()).orElseThrow().kind()).isEqualTo("dummy");
        var one = fabric.open(ONE, List.of(joining(network)));
        var two = fabric.open(TWO, List.of(joining(network)));
        assertThat(neighbours.reach(one, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue();
        try (var inside = stage.enter(one)) {
            assertThat(inside.netlink().routes()).noneMatch(RouteInfo::isDefault);
        }
    }

    @Test
    void aLinkThatMacvlanHasIsNotSharedByIpvlan() throws Exception {
        var mac = fabric.create(shared("mac", Driver.MACVLAN, Map.of("parent", "lan0"), "10.77.0.0/24"));
        fabric.open(ONE, List.of(joining(mac)));
        var ip = ipvlan("ip", Map.of("parent", "lan0"), "10.78.0.0/24");
        assertThatThrownBy(() -> fabric.open(TWO, List.of(joining(ip))))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("cannot connect to network ip: the link lan0 is in use otherwise, as a port of a bridge or by"
                        + " macvlan; share another, or one of its vlans: -o parent=lan0.10");
    }
}
