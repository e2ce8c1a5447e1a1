package carafe.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Blobs and images on their way out.
@Timeout(60)
class UploadTest {

    private TestRegistry registry;
    private Registries client;
    private byte[] bytes;
    private Descriptor blob;

    @BeforeEach
    void start() throws IOException {
        registry = new TestRegistry();
        client = TestRegistry.client();
        bytes = new byte[10_000_000];
        new Random(7).nextBytes(bytes);
        blob = Descriptor.of(MediaTypes.OCI_LAYER, bytes);
    }

    @AfterEach
    void stop() {
        client.close();
        registry.close();
    }

    private Repository repository() throws EngineException {
        return client.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE);
    }

    private BlobWriter writer() {
        return out -> {
            for (int at = 0; at < bytes.length; at += 100_000) {
                out.write(bytes, at, 100_000);
            }
            return blob;
        };
    }

    private Descriptor upload() throws EngineException, InterruptedException {
        return repository().upload(writer(), _ -> { });
    }

    @Test
    void aBlobIsStreamedAndProgressTold() throws Exception {
        var told = new ArrayList<Long>();
        assertThat(repository().upload(writer(), told::add)).isEqualTo(blob);
        assertThat(registry.blobs.get(blob.digest())).isEqualTo(bytes);
        assertThat(told).hasSize(100).isSorted().endsWith(10_000_000L);
        assertThat(registry.requests.stream().map(request -> request.substring(0, request.indexOf(' '))))
                .containsExactly("POST", "PATCH", "PUT");
        assertThat(repository().has(blob.digest())).isTrue();
    }

    @Test
    void afterABreakOnlyTheRestIsSent() throws Exception {
        registry.fault("PATCH", 2, exchange -> {
            var into = registry.session("s1");
            into.write(exchange.body().readNBytes(3_000_000));
            throw new IOException("cable pulled"); // answered with 500, and the rest is not taken
        });
        assertThat(upload()).isEqualTo(blob);
        assertThat(registry.blobs.get(blob.digest())).isEqualTo(bytes);
        assertThat(registry.count("PATCH")).isEqualTo(3);
        assertThat(registry.count("POST")).isEqualTo(1);
    }

    @Test
    void aForgottenSessionIsBegunAnew() throws Exception {
        registry.fault("PATCH", 1, exchange -> {
            registry.uploads.clear();
            exchange.body().readAllBytes();
            throw new IOException("restarted");
        });
        assertThat(upload()).isEqualTo(blob);
        assertThat(registry.blobs.get(blob.digest())).isEqualTo(bytes);
        assertThat(registry.count("POST")).isEqualTo(2);
    }

    /// What comes again is no progress.
    @Test
    void aServerThatForgetsAgainAndAgainIsGivenUp() throws Exception {
        registry.fault("PATCH", 60, exchange -> {
            String path = exchange.rawPath();
            var session = registry.session(path.substring(path.lastIndexOf('/') + 1));
            if (session.size() > 0) {
                registry.uploads.clear();
            } else {
                session.write(exchange.body().readNBytes(1_000_000));
            }
            exchange.body().readAllBytes();
            throw new IOException("restarted");
        });
        assertThatThrownBy(this::upload).isInstanceOf(EngineException.Unavailable.class);
        assertThat(registry.count("PATCH")).isLessThan(12);
    }

    @Test
    void aServerThatRefusesLargeBodiesGetsPieces() throws Exception {
        registry.fault("PATCH", 1, exchange -> exchange.respond(413, Headers.NONE, TestRegistry.NOTHING));
        assertThat(upload()).isEqualTo(blob);
        assertThat(registry.blobs.get(blob.digest())).isEqualTo(bytes);
        assertThat(registry.count("PATCH")).isEqualTo(3);
    }

    @Test
    void aServerMaySayHowLargePiecesAre() throws Exception {
        registry.fault("POST", 1, exchange -> {
            registry.uploads.put("s0", new java.io.ByteArrayOutputStream());
            exchange.respond(202, Headers.of("Location", "/v2/app/blobs/uploads/s0", "OCI-Chunk-Min-Length", "9000000"),
                    TestRegistry.NOTHING);
        });
        registry.fault("PATCH", 1, exchange -> exchange.respond(503, Headers.NONE, TestRegistry.NOTHING));
        assertThat(upload()).isEqualTo(blob);
        assertThat(registry.count("PATCH")).isEqualTo(3);
    }

    @Test
    void aLostAnswerIsNoLostBlob() throws Exception {
        registry.fault("PUT", 1, exchange -> {
            registry.blobs.put(blob.digest(), bytes);
            registry.uploads.clear();
            throw new IOException("cable pulled");
        });
        assertThat(upload()).isEqualTo(blob);
        assertThat(registry.count("HEAD")).isEqualTo(1);
    }

    @Test
    void aRefusalIsNotRepeated() {
        registry.fault("PATCH", 9, exchange -> TestRegistry.refuse(exchange, 403, "DENIED", "quota exceeded"));
        assertThatThrownBy(this::upload).isInstanceOf(EngineException.Forbidden.class)
                .hasMessage("push to " + registry.host() + "/app: denied: quota exceeded");
        assertThat(registry.count("PATCH")).isEqualTo(1);
    }

    @Test
    void theWritersOwnFailureIsPassedOn() {
        assertThatThrownBy(() -> repository().upload(out -> {
            out.write(new byte[10]);
            throw new EngineException.Internal("layer is damaged");
        }, _ -> { })).isInstanceOf(EngineException.Internal.class).hasMessage("layer is damaged");
        assertThat(registry.count("PATCH")).isEqualTo(1);
    }

    @Test
    void aBlobOfAnotherRepositoryIsMounted() throws Exception {
        assertThat(repository().mount(blob.digest(), "other")).isFalse();
        assertThat(registry.uploads).as("the session that mounting began is ended").isEmpty();
        registry.blob(bytes, MediaTypes.OCI_LAYER);
        assertThat(repository().mount(blob.digest(), "other")).isTrue();
    }

    @Test
    void aSmallBlobGoesInOnePieceOnce() throws Exception {
        byte[] small = "{}".getBytes();
        repository().upload(MediaTypes.OCI_CONFIG, small);
        repository().upload(MediaTypes.OCI_CONFIG, small);
        assertThat(registry.blobs).containsKey(Digest.sha256(small));
        assertThat(registry.count("PUT")).isEqualTo(1);
    }

    @Test
    void anImageIsCopiedWithAllItsPlatforms() throws Exception {
        try (var target = new TestRegistry()) {
            var first = registry.image("app", "a", "one".getBytes(), "shared".getBytes());
            var second = registry.image("app", "b", "two".getBytes(), "shared".getBytes());
            var index = registry.index("app", "1", List.of(first.descriptor(), second.descriptor()));
            var to = Reference.parse(target.host() + "/copies/app:2");
            var copy = new ImageCopy(repository(), Reference.parse(registry.host() + "/app:1"),
                    client.repository(to, AuthConfig.NONE), to, (_, _) -> { });
            assertThat(copy.run()).isEqualTo(index.descriptor());
            assertThat(target.blobs.keySet()).isEqualTo(registry.blobs.keySet());
            assertThat(target.manifests).containsEntry("copies/app@2", index);
            assertThat(target.manifests).containsKeys("copies/app@" + first.descriptor().digest());
            target.requests.clear();
            copy.run();
            assertThat(target.count("PATCH")).isZero();
        }
    }
}
