package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.NetworkCreateRequest;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The default bridge of an engine that starts among networks it made before.
class DefaultBridgeTest {

    @TempDir
    Path root;

    private EngineHarness harness;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
    }

    @AfterEach
    void close() {
        harness.close();
    }

    private static NetworkCreateRequest network(String json) throws Exception {
        return NetworkCreateRequest.parse((Json.Obj) Json.parse(json));
    }

    @Test
    void aDefaultBridgeInTheWayOfANetworkIsNot() throws Exception {
        harness.engine.networks().create(network("{\"Name\":\"lan\",\"IPAM\":{\"Config\":[{\"Subnet\":\"192.0.2.0/25\"}]}}"));
        harness.fabric.hostsBridge("192.0.2.10/24");
        harness.crash();
        assertThat(harness.engine.networks().inspect("lan").ipam().ranges()).hasSize(1);
        assertThat(harness.engine.networks().inspect("bridge").ipam().ranges()).isEmpty();
        harness.engine.networks().remove("lan");
        harness.crash();
        assertThat(harness.engine.networks().inspect("bridge").ipam().ranges().getFirst().subnet()).hasToString("192.0.2.0/24");
    }

    private static final String PORTS = "{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}}";

    /// A network and a port that nobody gave, and nobody said so, were worse than a refusal.
    @Test
    void whatCouldNotBeMadeIsTriedByWhoeverIsToBeInIt() throws Exception {
        harness.fabric.obstacle("could not find a range");
        harness.crash();
        String sentence = "the default bridge could not be made: could not find a range";
        assertThat(harness.engine.host().warnings()).contains(
                "WARNING: " + sentence + "; containers that are to be in it do not start");
        harness.containers().create(request("web", PORTS, "sleep", "9"));
        harness.containers().create(request("named", "{\"NetworkMode\":\"bridge\"}", "sleep", "9"));
        harness.containers().create(request("alone", "{\"NetworkMode\":\"none\"}", "sleep", "9"));
        harness.containers().start("alone");
        for (String name : List.of("web", "named")) {
            assertThatThrownBy(() -> harness.containers().start(name)).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessage(sentence + "; \"docker network create\" makes another network to be in, and --network none"
                            + " needs none");
            assertThat(harness.containers().inspect(name, false).networks().places())
                    .extracting(ContainerNetworks.Place::network).containsExactly("bridge");
        }
        harness.engine.networks().create(network("{\"Name\":\"lan\"}"));
        harness.containers().create(request("user", "{\"NetworkMode\":\"lan\"}", "sleep", "9"));
        harness.containers().start("user");
        assertThatThrownBy(() -> harness.engine.networks().connect("bridge", "user", EndpointSettings.parse(
                (Json.Obj) Json.parse("{}")))).isInstanceOf(EngineException.Unavailable.class);

        harness.fabric.obstacle("");
        harness.containers().start("web");
        assertThat(harness.containers().inspect("web", false).networks().places().getFirst().live()).isPresent();
        assertThat(harness.containers().inspect("web", false).networks().ports()).isNotEmpty();
        assertThat(harness.engine.host().warnings()).noneMatch(warning -> warning.contains("default bridge"));
        harness.containers().start("named");
        harness.engine.networks().connect("bridge", "user", EndpointSettings.parse((Json.Obj) Json.parse("{}")));
    }

    @Test
    void oneInTheWayOfANetworkComesBackWhenThatIsGone() throws Exception {
        harness.engine.networks().create(network("{\"Name\":\"lan\",\"IPAM\":{\"Config\":[{\"Subnet\":\"192.0.2.0/25\"}]}}"));
        harness.fabric.hostsBridge("192.0.2.10/24");
        harness.crash();
        harness.create("web", "sleep", "9");
        assertThatThrownBy(() -> harness.containers().start("web")).isInstanceOf(EngineException.Unavailable.class)
                .hasMessageContaining("the bridge carafe0 of the host has the range 192.0.2.0/24");
        harness.engine.networks().remove("lan");
        harness.containers().start("web");
        assertThat(harness.containers().inspect("web", false).networks().places().getFirst().live()).isPresent();
    }

    @Test
    void whereNoneIsMeantToBeWhoNamesNoNetworkHasNone() throws Exception {
        harness.fabric.noDefault();
        harness.crash();
        harness.containers().create(request("web", PORTS, "sleep", "9"));
        harness.containers().start("web");
        assertThat(harness.containers().inspect("web", false).networks().places())
                .extracting(ContainerNetworks.Place::network).containsExactly("none");
        assertThat(harness.engine.host().warnings()).noneMatch(warning -> warning.contains("default bridge"));
    }
}
