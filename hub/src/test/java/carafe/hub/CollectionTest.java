package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.Address;
import carafe.http.HttpClient;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What nothing names goes, what something names stays, also while many push.
@Timeout(300)
class CollectionTest {

    private static final String CONFIG = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

    @TempDir
    private Path directory;

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private boolean onDisk(Digest digest) {
        return Files.exists(directory.resolve("hub/content/blobs/sha256").resolve(digest.hex()));
    }

    @Test
    void whatNothingNamesGoesWhenItsLeaseIsOver() throws Exception {
        var clock = new TestClock();
        try (var hub = new TestHub(directory).clock(clock).start(); var registry = Registry.of(hub)) {
            byte[] manifest = registry.pushImage("a", "v", CONFIG, "kept");
            var loose = registry.pushBlob("a", bytes("loose"));
            var kept = Digest.sha256(bytes("kept"));
            hub.hub().collect();
            assertThat(onDisk(loose)).isTrue();
            clock.advance(Duration.ofMinutes(50));
            registry.head("/v2/a/blobs/" + loose); // who may push and asks renews the lease
            clock.advance(Duration.ofMinutes(50));
            hub.hub().collect();
            assertThat(onDisk(loose)).isTrue();
            clock.advance(Duration.ofMinutes(61));
            assertThat(hub.hub().collect().deleted()).isEqualTo(1);
            assertThat(onDisk(loose)).isFalse();
            assertThat(registry.get("/v2/a/blobs/" + loose).status()).isEqualTo(404);
            assertThat(onDisk(kept)).isTrue();

            registry.post("/v2/b/blobs/uploads/?mount=" + kept + "&from=a");
            registry.delete("/v2/a/manifests/" + Digest.sha256(manifest));
            clock.advance(Duration.ofMinutes(61));
            registry.head("/v2/b/blobs/" + kept);
            hub.hub().collect();
            assertThat(onDisk(kept)).isTrue(); // the other repository's lease
            assertThat(registry.get("/v2/a/blobs/" + kept).status()).isEqualTo(404);
            clock.advance(Duration.ofMinutes(61));
            hub.hub().collect();
            assertThat(onDisk(kept)).isFalse();
            assertThat(onDisk(Digest.sha256(manifest))).isFalse();
        }
    }

    @Test
    void retentionDropsOldTagsAndUntaggedManifests() throws Exception {
        var clock = new TestClock();
        try (var hub = new TestHub(directory).clock(clock).with("retention", "[{\"namespace\":\"ci/**\",\"tags\":"
                + "\"b[0-9]+\",\"keep-last\":2,\"keep-for\":\"10d\",\"untagged\":\"1d\"}]").start();
                var registry = Registry.of(hub)) {
            for (int i = 0; i < 5; i++) {
                registry.pushImage("ci/app", "b" + i, CONFIG, "layer " + i);
                registry.pushImage("other", "b" + i, CONFIG, "layer " + i);
                clock.advance(Duration.ofDays(3));
            }
            registry.pushImage("ci/app", "release", CONFIG, "layer 0");
            hub.hub().collect();
            // b0 and b1 are older than ten days and not among the last two; b0's manifest is release's too.
            assertThat(registry.get("/v2/ci/app/tags/list").json().texts("tags"))
                    .containsExactly("b2", "b3", "b4", "release");
            assertThat(registry.get("/v2/other/tags/list").json().texts("tags")).hasSize(5);
            assertThat(onDisk(Digest.sha256(bytes("layer 0")))).isTrue();
            assertThat(registry.get("/v2/ci/app/blobs/" + Digest.sha256(bytes("layer 1"))).status()).isEqualTo(404);
        }
    }

    @Test
    void quotasCountWhatIsSharedOnceAndGiveBack() throws Exception {
        try (var hub = new TestHub(directory)
                .with("quotas", "[{\"namespace\":\"small/**\",\"size\":\"2000\"}]")
                .with("collect", "{\"grace\":\"0s\"}").start();
                var registry = Registry.of(hub)) {
            registry.pushBlob("small/a", new byte[1500]);
            registry.pushBlob("small/b", new byte[1500]); // the same bytes
            var over = registry.post("/v2/small/a/blobs/uploads/");
            var got = registry.put(over.header("Location") + "?digest=" + Digest.sha256(new byte[600]), new byte[600]);
            assertThat(got.status()).isEqualTo(403);
            assertThat(got.code()).isEqualTo("DENIED");
            String chunked = registry.post("/v2/small/a/blobs/uploads/").header("Location");
            registry.patch(chunked, new byte[400], "");
            assertThat(registry.patch(chunked, new byte[1700], "").code()).isEqualTo("DENIED");
            registry.pushBlob("large", new byte[5000]);
            hub.hub().collect();
            registry.pushBlob("small/c", new byte[1900]);
        }
    }

    /// 64 clients push images with shared layers, move and delete tags, while garbage is collected without a pause and
    /// leases are far too short. A push may be told that a blob is gone and then sends it again; but what a push was
    /// told is there must be there at the end, byte for byte.
    @Test
    void noReferencedBlobIsLostWhile64ClientsPush() throws Exception {
        long seed = Long.getLong("carafe.seed", System.nanoTime());
        int rounds = Integer.getInteger("carafe.soak.rounds", 12);
        var promised = new ConcurrentHashMap<String, byte[]>();
        var stop = new AtomicBoolean();
        var collections = new AtomicInteger();
        var again = new AtomicInteger();
        try (var hub = new TestHub(directory).with("collect", "{\"grace\":\"1ms\"}").start()) {
            var collector = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    try {
                        hub.hub().collect();
                        collections.incrementAndGet();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                }
            });
            try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
                var clients = new ArrayList<Future<?>>();
                for (int client = 0; client < 64; client++) {
                    int number = client;
                    Callable<?> task = () -> {
                        var random = new Random(seed + number);
                        try (var registry = Registry.of(hub)) {
                            for (int round = 0; round < rounds; round++) {
                                again.addAndGet(push(registry, random, number, promised));
                            }
                        }
                        return number;
                    };
                    clients.add(pool.submit(task));
                }
                for (var client : clients) {
                    client.get();
                }
            }
            stop.set(true);
            collector.join();
            hub.hub().collect();
            assertThat(collections.get()).as("collections during the pushes").isGreaterThan(2);
            try (var registry = Registry.of(hub)) {
                for (var image : promised.entrySet()) {
                    requireWhole(registry, image.getKey(), image.getValue(), seed);
                }
            }
            assertThat(promised).isNotEmpty();
        }
    }

    /// Pushes one image of shared and own layers; how often it had to begin again.
    private static int push(Registry registry, Random random, int client, ConcurrentHashMap<String, byte[]> promised)
            throws Exception {
        String repository = "repo" + client % 8;
        String tag = "client" + client + "-" + random.nextInt(4);
        String key = repository + "/manifests/" + tag;
        String[] layers = {"shared " + random.nextInt(6), "common " + random.nextInt(20), "own " + random.nextLong()};
        for (int again = 0; ; again++) {
            byte[] config = bytes(CONFIG);
            var parts = new ArrayList<Descriptor>();
            upload(registry, repository, config);
            for (String layer : layers) {
                upload(registry, repository, bytes(layer));
                parts.add(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, bytes(layer)));
            }
            byte[] manifest = Registry.manifest(Descriptor.of(MediaTypes.OCI_CONFIG, config), parts);
            var got = registry.pushManifest(repository, tag, MediaTypes.OCI_MANIFEST, manifest);
            if (got.status() == 201) {
                promised.put(key, manifest);
                if (random.nextInt(4) == 0) {
                    assertThat(registry.delete("/v2/" + key).status()).isEqualTo(202);
                    promised.remove(key);
                }
                return again;
            }
            assertThat(got.code()).isEqualTo("MANIFEST_BLOB_UNKNOWN");
            assertThat(again).as("pushes that began again in a row").isLessThan(200);
        }
    }

    /// As clients do: only what is not there, or what another repository has.
    private static void upload(Registry registry, String repository, byte[] body) throws Exception {
        var digest = Digest.sha256(body);
        if (registry.head("/v2/" + repository + "/blobs/" + digest).status() == 200) {
            return;
        }
        var mounted = registry.post("/v2/" + repository + "/blobs/uploads/?mount=" + digest + "&from=repo0");
        if (mounted.status() != 201) {
            assertThat(mounted.status()).isEqualTo(202);
            assertThat(registry.put(mounted.header("Location") + "?digest=" + digest, body).status()).isEqualTo(201);
        }
    }

    private static void requireWhole(Registry registry, String key, byte[] manifest, long seed) throws Exception {
        assertThat(registry.get("/v2/" + key).body()).as(key + ", seed " + seed).isEqualTo(manifest);
        String repository = key.substring(0, key.indexOf('/'));
        var read = carafe.spec.oci.Manifest.parse(manifest);
        for (var part : read.layers()) {
            var blob = registry.get("/v2/" + repository + "/blobs/" + part.digest());
            assertThat(blob.status()).as(key + " " + part.digest() + ", seed " + seed).isEqualTo(200);
            assertThat(part.digest().matches(blob.body())).isTrue();
        }
    }

    @Test
    void aTornJournalLosesOnlyTheChangeThatWasCut() throws Exception {
        byte[] manifest;
        try (var hub = new TestHub(directory).start(); var registry = Registry.of(hub)) {
            manifest = registry.pushImage("a/b", "v", CONFIG, "layer");
            registry.pushManifest("a/b", "w", MediaTypes.OCI_MANIFEST, manifest);
        }
        Path facts = directory.resolve("hub/repositories/a/b/_facts");
        byte[] all = Files.readAllBytes(facts);
        for (int cut : new int[] {1, 5, 30}) {
            Files.write(facts, java.util.Arrays.copyOf(all, all.length - cut));
            try (var hub = new TestHub(directory).start(); var registry = Registry.of(hub)) {
                assertThat(registry.get("/v2/a/b/manifests/v").body()).isEqualTo(manifest);
                assertThat(registry.get("/v2/a/b/manifests/w").status()).isEqualTo(404);
            }
        }
        all[10] ^= 1; // damage in the middle is not taken for a torn end
        Files.write(facts, all);
        try (var hub = new TestHub(directory).start(); var registry = Registry.of(hub)) {
            assertThat(registry.get("/v2/a/b/manifests/v").status()).isEqualTo(500);
            assertThat(registry.get("/v2/").status()).isEqualTo(200);
        }
    }

    @Test
    void aBrokenConnectionLeavesAnUploadThatGoesOn() throws Exception {
        byte[] body = new byte[400_000];
        new Random(3).nextBytes(body);
        try (var hub = new TestHub(directory).start(); var registry = Registry.of(hub)) {
            String place = registry.post("/v2/x/blobs/uploads/").header("Location");
            try (var socket = new java.net.Socket("127.0.0.1", hub.port())) {
                var out = socket.getOutputStream();
                out.write(bytes("PATCH " + place + " HTTP/1.1\r\nHost: h\r\nContent-Length: 400000\r\n\r\n"));
                out.write(body, 0, 250_000);
                out.flush();
            }
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            String range = "";
            while (!range.equals("0-249999")) {
                assertThat(System.nanoTime()).as("still " + range).isLessThan(deadline);
                range = registry.get(place).header("Range");
            }
            byte[] rest = java.util.Arrays.copyOfRange(body, 250_000, 400_000);
            assertThat(registry.patch(place, rest, "250000-399999").status()).isEqualTo(202);
            assertThat(registry.put(place + "?digest=" + Digest.sha256(body), new byte[0]).status()).isEqualTo(201);
        }
    }

    @Test
    void theLocalSocketAndTheStoreAreTheOwnersAlone() throws Exception {
        try (var hub = new TestHub(directory).start()) {
            assertThat(Files.getPosixFilePermissions(directory.resolve("hub")).toString()).doesNotContain("GROUP", "OTHERS");
            assertThat(Files.getPosixFilePermissions(directory.resolve("hub/token.key")).toString())
                    .doesNotContain("GROUP", "OTHERS");
            assertThat(Files.getPosixFilePermissions(hub.socket()).toString()).doesNotContain("OTHERS");
            try (var client = new HttpClient(new Address.Unix(hub.socket()), Duration.ofSeconds(5));
                    var got = client.send(carafe.http.ClientRequest.get("/metrics"))) {
                assertThat(new String(got.readBody(1 << 20), StandardCharsets.UTF_8)).contains("carafe_hub_uploads");
            }
        }
    }
}
