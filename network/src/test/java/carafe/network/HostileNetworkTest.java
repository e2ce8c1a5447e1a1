package carafe.network;

import static carafe.network.FabricStage.joining;
import static carafe.network.FabricStage.pool;
import static carafe.network.FabricStage.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.LinkInfo;
import carafe.spec.EngineException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Names that somebody hopes will be taken for something else: a path, an option, a rule, another's link (SECURITY R6, R12).
class HostileNetworkTest {

    private static final String CONTAINER = "1".repeat(64);
    private static final String LINE = "x\ncarafe 0123456789ab /elsewhere";

    @TempDir
    private Path run;

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

    /// The kernel never hears of a network's name: its bridge is called by the network's id and says whose engine it is.
    @ParameterizedTest
    @ValueSource(strings = {
        "../../../etc", "/", "..", "-x", "$(id)", "`id`", "a b", LINE, "x\u0000y", "\u001b[31m", "\" accept; }", "lo", "br0",
        "all", "default", "veth%d", "\u202egnp.exe", "'; DROP TABLE networks; --"})
    void aNameIsNeverMoreThanAName(String name) throws Exception {
        for (String each : List.of(name, name.repeat(3000))) {
            var network = fabric.create(request(each, Map.of(), pool("10.77.0.0/24")));
            assertThat(network.name()).isEqualTo(each);
            assertThat(network.link()).isEqualTo("br-" + network.id().substring(0, 12));
            assertThat(stage.netlink().link(network.link()).map(LinkInfo::alias)).get().asString()
                    .matches("carafe [0-9a-f]{12} [^\n]*");
            var sandbox = fabric.open(CONTAINER, List.of(joining(network)));
            assertThat(sandbox.endpoints().getFirst().four()).get().hasToString("10.77.0.2/24");
            fabric.close(CONTAINER);
            fabric.remove(network);
            fabric.settle();
            assertThat(stage.links()).containsExactly("lo");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "../../x", "a/b", "..", ".", "a b", "a:b", "x\ny", "x\u0000y", "sixteen-chars-xx", "\u00e4\u00e4\u00e4\u00e4", "veth%d"})
    void aBridgesNameThatIsNoneIsRefused(String name) throws Exception {
        assertThatThrownBy(() -> fabric.create(request("app", Map.of(LinkOptions.BRIDGE_NAME, name), pool("10.77.0.0/24"))))
                .isInstanceOf(EngineException.Invalid.class).hasMessageStartingWith("invalid bridge name: " + name);
        assertThat(stage.links()).containsExactly("lo");
    }

    @ParameterizedTest
    @ValueSource(strings = {"eth0, eth1", "a/b", "..", "x\ny", "sixteen-chars-xx", "up0:\u00e4"})
    void aTrustedLinkWhoseNameIsNoneIsRefused(String names) throws Exception {
        assertThatThrownBy(() -> fabric.create(request("app", Map.of(LinkOptions.TRUSTED, names), pool("10.77.0.0/24"))))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("is no name of a link");
        assertThat(stage.links()).containsExactly("lo");
    }

    /// Settings of links with these names would be those of all links, or of all that come later.
    @ParameterizedTest
    @ValueSource(strings = {"all", "default", "lo"})
    void aBridgeIsNotCalledAsTheKernelCallsAllLinks(String name) throws Exception {
        var before = settings();
        assertThatThrownBy(() -> fabric.create(request("app", Map.of(LinkOptions.BRIDGE_NAME, name), pool("10.77.0.0/24"))))
                .isInstanceOf(EngineException.class).hasMessageContaining(name);
        assertThat(stage.links()).containsExactly("lo");
        assertThat(settings()).isEqualTo(before);
    }

    private List<String> settings() throws Exception {
        return stage.thread().inside(stage.host().handle(), () -> List.of(
                carafe.kernel.Host.sysctl("net.ipv6.conf.all.disable_ipv6").orElse(""),
                carafe.kernel.Host.sysctl("net.ipv6.conf.default.disable_ipv6").orElse(""),
                carafe.kernel.Host.sysctl("net.ipv6.conf.lo.disable_ipv6").orElse(""),
                carafe.kernel.Host.sysctl("net.ipv6.conf.all.accept_ra").orElse("")));
    }
}
