package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.NamespaceThread;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A network goes while a container comes: one of the two is refused, whoever is first.
class ArrivalsTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);

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

    /// Removes, while somebody comes, the network he comes into.
    private record Remover(LinuxFabric fabric, List<String> answers) implements EndpointListener {

        @Override
        public void attached(Attached attached) {
            assertThatThrownBy(() -> fabric.remove(attached.network()))
                    .isInstanceOf(EngineException.Forbidden.class)
                    .hasMessageContaining("network " + attached.network().name() + " has active endpoints (id:\""
                            + attached.sandbox().containerId().substring(0, 12) + "\")");
            answers.add(attached.network().name());
        }

        @Override
        public void detached(String containerId, Endpoint endpoint) {}
    }

    @Test
    void aNetworkStaysWhileAContainerComesOrIsThere() throws Exception {
        try (var fabric = stage.open()) {
            var first = fabric.create(request("first", Map.of(), pool("10.77.0.0/24")));
            var second = fabric.create(request("second", Map.of(), pool("10.78.0.0/24")));
            var remover = new Remover(fabric, new ArrayList<>());
            fabric.listen(remover);

            fabric.open(ONE, List.of(joining(first)));
            fabric.connect(ONE, joining(second));
            assertThat(remover.answers).containsExactly("first", "second");
            assertThat(stage.links()).contains(first.link(), second.link());
            assertThat(stage.firewall.rules).containsOnlyKeys(first.id(), second.id());
            assertThatThrownBy(() -> fabric.remove(first)).isInstanceOf(EngineException.Forbidden.class);

            fabric.disconnect(ONE, second.id());
            fabric.remove(second);
            fabric.close(ONE);
            fabric.remove(first);
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }

    @Test
    void whoFailedToComeKeepsNoNetworkFromGoing() throws Exception {
        try (var fabric = stage.open(FabricStage.NAME, Failpoints.parse("sandbox.configure=1*off->EIO; connect.routes=EIO"))) {
            var first = fabric.create(request("first", Map.of(), pool("10.77.0.0/24")));
            fabric.open(ONE, List.of());
            assertThatThrownBy(() -> fabric.open(TWO, List.of(joining(first)))).hasMessageContaining("sandbox.configure");
            assertThatThrownBy(() -> fabric.connect(ONE, joining(first))).hasMessageContaining("connect.routes");
            fabric.remove(first);
            fabric.close(ONE);
        }
    }

    @Test
    void nobodyComesIntoANetworkThatGoesOrIsGone() throws Exception {
        var refused = new ArrayList<String>();
        var fabrics = new ArrayList<LinuxFabric>();
        var comers = new ArrayList<Network>();
        var firewall = new Firewall() {
            @Override
            public void admit(BridgeRules rules) {}

            @Override
            public void dismiss(String networkId) {
                for (var network : comers) {
                    assertThatThrownBy(() -> fabrics.getFirst().open(ONE, List.of(joining(network))))
                            .isInstanceOf(EngineException.NotFound.class).hasMessageContaining("network lan not found");
                    assertThatThrownBy(() -> fabrics.getFirst().connect(TWO, joining(network)))
                            .isInstanceOf(EngineException.NotFound.class).hasMessageContaining("network lan not found");
                    refused.add(network.name());
                }
            }

            @Override
            public void retain(List<String> networkIds) {}
        };
        try (var fabric = LinuxFabric.open(stage.config(FabricStage.NAME),
                new Fabric.Parts(firewall, Failpoints.none(), Clock.systemUTC()),
                NamespaceThread.startAt(stage.home()), RetiredBridges.QUIET)) {
            fabrics.add(fabric);
            fabric.open(TWO, List.of());
            comers.add(fabric.create(request("lan", Map.of(), pool("10.77.0.0/24"))));
            fabric.remove(comers.getFirst());
            assertThat(refused).containsExactly("lan");
            firewall.dismiss(comers.getFirst().id()); // the same when all is over
            assertThat(refused).hasSize(2);
            fabric.close(TWO);
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }
}
