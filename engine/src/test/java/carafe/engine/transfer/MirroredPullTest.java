package carafe.engine.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.Headers;
import carafe.image.Images;
import carafe.image.Intake;
import carafe.registry.Document;
import carafe.registry.Registries;
import carafe.registry.TestRegistry;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pulls past mirrors that send something else than the registry has.
@Timeout(120)
class MirroredPullTest {

    @TempDir
    private Path directory;

    private final List<TransferMessage> told = new CopyOnWriteArrayList<>();
    private TestRegistry registry;

    @BeforeEach
    void start() throws IOException {
        registry = new TestRegistry();
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    private Reference name(String rest) throws EngineException {
        return Reference.parse(registry.host() + "/" + rest);
    }

    private void pull(Images images, Registries client, String rest) throws Exception {
        told.clear();
        transfers(images, client).pull(new PullRequest(name(rest), Optional.empty(), AuthConfig.NONE), told::add);
    }

    private static LiveTransfers transfers(Images images, Registries client) {
        return new LiveTransfers(images, client, ImageTransfers.Limits.USUAL, new ImageTransfers.Observer() {
            @Override
            public void namesChanged() {
                // nobody looks
            }

            @Override
            public void happened(String action, String name, Optional<String> imageId) {
                // nobody looks
            }
        });
    }

    private List<String> lines() {
        return told.stream().map(message -> switch (message) {
            case TransferMessage.Line(String text) -> text;
            case TransferMessage.About(String id, String text) -> id + ": " + text;
            default -> "";
        }).toList();
    }

    /// The mirror's bytes are another layer's at first, then none of gzip's: what was unpacked of them is gone.
    @Test
    void aMirrorsBytesAreNotThePullsLoss() throws Exception {
        byte[] other = TransfersTest.gzip(TransfersTest.tar("z", 2_000_000));
        var there = TransfersTest.image(registry, "app:1", "linux/amd64", TransfersTest.tar("a", 100_000), TransfersTest.tar("b", 2_000_000));
        var second = there.manifest().layers().get(1);
        for (byte[] wrong : List.of(other, new byte[(int) second.size()], new byte[0])) {
            try (var mirror = new TestRegistry(); var client = mirror.mirrorOf(registry);
                    var fresh = Images.open(directory.resolve("mirrored-" + wrong.length))) {
                mirror.put("app", "1", there);
                mirror.blobs.putAll(registry.blobs);
                mirror.fault("GET /v2/app/blobs/" + second.digest(), 9, exchange -> {
                    try (var out = exchange.respondStreaming(200, Headers.NONE)) {
                        out.write(wrong);
                    }
                });
                pull(fresh, client, "app:1");
                var here = fresh.find(registry.host() + "/app:1");
                assertThat(here.id()).isEqualTo(there.manifest().config().digest());
                assertThat(lines().stream().filter(line -> line.startsWith("Passed by mirror " + mirror.host() + " of ")))
                        .hasSize(1);
                assertThat(lines()).endsWith("Status: Downloaded newer image for " + registry.host() + "/app:1")
                        .contains(second.digest().shortHex() + ": Pull complete");
            }
        }
    }

    /// As a build takes layers of a cache.
    @Test
    void aBlobThatIsRefusedIsGivenAgain() throws Exception {
        byte[] right = TransfersTest.tar("a", 100_000);
        byte[] wrong = TransfersTest.tar("b", 100_000);
        try (var mirror = new TestRegistry(); var client = mirror.mirrorOf(registry);
                var images = Images.open(directory.resolve("here"))) {
            var blob = registry.blob(right, MediaTypes.OCI_LAYER);
            mirror.blobs.put(blob.digest(), wrong);
            try (var intake = images.intake()) {
                transfers(images, client).take(name("app:cache"), blob, AuthConfig.NONE, source ->
                        intake.layer(new Intake.Layer(blob, blob.digest(), ""), () -> source.open(0)));
                assertThat(intake.has(blob.digest())).isTrue();
            }
        }
    }

    /// The mirror's tag means an image whose layers nobody has.
    @Test
    void aMirrorsStaleTagIsNotThePullsLoss() throws Exception {
        var stale = TransfersTest.image(registry, "app:1", "linux/amd64", TransfersTest.tar("old", 100_000));
        registry.blobs.remove(stale.manifest().layers().getFirst().digest());
        var there = TransfersTest.image(registry, "app:1", "linux/amd64", TransfersTest.tar("new", 100_000));
        try (var mirror = new TestRegistry(); var client = mirror.mirrorOf(registry);
                var images = Images.open(directory.resolve("here"))) {
            mirror.put("app", "1", stale);
            pull(images, client, "app:1");
            assertThat(images.find(registry.host() + "/app:1").id()).isEqualTo(there.manifest().config().digest());
            assertThat(lines()).anyMatch(line -> line.startsWith("Passed by mirror " + mirror.host() + " of " + registry.host()));
        }
    }

    @Test
    void anArtifactsBadBlobIsFetchedAgain() throws Exception {
        byte[] notes = new byte[300_000];
        new Random(3).nextBytes(notes);
        byte[] wrong = notes.clone();
        wrong[7] ^= 1;
        var part = registry.blob(notes, "text/plain");
        var manifest = new Manifest(MediaTypes.OCI_MANIFEST, registry.blob("{}".getBytes(), MediaTypes.OCI_EMPTY),
                List.of(part), Map.of(), Optional.empty(), Optional.of("application/x-notes"));
        var there = registry.put("notes", "1", Document.of(MediaTypes.OCI_MANIFEST, manifest.toJson().printBytes()));
        try (var mirror = new TestRegistry(); var client = mirror.mirrorOf(registry);
                var images = Images.open(directory.resolve("here"))) {
            mirror.put("notes", "1", there);
            mirror.fault("GET /v2/notes/blobs/" + part.digest(), 9, exchange -> exchange.respond(200, Headers.NONE, wrong));
            pull(images, client, "notes:1");
            assertThat(images.artifacts().find(registry.host() + "/notes:1")).isPresent();
            assertThat(lines()).anyMatch(line -> line.startsWith("Passed by mirror " + mirror.host()));
        }
    }
}
