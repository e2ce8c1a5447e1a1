package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.Json;
import carafe.spec.docker.NetworkCreateRequest;
import java.nio.file.Path;
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
}
