package carafe.engine;

import static carafe.engine.EngineHarness.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.volume.VolumeRequest;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Containers whose volume lies on a machine that does not answer.
class VolumeWaitsTest {

    private final String volume = "away";

    @TempDir
    Path root;

    private EngineHarness harness;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root, Failpoints.parse("volume.mount=sleep(600000)"));
        harness.engine.volumes().create(
                new VolumeRequest(volume, "local", Map.of("type", "tmpfs", "device", "tmpfs"), Map.of()));
    }

    @AfterEach
    void close() throws Exception {
        try {
            for (var mount : mounts()) {
                mount.interrupt(); // the server answers
                mount.join();
            }
            harness.engine.volumes().remove(volume, false);
        } finally {
            harness.close();
        }
    }

    private List<Thread> mounts() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("mount of " + volume))
                .toList();
    }

    /// The start of a container, whose thread is its client.
    private record Start(Thread client, CompletableFuture<Boolean> done) {
        void failsWith(String message) {
            assertThatThrownBy(() -> done.get(20, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class)
                    .cause().isInstanceOf(EngineException.Unavailable.class).hasMessageContaining(message);
        }
    }

    private Start begin(String name) throws Exception {
        harness.containers().create(request(name, "{\"Binds\":[\"" + volume + ":/away\"]}", "sleep"));
        var done = new CompletableFuture<Boolean>();
        var client = Thread.ofVirtual().start(() -> {
            try {
                harness.containers().start(name);
                done.complete(true);
            } catch (EngineException | InterruptedException e) {
                done.completeExceptionally(e);
            }
        });
        return new Start(client, done);
    }

    private void isPending() {
        assertThatThrownBy(() -> harness.engine.volumes().remove(volume, false))
                .isInstanceOf(EngineException.Conflict.class)
                .hasMessageStartingWith("remove " + volume + ": it is still being mounted");
    }

    private void untilTheMountIsUnderWay() throws Exception {
        EngineHarness.eventually(() -> !mounts().isEmpty());
    }

    @Test
    void theyCanBeRemovedMeanwhile() throws Exception {
        var start = begin("web");
        untilTheMountIsUnderWay();
        harness.containers().remove("web", new RemoveRequest(true, false));
        start.failsWith("given up before the server answered");
        isPending();
    }

    @Test
    void theStartEndsWithItsClient() throws Exception {
        var start = begin("web");
        untilTheMountIsUnderWay();
        start.client().interrupt();
        assertThatThrownBy(() -> start.done().get(20, TimeUnit.SECONDS)).cause().isInstanceOf(InterruptedException.class);
        assertThatThrownBy(() -> harness.containers().stop("web", StopRequest.DEFAULT)).as("its queue is free")
                .isInstanceOf(EngineException.NotModified.class);
        harness.containers().remove("web", new RemoveRequest(false, false));
        isPending();
    }
}
