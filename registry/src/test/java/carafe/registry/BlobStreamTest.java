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
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Blobs whose way is disturbed.
@Timeout(60)
class BlobStreamTest {

    private TestRegistry registry;
    private Registries client;
    private byte[] bytes;
    private Descriptor blob;

    @BeforeEach
    void start() throws IOException {
        registry = new TestRegistry();
        client = TestRegistry.client();
        bytes = new byte[3_000_000];
        new Random(7).nextBytes(bytes);
        blob = registry.blob(bytes, MediaTypes.OCI_LAYER);
    }

    @AfterEach
    void stop() {
        client.close();
        registry.close();
    }

    private Repository repository() throws EngineException {
        return client.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE);
    }

    private byte[] fetch() throws IOException, EngineException {
        try (var in = repository().open(blob)) {
            return in.readAllBytes();
        }
    }

    /// Sends so many bytes of those asked for and breaks off.
    private Handler torn(int count) {
        return exchange -> {
            String range = exchange.headers().first("Range").orElse("bytes=0-");
            int from = Integer.parseInt(range.substring(6, range.length() - 1));
            var headers = from == 0 ? Headers.NONE : Headers.of("Content-Range", "bytes " + from + "-2999999/3000000");
            var out = exchange.respondStreaming(from == 0 ? 200 : 206, headers); // not closed: that would end it well
            out.write(bytes, from, count);
            out.flush();
            throw new IOException("cable pulled");
        };
    }

    @Test
    void aBrokenConnectionIsReplacedWhereItBroke() throws Exception {
        registry.fault("GET", 12, torn(100_000)); // more breaks than attempts: each brings something
        assertThat(fetch()).isEqualTo(bytes);
        assertThat(registry.count("GET")).isEqualTo(13);
    }

    @Test
    void aServerWithoutRangesIsReadFromTheBegin() throws Exception {
        registry.fault("GET", 1, torn(1_000_000));
        registry.fault("GET", 1, exchange -> exchange.respond(200, Headers.NONE, bytes));
        assertThat(fetch()).isEqualTo(bytes);
    }

    @Test
    void aStallIsABreak() throws Exception {
        var end = new CountDownLatch(1);
        registry.fault("GET", 2, exchange -> {
            String range = exchange.headers().first("Range").orElse("bytes=0-");
            int from = Integer.parseInt(range.substring(6, range.length() - 1));
            var headers = from == 0 ? Headers.NONE : Headers.of("Content-Range", "bytes " + from + "-2999999/3000000");
            try (var out = exchange.respondStreaming(from == 0 ? 200 : 206, headers)) {
                out.write(bytes, from, 1000);
                out.flush();
                end.await();
            }
        });
        assertThat(fetch()).isEqualTo(bytes);
        end.countDown();
    }

    @Test
    void aStormInTheMiddleIsWaitedOut() throws Exception {
        registry.fault("GET", 1, torn(1_000_000));
        registry.fault("GET", 1, exchange -> exchange.respond(502, Headers.NONE, "bad gateway".getBytes()));
        registry.fault("GET", 1, exchange -> exchange.respond(429, Headers.of("Retry-After", "0"), TestRegistry.NOTHING));
        assertThat(fetch()).isEqualTo(bytes);
    }

    @Test
    void aServerThatAlwaysBreaksIsGivenUp() {
        registry.fault("GET", 99, torn(0));
        assertThatThrownBy(this::fetch).isInstanceOf(IOException.class)
                .hasMessageStartingWith("blob of " + registry.host() + "/app: ");
        assertThat(registry.count("GET")).isLessThan(20);
    }

    @Test
    void wrongBytesAreNotHandedOutWhole() throws Exception {
        byte[] wrong = bytes.clone();
        wrong[5] ^= 1;
        registry.blobs.put(blob.digest(), wrong);
        var in = repository().open(blob);
        var seen = new byte[bytes.length];
        assertThatThrownBy(() -> in.readNBytes(seen, 0, seen.length))
                .hasMessageContaining("verification failed for digest " + blob.digest() + ": got sha256:");
        assertThat(registry.count("GET")).as("not asked again").isEqualTo(1);
    }

    @Test
    void aWrongSizeIsSeenBeforeTheFirstByte() {
        registry.blobs.put(blob.digest(), Arrays.copyOf(bytes, 2_999_999));
        assertThatThrownBy(this::fetch).hasMessageContaining(
                "unexpected size of " + blob.digest() + ": expected 3000000 bytes, the server has 2999999");
        assertThat(registry.count("GET")).isEqualTo(1);
    }

    @Test
    void aWebPageIsNoBlob() {
        registry.fault("GET", 9, exchange ->
                exchange.respond(200, Headers.of("Content-Type", "text/html"), "<html>sign in".getBytes()));
        assertThatThrownBy(this::fetch).hasMessageContaining("the server answers with a web page instead of the blob");
    }

    @Test
    void anotherPartThanAskedForIsRefused() {
        registry.fault("GET", 1, torn(1000));
        registry.fault("GET", 9, exchange -> exchange.respond(206,
                Headers.of("Content-Range", "bytes 0-2998999/3000000"), Arrays.copyOf(bytes, 2_999_000)));
        assertThatThrownBy(this::fetch).hasMessageContaining("another part");
    }

    @Test
    void aBlobThatIsNotThereIsNotAskedForAgain() {
        registry.blobs.clear();
        assertThatThrownBy(this::fetch).hasMessageContaining("blob unknown to registry");
        assertThat(registry.count("GET")).isEqualTo(1);
    }

    @Test
    void aSmallBlobHasALimit() throws Exception {
        assertThat(repository().read(blob, 3_000_000)).isEqualTo(bytes);
        assertThatThrownBy(() -> repository().read(blob, 2_999_999)).isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void aStreamMayBeginInTheMiddle() throws Exception {
        repository().take(blob, source -> {
            try (var in = source.open(2_999_990)) {
                assertThat(in.readAllBytes()).isEqualTo(Arrays.copyOfRange(bytes, 2_999_990, 3_000_000));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }
}
