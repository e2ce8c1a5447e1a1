package carafe.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Handler;
import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Servers that say how long to wait, or say nothing in the middle of an upload. The pauses are written down, not slept.
@Timeout(60)
class PausesTest {

    private static final Instant NOW = Instant.parse("2015-10-21T07:28:00Z");
    private static final String IN_FOUR_SECONDS = "Wed, 21 Oct 2015 07:28:04 GMT";
    private static final Duration THREE = Duration.ofSeconds(3);
    private static final Duration FOUR = Duration.ofSeconds(4);

    private final List<Duration> pauses = new CopyOnWriteArrayList<>();
    private TestRegistry registry;
    private Registries client;
    private byte[] bytes;
    private Descriptor blob;

    @BeforeEach
    void start() throws IOException {
        registry = new TestRegistry();
        client = new Registries(TestRegistry.config(), Clock.fixed(NOW, ZoneOffset.UTC), pauses::add);
        bytes = new byte[30_000_000];
        new Random(9).nextBytes(bytes);
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

    private void upload() throws Exception {
        repository().upload(out -> {
            for (int at = 0; at < bytes.length; at += 100_000) {
                out.write(bytes, at, 100_000);
            }
            return blob;
        }, _ -> { });
        assertThat(registry.blobs.get(blob.digest())).isEqualTo(bytes);
    }

    private static Handler busy(int status, String until) {
        return exchange -> {
            exchange.body().readAllBytes();
            exchange.respond(status, Headers.of("Retry-After", until), TestRegistry.NOTHING);
        };
    }

    @Test
    void aDownloadWaitsAsLongAsItIsAsked() throws Exception {
        var image = registry.image("app", "1", bytes);
        registry.fault("GET /v2/app/manifests/", 1, busy(429, "3"));
        registry.fault("GET /v2/app/manifests/", 1, busy(503, IN_FOUR_SECONDS));
        assertThat(repository().fetch("1")).isEqualTo(image);
        assertThat(pauses).containsExactly(THREE, FOUR);
        registry.fault("GET /v2/app/blobs/", 1, busy(429, IN_FOUR_SECONDS));
        registry.fault("GET /v2/app/blobs/", 1, busy(429, "3"));
        assertThat(repository().read(blob, bytes.length)).isEqualTo(bytes);
        assertThat(pauses).containsExactly(THREE, FOUR, FOUR, THREE);
    }

    @Test
    void aMomentThatIsPastIsNow() throws Exception {
        var image = registry.image("app", "1");
        registry.fault("GET /v2/app/manifests/", 1, busy(429, "Wed, 21 Oct 2015 07:27:00 GMT"));
        assertThat(repository().fetch("1")).isEqualTo(image);
        assertThat(pauses).containsExactly(Duration.ZERO);
    }

    @Test
    void whoAsksForTooMuchIsToldOff() {
        for (String until : List.of("3600", "Wed, 21 Oct 2015 09:28:00 GMT")) {
            registry.fault("GET /v2/app/manifests/", 1, busy(429, until));
            assertThatThrownBy(() -> repository().fetch("1")).as(until).isInstanceOf(EngineException.Unavailable.class)
                    .hasMessageContaining("status 429");
        }
        assertThat(pauses).isEmpty();
    }

    @Test
    void anUploadWaitsAsLongAsItIsAsked() throws Exception {
        registry.fault("POST", 1, busy(429, "3"));
        registry.fault("PATCH", 1, busy(429, IN_FOUR_SECONDS));
        registry.fault("PATCH", 1, busy(503, "3"));
        registry.fault("PUT", 1, busy(429, "3"));
        registry.fault("PUT", 1, busy(429, IN_FOUR_SECONDS));
        upload();
        assertThat(pauses).containsExactly(THREE, FOUR, THREE, THREE, FOUR);
        assertThat(registry.count("POST")).as("what was refused was not kept, so it is begun anew").isGreaterThanOrEqualTo(2);
    }

    @Test
    void aPieceWaitsAsLongAsItIsAsked() throws Exception {
        registry.fault("PATCH", 1, exchange -> exchange.respond(413, Headers.NONE, TestRegistry.NOTHING));
        registry.fault("PATCH", 1, busy(429, "3"));
        upload();
        assertThat(pauses.getLast()).isEqualTo(THREE);
    }

    @Test
    void anUploadThatIsAskedToWaitTooLongIsGivenUp() {
        registry.fault("PATCH", 1, busy(429, "3600"));
        assertThatThrownBy(this::upload).isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("push to " + registry.host() + "/app: the server answered with status 429");
        registry.fault("PUT", 1, busy(429, "3600"));
        assertThatThrownBy(this::upload).isInstanceOf(EngineException.Unavailable.class);
        assertThat(pauses).isEmpty();
    }

    /// The registry takes a part and then nothing, twice; a third connection brings the rest.
    @Test
    void anUploadThatStallsGoesOnWhereTheRegistryIs() throws Exception {
        var end = new CountDownLatch(1);
        registry.fault("PATCH", 2, exchange -> {
            registry.session("s1").write(exchange.body().readNBytes(1_000_000));
            end.await();
            throw new IOException("nobody waits any more");
        });
        upload();
        end.countDown();
        assertThat(registry.count("POST")).isEqualTo(1);
        assertThat(registry.count("PATCH")).isEqualTo(3);
        assertThat(registry.count("GET /v2/app/blobs/uploads/s1")).isEqualTo(2);
        assertThat(pauses).hasSize(2).allMatch(pause -> pause.compareTo(Duration.ofMillis(4)) <= 0);
    }

    /// All was sent, and the registry says nothing.
    @Test
    void anAnswerThatDoesNotComeIsNotWaitedForForEver() throws Exception {
        var end = new CountDownLatch(1);
        registry.fault("PUT", 1, _ -> {
            end.await();
            throw new IOException("nobody waits any more");
        });
        upload();
        end.countDown();
        assertThat(registry.count("PUT")).isEqualTo(2);
    }
}
