package carafe.engine.transfer;

import static carafe.engine.transfer.TransfersTest.tar;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.Headers;
import carafe.image.Images;
import carafe.registry.Document;
import carafe.registry.Registries;
import carafe.registry.TestRegistry;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pulls that somebody ends, and several at once.
@Timeout(120)
class PullEndsTest {

    @TempDir
    private Path directory;

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private TestRegistry registry;
    private Registries client;
    private Images images;
    private LiveTransfers transfers;

    @BeforeEach
    void start() throws Exception {
        registry = new TestRegistry();
        client = TestRegistry.client();
        images = Images.open(directory.resolve("here"));
        transfers = new LiveTransfers(images, client, ImageTransfers.Limits.USUAL, new ImageTransfers.Observer() {
            @Override
            public void namesChanged() {}

            @Override
            public void happened(String action, String name, Optional<String> imageId) {}
        });
    }

    @AfterEach
    void stop() {
        images.close();
        client.close();
        registry.close();
    }

    private Document image(byte[]... tars) throws Exception {
        return TransfersTest.image(registry, "app:1", "linux/amd64", tars);
    }

    private void pull() throws EngineException, InterruptedException {
        var name = Reference.parse(registry.host() + "/app:1");
        transfers.pull(new PullRequest(name, Optional.empty(), AuthConfig.NONE), message -> {
            if (message instanceof TransferMessage.About(String id, String text)) {
                lines.add(id + ": " + text);
            }
        });
    }

    @Test
    void aClientThatLeavesEndsThePull() throws Exception {
        image(tar("a", 1000), tar("b", 1000));
        var inside = new CountDownLatch(2);
        registry.fault("GET /v2/app/blobs/sha256:", 1, exchange -> { // the configuration
            byte[] bytes = registry.blobs.getOrDefault(
                    Digest.parse(exchange.rawPath().substring(14)), TestRegistry.NOTHING);
            exchange.respond(200, Headers.NONE, bytes);
        });
        registry.fault("GET /v2/app/blobs/sha256:", 99, exchange -> {
            inside.countDown();
            new CountDownLatch(1).await();
        });
        var ended = new AtomicReference<Throwable>();
        var thread = Thread.ofVirtual().start(() -> {
            try {
                pull();
            } catch (EngineException | InterruptedException e) {
                ended.set(e);
            }
        });
        inside.await();
        thread.interrupt();
        thread.join();
        assertThat(ended.get()).isNotNull();
        assertThat(images.list()).isEmpty();
    }

    @Test
    void aCancelledPullGoesOnWithTheLayersThatCameIn() throws Exception {
        var there = image(tar("a", 1_000_000), tar("b", 1_000_000));
        var first = there.manifest().layers().getFirst().digest();
        var second = there.manifest().layers().getLast().digest();
        registry.fault("GET /v2/app/blobs/" + second, 1, _ -> new CountDownLatch(1).await());
        var thread = Thread.ofVirtual().start(() -> {
            try {
                pull();
            } catch (EngineException | InterruptedException e) {
                lines.add("cancelled");
            }
        });
        while (!lines.contains(first.shortHex() + ": Pull complete")) {
            assertThat(thread.join(Duration.ofMillis(5))).as("%s", lines).isFalse();
        }
        thread.interrupt();
        thread.join();
        assertThat(lines).endsWith("cancelled");
        lines.clear();
        pull();
        assertThat(lines).contains(first.shortHex() + ": Already exists", second.shortHex() + ": Pull complete");
        assertThat(registry.count("GET /v2/app/blobs/" + first)).isEqualTo(1);
    }

    @Test
    void parallelPullsFetchALayerOnce() throws Exception {
        var there = image(tar("a", 2_000_000));
        var tasks = new ArrayList<Callable<Boolean>>();
        for (int i = 0; i < 6; i++) {
            tasks.add(() -> {
                pull();
                return true;
            });
        }
        Parallel.all(tasks);
        assertThat(registry.count("GET /v2/app/blobs/" + there.manifest().layers().getFirst().digest())).isEqualTo(1);
    }
}
