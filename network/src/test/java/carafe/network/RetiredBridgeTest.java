package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.LinkInfo;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A bridge whose network was removed goes in the background, and is in nobody's way until it is gone.
class RetiredBridgeTest {

    private static final int MANY = 20;
    private static final String ONE = "1".repeat(64);

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

    private List<LinkInfo> retired() throws Exception {
        return stage.netlink().links().stream().filter(link -> link.name().startsWith("gone-")).toList();
    }

    @Test
    void itsNameAndItsRangeAreFreeAtOnce() throws Exception {
        try (var fabric = stage.openHoarding()) {
            for (int time = 0; time < MANY; time++) {
                var network = fabric.create(request("app", Map.of(LinkOptions.BRIDGE_NAME, "lan7"), pool("10.77.0.0/24")));
                var sandbox = fabric.open(ONE, List.of(joining(network)));
                assertThat(sandbox.endpoints().getFirst().four()).get().hasToString("10.77.0.2/24");
                fabric.close(ONE);
                fabric.remove(network);
                assertThat(stage.netlink().link("lan7")).isEmpty();
                assertThat(stage.netlink().routes()).allMatch(route -> route.link() == 1);
                assertThat(retired()).noneMatch(LinkInfo::up);
            }
            assertThat(retired()).hasSize(MANY);
            var last = fabric.create(request("app", Map.of(LinkOptions.BRIDGE_NAME, "lan7"), pool("10.77.0.0/24")));
            fabric.settle();
            assertThat(stage.links()).containsExactlyInAnyOrder("lo", last.link());
            int index = stage.netlink().link("lan7").orElseThrow().index();
            assertThat(stage.netlink().routes()).as("what the others had of the same range went alone")
                    .anyMatch(route -> route.link() == index && route.prefix() == 24);
        }
    }

    @Test
    void theNextEngineRemovesWhatADeadOneLeft() throws Exception {
        var fabric = stage.openHoarding();
        var networks = new ArrayList<Network>();
        for (int number = 0; number < MANY; number++) {
            networks.add(fabric.create(request("n" + number, Map.of(), pool("10.77." + number + ".0/24"))));
        }
        for (var network : networks) {
            fabric.remove(network);
        }
        fabric.abandon();
        assertThat(retired()).hasSize(MANY);
        try (var next = stage.open()) {
            next.restore(List.of(), Map.of());
            next.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }

    @Test
    void whoTakesTheNameOfOneThatADeadEngineLeftKeepsHisBridge() throws Exception {
        var request = request("app", Map.of(LinkOptions.BRIDGE_NAME, "lan7"), pool("10.77.0.0/24"));
        var dying = stage.open();
        dying.create(request);
        dying.abandon();
        try (var fabric = stage.openHoarding()) {
            fabric.restore(List.of(), Map.of());
            fabric.create(request);
            int index = stage.netlink().link("lan7").orElseThrow().index();
            fabric.settle();
            assertThat(stage.netlink().link("lan7").map(LinkInfo::index)).contains(index);
            assertThat(stage.links()).containsExactlyInAnyOrder("lo", "lan7");
        }
    }

    @Test
    void itsRangeIsFreeForAnotherEngine() throws Exception {
        try (var fabric = stage.openHoarding();
                var other = stage.open("7c5f1b7e-0000-4000-8000-000000000002", Failpoints.none())) {
            fabric.remove(fabric.create(request("app", Map.of(), pool("10.77.0.0/24"))));
            int left = retired().getFirst().index();
            assertThat(stage.netlink().addresses()).noneMatch(address -> address.link() == left);
            var network = other.create(request("app", Map.of(), pool("10.77.0.0/24")));
            assertThat(network.ranges()).hasToString("[10.77.0.0/24]");
        }
    }

    /// As two clients that remove the same network at the same time.
    @Test
    void whoTakesItsNameKeepsHisBridgeWhenItIsRemovedOnceMore() throws Exception {
        var request = request("app", Map.of(LinkOptions.BRIDGE_NAME, "lan7"), pool("10.77.0.0/24"));
        try (var fabric = stage.open()) {
            var gone = fabric.create(request);
            fabric.remove(gone);
            var next = fabric.create(request);
            int index = stage.netlink().link("lan7").orElseThrow().index();
            fabric.remove(gone);
            fabric.settle();
            assertThat(stage.netlink().link("lan7").map(LinkInfo::index)).contains(index);
            assertThat(fabric.open(ONE, List.of(joining(next))).endpoints()).hasSize(1);
            assertThat(stage.firewall.rules).containsOnlyKeys(next.id());
            fabric.close(ONE);
        }
    }
}
