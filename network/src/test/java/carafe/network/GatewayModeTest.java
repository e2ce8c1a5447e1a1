package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.RouteInfo;
import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import carafe.spec.network.IpAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the modes of a network's gateway give the bridge; what they let through is the filter's.
class GatewayModeTest extends FabricScene {

    private static final String FOUR = "com.docker.network.bridge.gateway_mode_ipv4";
    private static final String SIX = "com.docker.network.bridge.gateway_mode_ipv6";
    private static final int PATIENCE_MILLIS = 30_000;

    private Network network(boolean internal, Map<String, String> options) throws Exception {
        return fabric.create(new NetworkRequest("lan", Driver.BRIDGE, Optional.empty(), Optional.of(true),
                new NetworkRequest.Pools("default", Map.of(), List.of(pool("10.77.0.0/24"), pool("fd00:77::/64"))),
                new Network.Reach(internal, false, false), options, Map.of()));
    }

    /// Of the bridge, but what the kernel gives to every link.
    private List<String> addresses(Network network) throws Exception {
        int bridge = stage.netlink().link(network.link()).orElseThrow().index();
        return stage.netlink().addresses().stream()
                .filter(address -> address.link() == bridge)
                .map(address -> new Cidr.Host(IpAddress.of(address.address()), address.prefix()).toString())
                .filter(address -> !address.startsWith("fe80:"))
                .toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            isolated | isolated | ''
            isolated | nat      | fd00:77::1/64
            nat      | isolated | 10.77.0.1/24
            routed   | ''       | 10.77.0.1/24 fd00:77::1/64
            """)
    void theHostHasNoAddressInANetworkThatIsIsolated(String four, String six, String told) throws Exception {
        var network = network(true, Map.of(FOUR, four, SIX, six));
        assertThat(String.join(" ", addresses(network))).isEqualTo(told);
        var one = fabric.open(ONE, List.of(joining(network)));
        var two = fabric.open(TWO, List.of(joining(network)));
        try (var inside = stage.enter(one)) {
            assertThat(inside.netlink().routes()).noneMatch(RouteInfo::isDefault);
        }
        var neighbours = new Neighbours(stage);
        assertThat(neighbours.reach(one, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue();
        assertThat(neighbours.reach(one, two, "fd00:77::3", PATIENCE_MILLIS)).isTrue();

        fabric.abandon();
        fabric = stage.open();
        fabric.restore(List.of(network), Map.of());
        assertThat(String.join(" ", addresses(network))).as("after a crash").isEqualTo(told);
    }

    @ParameterizedTest
    @CsvSource({FOUR, SIX})
    void aNetworkThatLeadsOutIsNotIsolated(String option) {
        assertThatThrownBy(() -> network(false, Map.of(option, "isolated"))).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("gateway mode 'isolated' can only be used for an internal network");
        assertThatThrownBy(() -> network(true, Map.of(option, "open"))).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("unknown gateway mode open");
    }

    /// Docker's words are one for each family.
    @Test
    void eachFamilyHasItsOwnMode() throws Exception {
        var settings = network(false, Map.of(FOUR, "nat-unprotected", SIX, "routed")).settings();
        assertThat(settings.gatewayFour()).isEqualTo(LinkOptions.GatewayMode.NAT_UNPROTECTED);
        assertThat(settings.gatewaySix()).isEqualTo(LinkOptions.GatewayMode.ROUTED);
    }
}
