package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.Json;
import carafe.spec.docker.NetworkCreateRequest;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Networks that several clients remove at the same time.
class NetworkRemovalTest {

    @TempDir
    Path root;

    @Test
    void itIsRemovedOnce() throws Exception {
        var points = Failpoints.parse("network.erase=1*sleep(2000)->off");
        try (var harness = new EngineHarness(root, points)) {
            var networks = harness.engine.networks();
            var began = Instant.now();
            String id = networks.create(NetworkCreateRequest.parse((Json.Obj) Json.parse("{\"Name\":\"lan\"}")));
            var slow = new FutureTask<Boolean>(() -> {
                networks.remove("lan");
                return true;
            });
            Thread.ofVirtual().start(slow);
            EngineHarness.eventually(() -> points.passes("network.erase") == 1);
            networks.remove("lan");
            assertThatThrownBy(() -> slow.get(20, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class)
                    .cause().isInstanceOf(EngineException.NotFound.class).hasMessage("network lan not found");
            assertThat(harness.actions(began, "network")).filteredOn("destroy"::equals).hasSize(1);
            assertThatThrownBy(() -> networks.inspect(id)).isInstanceOf(EngineException.NotFound.class);
        }
    }
}
