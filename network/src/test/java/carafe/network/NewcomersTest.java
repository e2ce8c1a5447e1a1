package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkInfo;
import carafe.kernel.NetRequest;
import carafe.spec.Failpoints;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Containers on their way into a network while something happens to it.
class NewcomersTest extends StageScene {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static void eventually(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("it did not happen").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    private int number(String link) throws Exception {
        return stage.netlink().link(link).map(LinkInfo::index).orElse(0);
    }

    /// Somebody deletes the bridge, or the link that is shared, when the newcomer's own link hangs on it already and the
    /// newcomer is not in the network yet.
    @ParameterizedTest
    @CsvSource({"BRIDGE,sandbox.listeners", "BRIDGE,connect.routes", "MACVLAN,sandbox.listeners", "MACVLAN,connect.routes"})
    void whoIsOnTheWayIntoWhatIsMadeAgainGetsIntoIt(Driver driver, String point) throws Exception {
        boolean running = point.startsWith("connect");
        var points = Failpoints.parse(point + "=1*sleep(2000)->off");
        try (var fabric = stage.open(FabricStage.NAME, points)) {
            var first = fabric.create(request("first", Map.of(), pool("10.77.0.0/24")));
            var network = fabric.create(SharedLinkTest.shared("app", driver, Map.of(), "10.78.0.0/24"));
            if (running) {
                fabric.open(ONE, List.of(joining(first)));
            }
            var coming = new FutureTask<>(() -> running
                    ? fabric.connect(ONE, joining(network))
                    : fabric.open(ONE, List.of(joining(network))).endpoints().getFirst());
            Thread.ofVirtual().start(coming);
            eventually(() -> points.passes(point) == 1);
            int old = number(network.link());
            stage.netlink().perform(NetRequest.deleteLink(network.link()));
            eventually(() -> number(network.link()) != 0 && number(network.link()) != old);
            fabric.check(false); // waits for what is under way
            var endpoint = coming.get();
            if (driver == Driver.BRIDGE) {
                assertThat(stage.netlink().link(endpoint.hostLink()).orElseThrow().master()).isEqualTo(number(network.link()));
            } else {
                try (var inside = stage.enter(fabric.sandbox(ONE).orElseThrow())) {
                    var link = inside.netlink().link(endpoint.interfaceName()).orElseThrow();
                    assertThat(inside.netlink().addresses()).anyMatch(address -> address.link() == link.index());
                }
            }
            fabric.close(ONE);
            fabric.remove(first);
            fabric.remove(network);
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }

    @Test
    void aNetworkIsNotRemovedUnderOneThatIsNotCompleteYet() throws Exception {
        try (var fabric = stage.open()) {
            var network = fabric.create(request("app", Map.of(), pool("10.77.0.0/24")));
            var opening = fabric.begin(ONE, List.of(joining(network)), Optional.empty());
            assertThatThrownBy(() -> fabric.remove(network))
                    .hasMessageContaining("has active endpoints (id:\"111111111111\")");
            fabric.rest();
            assertThat(stage.links()).contains(network.link());
            opening.complete();
            fabric.close(ONE);
            fabric.remove(network);
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }
}
