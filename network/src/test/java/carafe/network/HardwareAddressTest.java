package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.network.IpAddress;
import carafe.spec.network.MacAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Neighbours remember who has an address for longer than he may have it.
class HardwareAddressTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);

    @TempDir
    Path run;

    @Test
    void whoTakesOverAnAddressOfANetworkOfIpv6AloneHasItsHardwareAddressToo() throws Exception {
        try (var stage = new FabricStage(run); var fabric = stage.open()) {
            var network = fabric.create(new NetworkRequest("six", Driver.BRIDGE, Optional.of(false), Optional.of(true),
                    new NetworkRequest.Pools("default", Map.of(), List.of(pool("fd00:77::/64"))), Network.Reach.USUAL,
                    Map.of(), Map.of()));
            var gone = fabric.open(ONE, List.of(joining(network))).endpoints().getFirst();
            assertThat(gone.four()).isEmpty();
            fabric.close(ONE);
            var mac = Optional.of(MacAddress.parse("02:42:00:00:00:99"));
            for (var wanted : List.of(Optional.<MacAddress>empty(), mac)) {
                var now = fabric.open(TWO, List.of(new Joining(network, new Joining.Wanted(Optional.empty(),
                        gone.six().map(host -> host.address()), List.of(), wanted, ""), List.of(), 0, Map.of())));
                assertThat(now.endpoints().getFirst().mac()).isEqualTo(wanted.orElse(gone.mac()));
                try (var inside = stage.enter(now)) {
                    assertThat(inside.netlink().link("eth0").orElseThrow().mac()).isEqualTo(wanted.orElse(gone.mac()).bytes());
                }
                fabric.close(TWO);
            }
            var other = fabric.open(ONE, List.of(new Joining(network, new Joining.Wanted(Optional.empty(),
                    IpAddress.find("fd00:77::99"), List.of(), Optional.empty(), ""), List.of(), 0, Map.of())));
            assertThat(other.endpoints().getFirst().mac()).isNotEqualTo(gone.mac());
        }
    }
}
