package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkEnd;
import carafe.kernel.NetRequest;
import carafe.spec.EngineException;
import carafe.spec.network.Cidr;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Many at once: networks of a host, ports of a bridge.
class CrowdTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);
    private static final int PORTS = 1023;
    private static final int NETWORKS = 300;

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

    /// Who comes to a bridge without a free port is told so, be it as he starts or later, and leaves nothing.
    @Test
    void aBridgeThatIsFullSaysSo() throws Exception {
        var other = fabric.create(request("other", Map.of(), pool("10.78.0.0/24")));
        var network = fabric.create(request("full", Map.of(), pool("10.77.0.0/16")));
        fabric.open(ONE, List.of(joining(other)));
        int bridge = stage.netlink().link(network.link()).orElseThrow().index();
        var ports = new ArrayList<NetRequest>();
        for (int port = 0; port < PORTS; port++) {
            ports.add(NetRequest.addVeth(LinkEnd.named("p" + port).portOf(bridge), LinkEnd.named("q" + port)));
        }
        for (int from = 0; from < PORTS; from += 93) {
            stage.netlink().perform(ports.subList(from, from + 93));
        }
        var before = stage.netlink().links().stream().filter(link -> link.master() != 0).count();
        for (var attempt : List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
                () -> fabric.open(TWO, List.of(joining(network))), () -> fabric.connect(ONE, joining(network)))) {
            assertThatThrownBy(attempt).isInstanceOf(EngineException.class).hasMessageContaining(network.link())
                    .hasMessageContaining("a bridge of Linux has 1023 ports; put further containers into another network");
            fabric.settle();
            assertThat(stage.netlink().links().stream().filter(link -> link.master() != 0).count()).isEqualTo(before);
            assertThat(fabric.usage(network).getFirst().inUse()).isEqualTo(1);
        }
        stage.netlink().perform(NetRequest.deleteLink("p7"));
        fabric.connect(ONE, joining(network));
        fabric.close(ONE); // whose link is a port until it is quiet
        assertThat(fabric.open(TWO, List.of(joining(network))).endpoints()).hasSize(1);
        fabric.close(TWO);
        fabric.open(ONE, List.of(joining(other)));
        assertThat(fabric.connect(ONE, joining(network)).networkId()).isEqualTo(network.id()); // with a link made now
    }

    @Test
    void hundredsOfNetworksAreMadeAndTheRangeOfOneThatGoesIsTheNextOnes() throws Exception {
        var networks = new ArrayList<Network>();
        var ranges = new HashSet<Cidr>();
        for (int number = 0; number < NETWORKS; number++) {
            var network = fabric.create(request("n" + number));
            networks.add(network);
            assertThat(ranges).noneMatch(network.ranges().getFirst()::overlaps);
            ranges.addAll(network.ranges());
        }
        assertThat(stage.links()).hasSize(NETWORKS + 1).containsAll(networks.stream().map(Network::link).toList());
        assertThat(stage.firewall.rules).hasSize(NETWORKS);
        fabric.remove(networks.get(150));
        assertThat(fabric.create(request("again")).ranges()).isEqualTo(networks.get(150).ranges());
        var last = networks.getLast();
        var sandbox = fabric.open(ONE, List.of(joining(last)));
        assertThat(sandbox.endpoints().getFirst().four().orElseThrow().range()).isEqualTo(last.ranges().getFirst());
        fabric.close(ONE);
    }
}
