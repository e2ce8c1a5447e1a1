package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.ClientRequest;
import carafe.hub.store.Verifier;
import carafe.hub.upstream.Upstream;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pull-through: another hub is the upstream, reached by a port that can be cut and that counts what it is asked.
@Timeout(120)
class UpstreamTest {

    private static final String CONFIG = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

    @TempDir
    private Path directory;

    private final TestClock clock = new TestClock();
    private final AtomicInteger blobs = new AtomicInteger();
    private volatile boolean cut;
    private volatile boolean lying;
    private volatile boolean headless;
    private volatile CountDownLatch pause = new CountDownLatch(0);
    private TestHub far;
    private TestHub near;
    private Registry there;
    private Registry here;

    /// The far hub, through its protocol.
    private final class Far implements Upstream {
        private Registry.Got ask(ClientRequest request) throws IOException {
            if (cut) {
                throw new IOException("no route to host");
            }
            return there.send(request);
        }

        @Override
        public Optional<Digest> resolve(String repository, String tag) throws IOException {
            if (headless) {
                return Optional.empty();
            }
            var got = ask(ClientRequest.of("HEAD", "/v2/" + repository + "/manifests/" + tag));
            try {
                return got.status() == 200 ? Optional.of(Digest.parse(got.header("Docker-Content-Digest"))) : Optional.empty();
            } catch (carafe.spec.EngineException.Invalid e) {
                throw new IOException(e);
            }
        }

        @Override
        public Optional<Found> manifest(String repository, String reference) throws IOException {
            var got = ask(ClientRequest.get("/v2/" + repository + "/manifests/" + reference));
            return got.status() == 200 ? Optional.of(new Found(got.body(), got.header("Content-Type"))) : Optional.empty();
        }

        @Override
        public InputStream blob(String repository, Descriptor blob) throws IOException {
            blobs.incrementAndGet();
            byte[] body = ask(ClientRequest.get("/v2/" + repository + "/blobs/" + blob.digest())).body();
            if (lying) {
                body[body.length - 1] ^= 1;
            }
            var held = pause;
            var tail = new InputStream() {
                private boolean waited;

                @Override
                public int read() throws IOException {
                    try {
                        if (!waited) {
                            held.await();
                            waited = true;
                        }
                        return -1;
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                }
            };
            int half = body.length / 2;
            return new SequenceInputStream(new SequenceInputStream(new ByteArrayInputStream(body, 0, half), tail),
                    new ByteArrayInputStream(body, half, body.length - half));
        }
    }

    @BeforeEach
    void start() throws Exception {
        far = new TestHub(directory.resolve("far")).start();
        near = new TestHub(directory.resolve("near")).clock(clock).upstreams(_ -> new Far())
                .with("upstreams", "[{\"registry\":\"far.example\",\"fresh\":\"10m\"}]").start();
        there = Registry.of(far);
        here = Registry.of(near);
    }

    @AfterEach
    void stop() {
        there.close();
        here.close();
        near.close();
        far.close();
    }

    @Test
    void anImageComesThroughOnceAndStays() throws Exception {
        byte[] manifest = there.pushImage("lib/app", "v", CONFIG, "layer");
        String layer = "/v2/far.example/lib/app/blobs/" + Digest.sha256("layer".getBytes(StandardCharsets.UTF_8));
        assertThat(here.get(layer).status()).isEqualTo(404); // only what a manifest here names is fetched
        assertThat(here.get("/v2/far.example/lib/app/manifests/v").body()).isEqualTo(manifest);
        assertThat(here.head(layer).header("Content-Length")).isEqualTo("5");
        assertThat(blobs.get()).isZero();
        assertThat(here.get(layer).text()).isEqualTo("layer");
        awaitStored(layer);
        cut = true;
        assertThat(here.get(layer).text()).isEqualTo("layer");
        assertThat(here.get("/v2/far.example/lib/app/manifests/" + Digest.sha256(manifest)).body()).isEqualTo(manifest);
        clock.advance(Duration.ofHours(1));
        assertThat(here.get("/v2/far.example/lib/app/manifests/v").body()).isEqualTo(manifest); // stale beats nothing
        assertThat(here.get("/v2/far.example/lib/other/manifests/v").status()).isEqualTo(503);
        assertThat(blobs.get()).isEqualTo(1);
    }

    /// A blob is a repository's own once it is: then its lease can be asked for without an upstream.
    private void awaitStored(String layer) throws IOException {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (blobs.get() > 0 && !here.get(layer).header("ETag").isEmpty() && fetching()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
        }
    }

    private boolean fetching() throws IOException {
        return !here.get("/metrics").text().contains("carafe_hub_upstream_bytes_total");
    }

    @Test
    void aTagIsAskedForAgainWhenItIsOld() throws Exception {
        there.pushImage("app", "v", CONFIG, "one");
        byte[] first = here.get("/v2/far.example/app/manifests/v").body();
        byte[] second = there.pushImage("app", "v", CONFIG, "two");
        assertThat(here.get("/v2/far.example/app/manifests/v").body()).isEqualTo(first);
        clock.advance(Duration.ofMinutes(11));
        assertThat(here.get("/v2/far.example/app/manifests/v").body()).isEqualTo(second);
        there.delete("/v2/app/manifests/v");
        clock.advance(Duration.ofMinutes(11));
        assertThat(here.get("/v2/far.example/app/manifests/v").status()).isEqualTo(404);
    }

    /// Some registries answer no HEAD, or say nothing of the digest.
    @Test
    void aTagOfAnUpstreamThatAnswersNoHeadStays() throws Exception {
        headless = true;
        there.pushImage("app", "v", CONFIG, "one");
        byte[] first = here.get("/v2/far.example/app/manifests/v").body();
        clock.advance(Duration.ofMinutes(11));
        assertThat(here.get("/v2/far.example/app/manifests/v").body()).isEqualTo(first);
        byte[] second = there.pushImage("app", "v", CONFIG, "two");
        clock.advance(Duration.ofMinutes(11));
        assertThat(here.get("/v2/far.example/app/manifests/v").body()).isEqualTo(second);
        there.delete("/v2/app/manifests/v");
        clock.advance(Duration.ofMinutes(11));
        assertThat(here.get("/v2/far.example/app/manifests/v").status()).isEqualTo(404);
    }

    @Test
    void aCacheTakesPushesAndKeepsThem() throws Exception {
        there.pushImage("app", "v", CONFIG, "far");
        byte[] pushed = here.pushImage("far.example/app", "v", CONFIG, "near");
        clock.advance(Duration.ofHours(1));
        assertThat(here.get("/v2/far.example/app/manifests/v").body()).isEqualTo(pushed);
        byte[] own = here.pushImage("own/thing", "v", CONFIG, "mine");
        assertThat(here.get("/v2/own/thing/manifests/v").body()).isEqualTo(own);
    }

    @Test
    void aMirrorsClientNamesTheUpstreamByNs() throws Exception {
        byte[] manifest = there.pushImage("lib/app", "v", CONFIG, "layer");
        assertThat(here.get("/v2/lib/app/manifests/v?ns=far.example").body()).isEqualTo(manifest);
        assertThat(here.get("/v2/lib/app/manifests/v?ns=elsewhere.example").status()).isEqualTo(404);
    }

    @Test
    void parallelPullsFetchABlobOnceAndReadItWhileItComes() throws Exception {
        String body = "0123456789".repeat(100_000);
        there.pushImage("app", "v", CONFIG, body);
        here.get("/v2/far.example/app/manifests/v");
        String layer = "/v2/far.example/app/blobs/" + Digest.sha256(body.getBytes(StandardCharsets.UTF_8));
        pause = new CountDownLatch(1);
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = new ArrayList<Future<Registry.Got>>();
            for (int i = 0; i < 16; i++) {
                answers.add(pool.submit(() -> {
                    try (var client = Registry.of(near)) {
                        return client.get(layer);
                    }
                }));
            }
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (blobs.get() == 0) {
                assertThat(System.nanoTime()).isLessThan(deadline);
            }
            try (var client = Registry.of(near)) { // the first half can be read before the second has come
                var piece = client.send(ClientRequest.get(layer).header("Range", "bytes=0-99"));
                assertThat(piece.text()).isEqualTo(body.substring(0, 100));
            }
            pause.countDown();
            for (var answer : answers) {
                assertThat(answer.get().text()).isEqualTo(body);
            }
        }
        assertThat(blobs.get()).isEqualTo(1);
    }

    @Test
    void bytesThatAreNotWhatTheyShouldBeAreNotKept() throws Exception {
        there.pushImage("app", "v", CONFIG, "layer");
        here.get("/v2/far.example/app/manifests/v");
        String layer = "/v2/far.example/app/blobs/" + Digest.sha256("layer".getBytes(StandardCharsets.UTF_8));
        lying = true;
        assertThatThrownBy(() -> {
            var got = here.get(layer);
            if (got.status() != 200) {
                throw new IOException("refused: " + got.status());
            }
        }).isInstanceOf(IOException.class); // torn or refused, as it comes; never whole
        lying = false;
        assertThat(here.get(layer).text()).isEqualTo("layer");
    }

    /// The cache's own copy is damaged: the next pull fetches it anew, and a repair does without waiting for one.
    @Test
    void whatWasDamagedHereComesAnewFromTheUpstream() throws Exception {
        byte[] manifest = there.pushImage("app", "v", CONFIG, "layer");
        String layer = "/v2/far.example/app/blobs/" + Digest.sha256("layer".getBytes(StandardCharsets.UTF_8));
        here.get("/v2/far.example/app/manifests/v");
        here.get(layer);
        awaitStored(layer);
        stopNear();
        Damage.flip(directory.resolve("near"), Digest.sha256("layer".getBytes(StandardCharsets.UTF_8)));
        Damage.flip(directory.resolve("near"), Digest.sha256(manifest));
        near.start();
        here = Registry.of(near);
        var got = here.get("/v2/far.example/app/manifests/v");
        assertThat(got.status()).as(got.text()).isEqualTo(200);
        assertThat(got.body()).isEqualTo(manifest);
        assertThatThrownBy(() -> here.get(layer)).isInstanceOf(IOException.class);
        assertThat(here.get(layer).text()).isEqualTo("layer");
        assertThat(blobs.get()).isEqualTo(2);
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (fetching()) {
            assertThat(System.nanoTime()).isLessThan(deadline);
        }

        stopNear();
        Damage.flip(directory.resolve("near"), Digest.sha256("layer".getBytes(StandardCharsets.UTF_8)));
        Damage.flip(directory.resolve("near"), Digest.sha256(manifest));
        near.start();
        here = Registry.of(near);
        var report = near.hub().verify(true);
        assertThat(report.faults()).hasSize(2).allMatch(Verifier.Fault::repaired);
        assertThat(report.faults()).extracting(Verifier.Fault::kind).containsExactly("manifest", "blob");
        cut = true;
        assertThat(here.get("/v2/far.example/app/manifests/v").body()).isEqualTo(manifest);
        assertThat(here.get(layer).text()).isEqualTo("layer");
        assertThat(near.hub().verify(false).faults()).isEmpty();
    }

    private void stopNear() {
        here.close();
        near.close();
    }
}
