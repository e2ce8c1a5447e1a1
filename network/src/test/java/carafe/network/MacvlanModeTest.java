package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.SharedLinkTest.shared;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkEnd;
import carafe.kernel.NetRequest;
import carafe.spec.EngineException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The modes of macvlan, as the kernel has them: who reaches whom.
class MacvlanModeTest extends FabricScene {

    private static final int PATIENCE_MILLIS = 30_000;
    private static final int IMPATIENCE_MILLIS = 500;

    private Neighbours neighbours;

    @BeforeEach
    void lan() throws Exception {
        neighbours = new Neighbours(stage);
        stage.netlink().perform(NetRequest.addVeth(LinkEnd.named("lan0").raised(), LinkEnd.named("switch0")),
                NetRequest.raise("switch0"));
    }

    private Network macvlan(String mode) throws Exception {
        return fabric.create(shared("lan", Driver.MACVLAN, Map.of("parent", "lan0", "macvlan_mode", mode), "10.77.0.0/24"));
    }

    /// To itself each does; behind vepa stands no switch that sends back what is for another.
    @ParameterizedTest
    @CsvSource({"'',bridge,true", "bridge,bridge,true", "private,private,false", "vepa,vepa,false"})
    void whoReachesWhomIsTheModes(String mode, String told, boolean reached) throws Exception {
        var network = macvlan(mode);
        var one = fabric.open(ONE, List.of(joining(network)));
        var two = fabric.open(TWO, List.of(joining(network)));
        for (var sandbox : List.of(one, two)) {
            assertThat(neighbours.ip(sandbox, "-d", "link", "show", "eth0").replaceAll("\\s+", " "))
                    .contains("macvlan mode " + told + " ");
        }
        assertThat(neighbours.reach(two, two, "10.77.0.3", PATIENCE_MILLIS)).isTrue();
        assertThat(neighbours.reach(one, two, "10.77.0.3", reached ? PATIENCE_MILLIS : IMPATIENCE_MILLIS)).isEqualTo(reached);
    }

    /// One container has the whole link, with its hardware address; the next may have it when that is gone.
    @Test
    void passthruGivesTheLinkToOneContainer() throws Exception {
        var network = macvlan("passthru");
        byte[] own = stage.netlink().link("lan0").orElseThrow().mac();
        var one = fabric.open(ONE, List.of(joining(network)));
        assertThat(neighbours.ip(one, "-d", "link", "show", "eth0").replaceAll("\\s+", " "))
                .contains("macvlan mode passthru ");
        var endpoint = one.endpoints().getFirst();
        try (var inside = stage.enter(one)) {
            assertThat(inside.netlink().link("eth0").orElseThrow().mac()).isEqualTo(endpoint.mac().bytes());
        }
        assertThat(stage.netlink().link("lan0").orElseThrow().mac()).isEqualTo(endpoint.mac().bytes());
        assertThatThrownBy(() -> fabric.open(TWO, List.of(joining(network))))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessage("cannot connect to network lan: mode passthru gives the link lan0 to one container alone, and"
                        + " another has it; end that, or share the link: -o macvlan_mode=bridge");
        fabric.close(ONE);
        fabric.settle();
        assertThat(stage.netlink().link("lan0").orElseThrow().mac()).as("its own again").isEqualTo(own);
        var two = fabric.open(TWO, List.of(joining(network)));
        assertThat(neighbours.reach(two, two, "10.77.0.2", PATIENCE_MILLIS)).isTrue();
    }
}
