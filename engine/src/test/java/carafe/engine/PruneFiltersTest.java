package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.volume.Volume;
import carafe.engine.volume.VolumeRequest;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Filters;
import carafe.spec.docker.NetworkCreateRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What goes and what stays when networks and volumes are pruned with filters.
class PruneFiltersTest {

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

    private void network(String name, String labels) throws Exception {
        harness.engine.networks().create(NetworkCreateRequest.parse((Json.Obj) Json.parse(
                "{\"Name\":\"" + name + "\",\"Labels\":" + labels + "}")));
    }

    private List<String> pruneNetworks(String filters) throws Exception {
        return harness.engine.networks().prune(Filters.parse(filters));
    }

    private String volume(String name, Map<String, String> labels) throws Exception {
        return harness.engine.volumes().create(new VolumeRequest(name, "", Map.of(), labels)).name();
    }

    private List<String> pruneVolumes(String filters) throws Exception {
        return harness.engine.volumes().prune(Filters.parse(filters)).names();
    }

    @Test
    void networksGoByTheLabelsTheyHaveAndHaveNot() throws Exception {
        network("plain", "{}");
        network("old", "{\"stage\":\"old\"}");
        network("new", "{\"stage\":\"new\"}");
        network("kept", "{\"stage\":\"old\",\"keep\":\"\"}");
        network("used", "{\"stage\":\"old\"}");
        harness.containers().create(request("web", "{\"NetworkMode\":\"used\"}", "sleep"));
        assertThat(pruneNetworks("{\"label\":[\"stage=older\"]}")).isEmpty();
        assertThat(pruneNetworks("{\"label\":[\"stage=old\"],\"label!\":[\"keep\"]}")).containsExactly("old");
        assertThat(pruneNetworks("{\"label\":[\"stage\",\"keep\"]}")).as("both").containsExactly("kept");
        assertThat(pruneNetworks("{\"label!\":[\"stage=new\"]}")).containsExactly("plain");
        assertThat(pruneNetworks("{\"label\":[\"stage\"]}")).containsExactly("new");
        assertThat(harness.engine.networks().list(Filters.NONE)).extracting(NetworkDetails::name)
                .containsExactlyInAnyOrder("bridge", "host", "none", "used");
        assertThatThrownBy(() -> pruneNetworks("{\"driver\":[\"bridge\"]}")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("driver");
    }

    @Test
    void networksGoThatAreOlderThanIsSaid() throws Exception {
        network("first", "{}");
        Instant between = Instant.now();
        network("second", "{}");
        assertThat(pruneNetworks("{\"until\":[\"10m\"]}")).as("none is that old").isEmpty();
        assertThat(pruneNetworks("{\"until\":[\"" + between + "\"]}")).containsExactly("first");
        harness.clock.putForward(Duration.ofMinutes(11));
        network("third", "{}");
        assertThat(pruneNetworks("{\"until\":[\"10m\"]}")).contains("second");
        assertThatThrownBy(() -> pruneNetworks("{\"until\":[\"yesterday\"]}")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("yesterday");
    }

    @Test
    void volumesGoByTheLabelsTheyHaveAndHaveNot() throws Exception {
        String anonymous = volume("", Map.of("stage", "old"));
        String kept = volume("", Map.of("stage", "old", "keep", ""));
        volume("named", Map.of("stage", "old"));
        assertThat(pruneVolumes("{\"label\":[\"stage=new\"]}")).isEmpty();
        assertThat(pruneVolumes("{\"label\":[\"stage=old\"],\"label!\":[\"keep\"]}")).containsExactly(anonymous);
        assertThat(pruneVolumes("{\"label!\":[\"keep\"]}")).as("it has a name").isEmpty();
        volume("other", Map.of());
        assertThat(pruneVolumes("{\"all\":[\"true\"],\"label!\":[\"stage\"]}")).containsExactly("other");
        assertThat(pruneVolumes("{\"all\":[\"1\"],\"label\":[\"stage=old\"]}")).containsExactlyInAnyOrder(kept, "named");
        assertThat(harness.engine.volumes().list(Filters.NONE)).extracting(Volume::name).isEmpty();
        assertThatThrownBy(() -> pruneVolumes("{\"until\":[\"1h\"]}")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("until");
    }
}
