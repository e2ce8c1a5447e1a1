package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.Json;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.NetworkCreateRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What an engine finishes that another had begun with the networks of containers that run.
class NetworkRecoveryTest {

    @TempDir
    Path root;

    private EngineHarness harness;
    private Networks networks;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        networks = harness.engine.networks();
    }

    @AfterEach
    void close() {
        harness.close();
    }

    private void lan() throws Exception {
        networks.create(NetworkCreateRequest.parse((Json.Obj) Json.parse(
                "{\"Name\":\"lan\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.9.0.0/24\"}]}}")));
    }

    private void connect() throws Exception {
        networks.connect("lan", "web", EndpointSettings.parse((Json.Obj) Json.parse("{}")));
    }

    private String hosts(String container) throws Exception {
        return Files.readString(harness.containers().inspect(container, false).files().hosts());
    }

    @ParameterizedTest
    @ValueSource(strings = {"disconnect.row", "disconnect.files"})
    void whoWasLeavingANetworkWhenTheEngineDiedIsOutOfIt(String point) throws Exception {
        lan();
        String id = harness.create("web", "sleep");
        harness.containers().start("web");
        harness.reopen(Failpoints.parse(point + "=1*EIO"));
        networks = harness.engine.networks();
        connect();
        assertThat(hosts("web")).contains("10.9.0.2\t", "172.17.0.2\t");
        assertThatThrownBy(() -> networks.disconnect("lan", "web", false)).isInstanceOf(EngineException.Internal.class);
        assertThat(hosts("web")).contains("10.9.0.2\t");
        harness.crash();
        networks = harness.engine.networks();
        assertThat(harness.fabric.sandbox(id).orElseThrow().endpoints()).singleElement()
                .satisfies(endpoint -> assertThat(endpoint.four()).get().hasToString("172.17.0.2/16"));
        assertThat(hosts("web")).contains("172.17.0.2\t").doesNotContain("10.9.0.2\t");
        assertThat(networks.inspect("lan").ipam().ranges().getFirst().inUse()).isEqualTo(1);
        networks.remove("lan");
    }

    /// By a version that noted none of its lines.
    @Test
    void theLinesOfAnOlderEngineGoWithTheNetworkTheyTellOf() throws Exception {
        lan();
        harness.create("web", "sleep");
        harness.containers().start("web");
        connect();
        Path file = harness.containers().inspect("web", false).files().hosts();
        Files.delete(file.resolveSibling("hosts.lines"));
        String removed = Files.readString(file).lines().filter(line -> line.startsWith("172.17.0.2\t")).findFirst().orElseThrow();
        Files.writeString(file, Files.readString(file).replace(removed + "\n", "192.0.2.7\tmine\n"));
        harness.crash();
        networks = harness.engine.networks();
        assertThat(hosts("web")).contains("192.0.2.7\tmine\n", "10.9.0.2\t").as("removed by the container")
                .doesNotContain("172.17.0.2\t");
        networks.disconnect("lan", "web", false);
        assertThat(hosts("web")).endsWith("192.0.2.7\tmine\n").doesNotContain("10.9.0.2\t");
    }
}
