package carafe.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Handler;
import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Mirrors that have everything, and say it wrong: the registry is asked instead, and it is told once who failed.
@Timeout(60)
class MirrorTest {

    private static final String MANIFEST = "GET /v2/app/manifests/";
    private static final String BLOB = "GET /v2/app/blobs/";

    @TempDir
    private Path directory;

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private TestRegistry registry;
    private TestRegistry mirror;
    private Registries client;
    private byte[] bytes;
    private Document image;
    private Descriptor blob;

    @BeforeEach
    void start() throws Exception {
        registry = new TestRegistry();
        mirror = new TestRegistry();
        bytes = new byte[3_000_000];
        new Random(7).nextBytes(bytes);
        image = registry.image("app", "1", bytes);
        mirror.image("app", "1", bytes);
        blob = image.manifest().layers().getFirst();
        client = client(List.of("http://" + mirror.host()), Optional.empty());
    }

    @AfterEach
    void stop() {
        end.countDown();
        client.close();
        mirror.close();
        registry.close();
    }

    private Registries client(List<String> mirrors, Optional<OwnHub> hub) {
        return new Registries(new RegistryConfig(List.of(), Map.of(registry.host(), mirrors), hub, List.of(), Proxies.NONE,
                TestRegistry.BRIEF, "t"), Clock.systemUTC());
    }

    private Repository repository() throws EngineException {
        return client.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE, told::add);
    }

    private static byte[] taken(Repository from, Descriptor blob) throws Exception {
        var all = new ByteArrayOutputStream();
        from.take(blob, source -> {
            all.reset();
            try (var in = source.open(0)) {
                in.transferTo(all);
            } catch (IOException e) {
                throw new EngineException.Unavailable("fetch: " + e.getMessage(), e);
            }
            if (!blob.digest().matches(all.toByteArray())) {
                throw new EngineException.Invalid("layer verification failed");
            }
        });
        return all.toByteArray();
    }

    /// With a mirror that answers requests beginning with `begin` so.
    private void isPassedBy(String begin, Handler fault, String reason) throws Exception {
        mirror.fault(begin, 99, fault);
        var repository = repository();
        assertThat(repository.fetch("1")).isEqualTo(image);
        assertThat(repository.fetch(image.descriptor().digest().toString())).isEqualTo(image);
        assertThat(taken(repository, blob)).isEqualTo(bytes);
        assertThat(repository.read(blob, bytes.length)).isEqualTo(bytes);
        assertThat(told).singleElement().asString()
                .startsWith("Passed by mirror " + mirror.host() + " of " + registry.host() + ": ").contains(reason);
        assertThat(mirror.count(begin)).as("a mirror that failed is left alone").isEqualTo(1);
    }

    private static Handler page(int status) {
        return exchange -> exchange.respond(status, Headers.of("Content-Type", "text/html"), "<html>sign in".getBytes());
    }

    @Test
    void oneThatIsSoundServesAlone() throws Exception {
        var repository = repository();
        assertThat(repository.fetch("1")).isEqualTo(image);
        assertThat(taken(repository, blob)).isEqualTo(bytes);
        assertThat(registry.requests).isEmpty();
        assertThat(told).isEmpty();
    }

    @Test
    void oneThatLacksSomethingIsNotAtFault() throws Exception {
        mirror.blobs.clear();
        var repository = repository();
        repository.fetch("1");
        assertThat(taken(repository, blob)).isEqualTo(bytes);
        assertThat(told).isEmpty();
    }

    @Test
    void webPagesArePassedBy() throws Exception {
        isPassedBy(MANIFEST, page(200), "answers with a web page instead of a manifest");
    }

    @Test
    void aWebPageForABlobIsPassedBy() throws Exception {
        isPassedBy(BLOB, page(200), "the server answers with a web page instead of the blob");
    }

    @Test
    void stormsArePassedBy() throws Exception {
        isPassedBy(MANIFEST, page(503), "the server answered with status 503");
    }

    @Test
    void aStormAtTheBlobsIsPassedByAndNotWaitedFor() throws Exception {
        isPassedBy(BLOB, exchange -> exchange.respond(429, Headers.of("Retry-After", "3600"), TestRegistry.NOTHING),
                "the server answered with status 429");
    }

    @Test
    void brokenJsonIsPassedBy() throws Exception {
        byte[] torn = "{\"schemaVersion\":2,".getBytes();
        isPassedBy(MANIFEST, exchange -> exchange.respond(200, Headers.of("Content-Type", MediaTypes.OCI_MANIFEST,
                "Docker-Content-Digest", Digest.sha256(torn).toString()), torn), "sent a manifest that cannot be read");
    }

    @Test
    void whatIsJsonAndNoManifestIsPassedBy() throws Exception {
        byte[] other = "{\"schemaVersion\":2,\"layers\":7}".getBytes();
        isPassedBy(MANIFEST, exchange -> exchange.respond(200, Headers.of("Content-Type", MediaTypes.OCI_MANIFEST,
                "Docker-Content-Digest", Digest.sha256(other).toString()), other), "manifest has no \"config\"");
    }

    @Test
    void aTagWithoutItsDigestIsPassedBy() throws Exception {
        isPassedBy(MANIFEST + "1", exchange -> exchange.respond(200, Headers.of("Content-Type", MediaTypes.OCI_MANIFEST),
                image.bytes()), "does not say the digest");
    }

    @Test
    void aTagWithAnotherDigestIsPassedBy() throws Exception {
        isPassedBy(MANIFEST + "1", exchange -> exchange.respond(200, Headers.of("Content-Type", MediaTypes.OCI_MANIFEST,
                "Docker-Content-Digest", blob.digest().toString()), image.bytes()), "manifest verification failed");
    }

    @Test
    void wrongBytesAreThrownAway() throws Exception {
        byte[] wrong = bytes.clone();
        wrong[2_999_999] ^= 1;
        isPassedBy(BLOB, exchange -> exchange.respond(200, Headers.NONE, wrong), "layer verification failed");
    }

    @Test
    void aWrongSizeIsPassedBy() throws Exception {
        isPassedBy(BLOB, exchange -> exchange.respond(200, Headers.NONE, Arrays.copyOf(bytes, 2_999_999)),
                "unexpected size of " + blob.digest());
    }

    @Test
    void connectionsThatBreakAtOnceArePassedBy() throws Exception {
        isPassedBy(BLOB, torn(0), "blob of " + registry.host() + "/app: the connection ended inside the body");
    }

    @Test
    void aManifestWhoseConnectionBreaksIsPassedBy() throws Exception {
        isPassedBy(MANIFEST, exchange -> {
            exchange.respondStreaming(200, Headers.of("Content-Type", MediaTypes.OCI_MANIFEST,
                    "Docker-Content-Digest", image.descriptor().digest().toString())).flush();
            throw new IOException("cable pulled");
        }, "manifest for");
    }

    /// Sends so many bytes of those asked for and breaks off.
    private Handler torn(int count) {
        return exchange -> {
            String range = exchange.headers().first("Range").orElse("bytes=0-");
            int from = Integer.parseInt(range.substring(6, range.length() - 1));
            var headers = from == 0 ? Headers.NONE : Headers.of("Content-Range", "bytes " + from + "-2999999/3000000");
            var out = exchange.respondStreaming(from == 0 ? 200 : 206, headers);
            out.write(bytes, from, count);
            out.flush();
            throw new IOException("cable pulled");
        };
    }

    @Test
    void afterSomeBreaksTheRegistryGoesOnAtTheSameByte() throws Exception {
        mirror.fault(BLOB, 99, torn(100_000));
        assertThat(taken(repository(), blob)).isEqualTo(bytes);
        assertThat(mirror.count(BLOB)).isEqualTo(TestRegistry.BRIEF.attempts());
        assertThat(registry.count(BLOB)).isEqualTo(1);
        assertThat(told).hasSize(1);
    }

    @Test
    void wrongBytesBeforeABreakAreThrownAwayToo() throws Exception {
        byte[] wrong = bytes.clone();
        wrong[5] ^= 1;
        mirror.fault(BLOB, 99, exchange -> {
            var out = exchange.respondStreaming(200, Headers.NONE);
            out.write(wrong, 0, 100_000);
            out.flush();
            end.await(); // stalls
        });
        var repository = repository();
        assertThat(taken(repository, blob)).isEqualTo(bytes);
        assertThat(registry.count(BLOB)).as("once to go on, once from the begin").isEqualTo(2);
        assertThat(told).singleElement().asString().contains("the server sent nothing for 1 seconds");
    }

    @Test
    void aStallIsPassedBy() throws Exception {
        isPassedBy(MANIFEST, _ -> end.await(), "the server sent nothing for 1 seconds");
    }

    @Test
    void aHubOfThisHostThatStallsIsPassedBy() throws Exception {
        var socket = directory.resolve("hub.sock");
        try (var hub = new TestRegistry(socket);
                var near = client(List.of("unix://" + socket), Optional.empty())) {
            hub.fault("GET", 99, _ -> end.await());
            var repository = near.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE, told::add);
            assertThat(repository.fetch("1")).isEqualTo(image);
            assertThat(told).singleElement().asString().contains("the server sent nothing for 1 seconds");
            end.countDown();
        }
    }

    @Test
    void theNextMirrorIsAskedBeforeTheRegistry() throws Exception {
        try (var second = new TestRegistry();
                var two = client(List.of("http://" + mirror.host(), "http://" + second.host()), Optional.empty())) {
            second.image("app", "1", bytes);
            byte[] wrong = bytes.clone();
            wrong[5] ^= 1;
            mirror.fault(BLOB, 99, exchange -> exchange.respond(200, Headers.NONE, wrong));
            var repository = two.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE, told::add);
            assertThat(repository.read(blob, bytes.length)).isEqualTo(bytes);
            assertThat(second.count(BLOB)).isEqualTo(1);
            assertThat(registry.requests).isEmpty();
        }
    }

    @Test
    void theRegistrysOwnWrongBytesAreItsFault() throws Exception {
        registry.blobs.put(blob.digest(), new byte[3_000_000]);
        mirror.blobs.put(blob.digest(), new byte[3_000_000]);
        assertThatThrownBy(() -> taken(repository(), blob)).isInstanceOf(EngineException.Invalid.class);
        assertThat(mirror.count(BLOB)).isEqualTo(1);
        assertThat(registry.count(BLOB)).isEqualTo(1);
    }

    @Test
    void credentialsStayWithTheRegistry() throws Exception {
        registry.demand("Basic " + Base64.getEncoder().encodeToString("ada:secret".getBytes()), "Basic realm=\"own\"");
        mirror.fault(BLOB, 99, exchange -> exchange.respond(200, Headers.NONE, new byte[3_000_000]));
        mirror.fault(MANIFEST, 99, exchange -> exchange.respond(401,
                Headers.of("WWW-Authenticate", "Basic realm=\"mirror\""), TestRegistry.NOTHING));
        var auth = new AuthConfig("ada", "secret", "", "", registry.host());
        for (int round = 0; round < 2; round++) {
            var first = client.repository(Reference.parse(registry.host() + "/app"), auth, told::add);
            assertThat(first.fetch("1")).isEqualTo(image);
            var second = client.repository(Reference.parse(registry.host() + "/app"), auth, told::add);
            assertThat(taken(second, blob)).isEqualTo(bytes);
        }
        assertThat(mirror.requests).hasSize(4).allMatch(request -> request.endsWith(" []"));
        assertThat(registry.requests).anyMatch(request -> request.contains("[Basic "));
    }

    @Test
    void aCopyTakesTheNextPlacesBytes() throws Exception {
        mirror.fault(BLOB, 1, exchange -> exchange.respond(200, Headers.NONE, new byte[3_000_000]));
        try (var target = new TestRegistry()) {
            var to = Reference.parse(target.host() + "/app:2");
            var from = Reference.parse(registry.host() + "/app:1");
            mirror.blobs.remove(image.manifest().config().digest());
            new ImageCopy(repository(), from, client.repository(to, AuthConfig.NONE), to, (_, _) -> { }).run();
            assertThat(target.blobs.get(blob.digest())).isEqualTo(bytes);
        }
    }

    @Test
    void aTagOfAMirrorCanBeDoubted() throws Exception {
        var stale = mirror.image("app", "1", "old".getBytes());
        var repository = repository();
        assertThat(repository.fetch("1")).isEqualTo(stale);
        assertThat(repository.doubt(new EngineException.Unavailable("no room"))).isFalse();
        assertThat(repository.doubt(new EngineException.NotFound("its layer is gone"))).isTrue();
        assertThat(repository.fetch("1")).isEqualTo(image);
        assertThat(repository.doubt(new EngineException.NotFound("really gone"))).isFalse();
        assertThat(told).containsExactly("Passed by mirror " + mirror.host() + " of " + registry.host()
                + ": its layer is gone");
    }
}
