package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.LinkInfo;
import carafe.kernel.NetRequest;
import carafe.spec.Failpoints;
import carafe.spec.network.MacAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Cables that are made before somebody wants them.
class CablesAheadTest {

    private static final String ONE = "1".repeat(64);
    private static final String TWO = "2".repeat(64);

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

    private Network made(NetworkRequest request) throws Exception {
        return fabric.create(request);
    }

    /// Whatever the network asks of a link, a cable that was made ahead gets it too.
    @Test
    void aCableMadeAheadBecomesTheLinkThatIsWanted() throws Exception {
        var plain = made(request("plain", Map.of(), pool("10.76.0.0/24")));
        var special = made(request(
                "special", Map.of(LinkOptions.ICC, "false", LinkOptions.MTU, "1400"), pool("10.77.0.0/24")));
        int bridge = stage.netlink().link(special.link()).orElseThrow().index();
        var mac = MacAddress.parse("02:42:00:00:00:99");
        var wanted = new Joining(special, new Joining.Wanted(
                Optional.empty(), Optional.empty(), List.of(), Optional.of(mac), "lan7"), List.of(), 0, Map.of());
        boolean ahead = false;
        for (int attempt = 0; !ahead; attempt++) { // the first asks for cables, one of the next finds one
            assertThat(attempt).as("cables are made ahead").isLessThan(500);
            var sandbox = fabric.open(ONE, List.of(wanted, joining(plain)));
            ahead = fabric.steps(ONE).stream().map(NetworkStep::call)
                    .anyMatch(call -> call.contains("lan7") && call.endsWith("made ahead"));
            var link = stage.netlink().link(sandbox.endpoints().getFirst().hostLink()).orElseThrow();
            assertThat(link.master()).isEqualTo(bridge);
            assertThat(link.up()).isTrue();
            assertThat(link.isolated()).isTrue();
            assertThat(link.mtu()).isEqualTo(1400);
            try (var inside = stage.enter(sandbox)) {
                assertThat(inside.netlink().links()).extracting(LinkInfo::name).containsExactlyInAnyOrder("lo", "lan7", "eth0");
                var lan = inside.netlink().link("lan7").orElseThrow();
                assertThat(lan.mac()).isEqualTo(mac.bytes());
                assertThat(lan.mtu()).isEqualTo(1400);
                assertThat(lan.up()).isTrue();
            }
            fabric.close(ONE);
            fabric.settle();
            assertThat(stage.links()).containsExactlyInAnyOrder("lo", plain.link(), special.link());
        }
    }

    /// They look like rubbish: down, and in no bridge.
    @Test
    void aCableThatSomebodyDeletedIsMadeAnew() throws Exception {
        var network = made(request("app", Map.of(), pool("10.77.0.0/24")));
        fabric.open(ONE, List.of(joining(network)));
        int bridge = stage.netlink().link(network.link()).orElseThrow().index();
        boolean met = false;
        for (int attempt = 0; !met; attempt++) {
            assertThat(attempt).as("a start finds a deleted cable").isLessThan(200);
            for (var link : stage.netlink().links()) {
                if (FabricStage.liesReady(link)) {
                    stage.netlink().attempt(List.of(NetRequest.deleteLink(link.name()))); // it may be in use by now
                }
            }
            var deleted = stage.netlink().links().stream().map(LinkInfo::name).toList();
            var endpoint = fabric.open(TWO, List.of(joining(network))).endpoints().getFirst();
            met = fabric.steps(TWO).stream().anyMatch(step -> step.call().endsWith("made ahead"))
                    && !deleted.contains(endpoint.hostLink());
            var link = stage.netlink().link(endpoint.hostLink()).orElseThrow();
            assertThat(link.up()).isTrue();
            assertThat(link.master()).isEqualTo(bridge);
            fabric.close(TWO);
        }
    }

    @Test
    void whoHasNoBridgeGetsNoCable() throws Exception {
        var network = made(request("app", Map.of(), pool("10.77.0.0/24")));
        for (int number = 0; number < 2 * LinuxFabric.POOL; number++) {
            fabric.open(ONE, List.of(joining(network)));
            var alone = fabric.open(TWO, List.of());
            try (var inside = stage.enter(alone)) {
                assertThat(inside.netlink().links()).extracting(LinkInfo::name).containsExactly("lo");
            }
        }
    }

    @Test
    void anEngineThatClosesTakesItsCablesWithIt() throws Exception {
        try (var other = stage.open("other", Failpoints.none())) {
            other.open(ONE, List.of(joining(other.create(request("theirs", Map.of(), pool("10.79.0.0/24"))))));
            other.close(ONE);
        }
        assertThat(stage.netlink().links()).extracting(LinkInfo::name).noneMatch(name -> name.startsWith("veth"));
    }
}
