package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkEnd;
import carafe.kernel.LinkInfo;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a container's interfaces are called: by number, by the network's prefix, or as each is asked for.
class InterfaceNamesTest {

    private static final String ONE = "1".repeat(64);

    @TempDir
    Path run;

    private FabricStage stage;
    private LinuxFabric fabric;
    private Network first;
    private Network second;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        fabric = stage.open();
        first = fabric.create(request("first", Map.of(), pool("10.77.0.0/24")));
        second = fabric.create(request("second", Map.of(LinkOptions.PREFIX, "lan"), pool("10.78.0.0/24")));
    }

    @AfterEach
    void close() {
        fabric.close();
        stage.close();
    }

    private static Joining named(Network network, String name) {
        return new Joining(network, new Joining.Wanted(
                Optional.empty(), Optional.empty(), List.of(), Optional.empty(), name), List.of(), 0, Map.of());
    }

    private static List<String> names(NetNamespace inside) throws Exception {
        return inside.netlink().links().stream().map(LinkInfo::name).toList();
    }

    @Test
    void eachIsCalledAsItIsAskedForOrByThePrefixOfItsNetwork() throws Exception {
        var sandbox = fabric.open(ONE, List.of(named(first, "wan"), joining(second)));
        assertThat(sandbox.endpoints()).extracting(Endpoint::interfaceName).containsExactly("wan", "lan0");
        try (var inside = stage.enter(sandbox)) {
            assertThat(names(inside)).containsExactlyInAnyOrder("lo", "wan", "lan0");
            fabric.disconnect(ONE, second.id());
            assertThat(fabric.connect(ONE, named(second, "dmz")).interfaceName()).isEqualTo("dmz");
            assertThat(names(inside)).containsExactlyInAnyOrder("lo", "wan", "dmz");
            fabric.disconnect(ONE, second.id());
            assertThat(names(inside)).containsExactlyInAnyOrder("lo", "wan");
        }
        fabric.close(ONE);
    }

    @Test
    void aNameThatIsTakenIsRefusedAndItsInterfaceStays() throws Exception {
        var sandbox = fabric.open(ONE, List.of(joining(first)));
        try (var inside = stage.enter(sandbox)) {
            inside.netlink().perform(NetRequest.addVeth(LinkEnd.named("own0"), LinkEnd.named("lan0")));
            for (String name : List.of("eth0", "own0", "lo")) {
                assertThatThrownBy(() -> fabric.connect(ONE, named(second, name))).as(name)
                        .isInstanceOf(EngineException.Conflict.class)
                        .hasMessageStartingWith("cannot connect to network second: the container has an interface " + name
                                + " already; choose another name");
                fabric.settle();
                assertThat(names(inside)).as(name).containsExactlyInAnyOrder("lo", "eth0", "own0", "lan0");
                assertThat(fabric.usage(second).getFirst().inUse()).as(name).isEqualTo(1);
            }
            assertThat(fabric.connect(ONE, joining(second)).interfaceName()).as("beside its own lan0").isEqualTo("lan1");
            assertThat(names(inside)).contains("lan0", "lan1");
        }
        fabric.close(ONE);
        for (String name : List.of("eth0", "lo")) {
            assertThatThrownBy(() -> fabric.open(ONE, List.of(joining(first), named(second, name)))).as(name)
                    .isInstanceOf(EngineException.Conflict.class).hasMessageContaining("an interface " + name + " already");
        }
    }
}
