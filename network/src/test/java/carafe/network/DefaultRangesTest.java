package carafe.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.network.FabricConfig.DefaultBridge;
import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Which ranges of IPv6 the default bridge has.
class DefaultRangesTest {

    private static Subnet six(String own, String part) throws EngineException {
        var usual = DefaultBridge.USUAL;
        var wanted = new DefaultBridge(true, usual.link(), usual.four(), usual.fixedFour(), true,
                own.isEmpty() ? Optional.empty() : Optional.of(Cidr.parseHost(own)),
                part.isEmpty() ? Optional.empty() : Optional.of(Cidr.parse(part)), usual.mtu(), usual.peers(),
                usual.masquerade(), usual.bindAddress(), usual.gateways());
        var planner = new NetworkPlanner(new Ranges(FabricConfig.usualPools(), "six"), Clock.systemUTC());
        return planner.defaultBridge(wanted, new NetworkPlanner.Ground("carafe0", List.of()), Optional.empty(), "id",
                new NetworkPlanner.Surroundings(List.of(), HostRanges.NONE, List.of())).subnet(true).orElseThrow();
    }

    @Test
    void theBridgesOwnAddressAndTheContainersPartAreChosenAsForTheOtherFamily() throws Exception {
        var both = six("fd00:9::7/56", "fd00:9::100/120");
        assertThat(both.range()).hasToString("fd00:9::/56");
        assertThat(both.gateway()).get().hasToString("fd00:9::7");
        assertThat(both.allocation()).get().hasToString("fd00:9::100/120");
        var own = six("fd00:9::7/56", "");
        assertThat(own.gateway()).get().hasToString("fd00:9::7");
        assertThat(own.allocation()).isEmpty();
    }

    @Test
    void aPartAloneIsTheRange() throws Exception {
        var part = six("", "fd00:9::/64");
        assertThat(part.range()).hasToString("fd00:9::/64");
        assertThat(part.gateway()).get().hasToString("fd00:9::1");
        assertThat(part.allocation()).isEmpty();
    }

    @Test
    void aPartElsewhereIsRefused() {
        assertThatThrownBy(() -> six("fd00:9::7/64", "fd00:8::/64")).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("fixed-cidr-v6 fd00:8::/64 is not in the bridge's range fd00:9::/64");
    }
}
