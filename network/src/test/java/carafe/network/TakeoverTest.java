package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Containers run while the engine that put them into their networks is gone, and the next one finds something amiss.
class TakeoverTest extends StageScene {

    private static final String THREE = "3".repeat(64);

    /// How many descriptors of this process hold the network namespace of another.
    private static long holders(Dweller process) throws IOException {
        var namespace = Files.readSymbolicLink(Path.of("/proc/" + process.pid() + "/ns/net"));
        try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(descriptor -> {
                try {
                    return Files.readSymbolicLink(descriptor).equals(namespace);
                } catch (IOException closed) {
                    return false;
                }
            }).count();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"adopt.namespace", "adopt.links"})
    void whoCannotBeTakenHoldOfKeepsWhatItHasUntilItEnds(String point) throws Exception {
        var fabric = stage.open();
        var network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
        var sandbox = fabric.open(ONE, List.of(joining(network)));
        String link = sandbox.endpoints().getFirst().hostLink();
        try (var process = Dweller.in(stage, sandbox)) {
            fabric.abandon();
            try (var next = stage.open(FabricStage.NAME, Failpoints.parse(point + "=1*EMFILE->off"))) {
                var listener = new FabricStage.RecordingListener();
                next.listen(listener);
                next.restore(List.of(network), Map.of(ONE, process.pid()));
                next.settle();
                assertThat(holders(process)).isZero();
                assertThat(listener.heard).containsExactly("+app running");
                assertThat(stage.links()).contains(link);
                assertThat(next.open(TWO, List.of(joining(network))).endpoints().getFirst().four()).get()
                        .hasToString("10.77.0.3/24");
                next.close(TWO);
                assertThatThrownBy(() -> next.disconnect(ONE, network.id())).isInstanceOf(EngineException.Unavailable.class)
                        .hasMessageContaining("could not be taken over");
                assertThatThrownBy(() -> next.refuseUnheld(ONE)).isInstanceOf(EngineException.Unavailable.class);
                assertThatThrownBy(() -> next.remove(network)).isInstanceOf(EngineException.Forbidden.class)
                        .hasMessageContaining("id:\"111111111111\"");
                next.rest();
                assertThat(stage.links()).contains(network.link());
                next.close(ONE);
                next.settle();
                assertThat(listener.heard).endsWith("-eth0");
                next.refuseUnheld(ONE);
                assertThat(stage.links()).doesNotContain(link);
                assertThat(next.usage(network).getFirst().inUse()).isEqualTo(1);
                assertThat(run.resolve(FabricStage.NAME)).isEmptyDirectory();
                next.remove(network);
            }
        }
    }

    /// What is wrong with one is found out while its namespace is held.
    @Test
    void oneThatIsTakenHoldOfIsHeldOnceAndNotAfterItsEnd() throws Exception {
        var fabric = stage.open();
        var network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
        try (var process = Dweller.in(stage, fabric.open(ONE, List.of(joining(network))))) {
            fabric.abandon();
            try (var next = stage.open()) {
                next.restore(List.of(network), Map.of(ONE, process.pid()));
                assertThat(holders(process)).isEqualTo(1);
                next.close(ONE);
                next.settle();
                assertThat(holders(process)).isZero();
                next.remove(network);
            }
        }
    }

    /// Its note still told of the network when the engine died, and another had come there since.
    @Test
    void whoLeftANetworkDoesNotTakeTheAddressOfWhoCameAfterIt() throws Exception {
        var fabric = stage.open(FabricStage.NAME, Failpoints.parse("disconnect.note=1*EIO->off"));
        var app = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
        var lan = fabric.create(SharedLinkTest.shared("lan", Driver.MACVLAN, Map.of(), "10.78.0.0/24"));
        var one = fabric.open(ONE, List.of(joining(app), joining(lan)));
        fabric.disconnect(ONE, lan.id());
        var two = fabric.open(TWO, List.of(joining(lan)));
        assertThat(two.endpoints().getFirst().four()).get().hasToString("10.78.0.2/24");
        try (var first = Dweller.in(stage, one); var second = Dweller.in(stage, two)) {
            fabric.abandon();
            try (var next = stage.open()) {
                next.restore(List.of(app, lan), Map.of(ONE, first.pid(), TWO, second.pid()));
                assertThat(next.sandbox(ONE).orElseThrow().endpoints()).extracting(Endpoint::networkId).containsExactly(app.id());
                assertThat(next.sandbox(TWO).orElseThrow().endpoints()).isEqualTo(two.endpoints());
                try (var inside = stage.enter(next.sandbox(ONE).orElseThrow())) {
                    assertThat(inside.netlink().link("eth1")).isEmpty();
                }
                next.close(ONE);
                assertThat(next.open(THREE, List.of(joining(lan))).endpoints().getFirst().four()).get()
                        .hasToString("10.78.0.3/24");
                next.close(TWO);
                next.close(THREE);
                next.settle();
                next.remove(app);
                next.remove(lan);
            }
        }
    }
}
