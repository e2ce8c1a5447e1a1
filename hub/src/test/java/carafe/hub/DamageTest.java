package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Address;
import carafe.http.ClientRequest;
import carafe.http.HttpClient;
import carafe.hub.store.Verifier.Fault;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Bits that flip on the hub's disk: nobody gets them as a whole answer, they are found by reading, set aside, and the next
/// push brings sound ones.
@Timeout(120)
class DamageTest {

    private static final String CONFIG = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
    private static final byte[] LARGE = new byte[3_000_001];

    static {
        new Random(5).nextBytes(LARGE);
    }

    @TempDir
    private Path directory;

    private final TestClock clock = new TestClock();
    private TestHub hub;
    private Registry registry;

    @BeforeEach
    void start() throws Exception {
        hub = new TestHub(directory).clock(clock).start();
        registry = Registry.of(hub);
    }

    @AfterEach
    void stop() {
        registry.close();
        hub.close();
    }

    /// What was in memory is forgotten.
    private void restart() throws Exception {
        stop();
        hub.start();
        registry = Registry.of(hub);
    }

    private static Digest digest(String text) {
        return Digest.sha256(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aDamagedBlobIsNeverAWholeAnswerAndTheNextPushHealsIt() throws Exception {
        var blob = registry.pushBlob("a", LARGE);
        String path = "/v2/a/blobs/" + blob;
        assertThat(registry.get(path).body()).isEqualTo(LARGE);
        Damage.flip(directory, blob);
        assertThatThrownBy(() -> registry.get(path)).isInstanceOf(IOException.class);
        assertThat(Damage.file(directory, blob)).doesNotExist();
        assertThat(Damage.aside(directory, blob)).hasSize(LARGE.length);
        assertThat(registry.get("/metrics").text()).contains("carafe_hub_damaged 1");
        assertThat(registry.get(path).code()).isEqualTo("BLOB_UNKNOWN");
        assertThat(registry.head(path).status()).isEqualTo(404); // so that a client pushes it
        assertThat(registry.post("/v2/b/blobs/uploads/?mount=" + blob + "&from=a").status()).isEqualTo(202);
        registry.pushBlob("a", LARGE);
        assertThat(registry.get(path).body()).isEqualTo(LARGE);
        assertThat(registry.head(path).status()).isEqualTo(200);
        clock.advance(Duration.ofDays(8));
        hub.hub().collect();
        assertThat(Damage.aside(directory, blob)).doesNotExist();
    }

    /// A blob that was read and right is believed for a day, then read again.
    @Test
    void aFlipThatLeavesTheFilesTimesIsFoundADayLater() throws Exception {
        var blob = registry.pushBlob("a", LARGE);
        String path = "/v2/a/blobs/" + blob;
        assertThat(registry.get(path).body()).isEqualTo(LARGE);
        var time = Files.getLastModifiedTime(Damage.file(directory, blob));
        Damage.flip(directory, blob);
        Files.setLastModifiedTime(Damage.file(directory, blob), time);
        clock.advance(Duration.ofHours(25));
        assertThatThrownBy(() -> registry.get(path)).isInstanceOf(IOException.class);
        assertThat(registry.get(path).status()).isEqualTo(404);
    }

    @Test
    void aPushOverDamageNobodyHasSeenHeals() throws Exception {
        var blob = registry.pushBlob("a", LARGE);
        Damage.flip(directory, blob);
        registry.pushBlob("b", LARGE);
        assertThat(registry.get("/v2/a/blobs/" + blob).body()).isEqualTo(LARGE);
        byte[] manifest = registry.pushImage("a", "v", CONFIG, "layer");
        restart();
        Damage.flip(directory, Digest.sha256(manifest));
        assertThat(registry.pushManifest("a", "w", MediaTypes.OCI_MANIFEST, manifest).status()).isEqualTo(201);
        restart();
        assertThat(registry.get("/v2/a/manifests/v").body()).isEqualTo(manifest);
    }

    @Test
    void aDamagedManifestIsAbsentUntilItIsPushedAndLosesNoneOfItsBlobs() throws Exception {
        hub.with("retention", "[{\"namespace\":\"**\",\"tags\":\"none\",\"keep-last\":1,\"untagged\":\"1h\"}]");
        byte[] manifest = registry.pushImage("a", "v", CONFIG, "layer");
        registry.pushImage("other", "v", CONFIG, "loose");
        registry.pushImage("a", "untagged", CONFIG, "young");
        registry.delete("/v2/a/manifests/untagged");
        restart();
        Damage.flip(directory, Digest.sha256(manifest));
        assertThat(registry.head("/v2/a/manifests/v").status()).isEqualTo(404);
        assertThat(registry.get("/v2/a/manifests/" + Digest.sha256(manifest)).code()).isEqualTo("MANIFEST_UNKNOWN");
        registry.delete("/v2/other/manifests/v");
        registry.delete("/v2/other/manifests/" + Digest.sha256(Registry.manifest(
                carafe.spec.oci.Descriptor.of(MediaTypes.OCI_CONFIG, CONFIG.getBytes(StandardCharsets.UTF_8)),
                List.of(carafe.spec.oci.Descriptor.of(MediaTypes.OCI_LAYER_GZIP, "loose".getBytes(StandardCharsets.UTF_8))))));
        clock.advance(Duration.ofHours(2));
        hub.hub().collect();
        assertThat(Damage.file(directory, digest("loose"))).doesNotExist(); // other repositories are collected as ever
        assertThat(registry.get("/v2/a/blobs/" + digest("layer")).text()).isEqualTo("layer");
        assertThat(registry.delete("/v2/a/blobs/" + digest("layer")).status()).isEqualTo(503);
        assertThat(registry.pushManifest("a", "v", MediaTypes.OCI_MANIFEST, manifest).status()).isEqualTo(201);
        assertThat(registry.get("/v2/a/manifests/v").body()).isEqualTo(manifest);
    }

    @Test
    void aDamagedManifestCanBeDeleted() throws Exception {
        byte[] manifest = registry.pushImage("a", "v", CONFIG, "layer");
        restart();
        Damage.flip(directory, Digest.sha256(manifest));
        assertThat(registry.get("/v2/a/manifests/v").status()).isEqualTo(404);
        assertThat(registry.delete("/v2/a/manifests/" + Digest.sha256(manifest)).status()).isEqualTo(202);
        assertThat(registry.delete("/v2/a/blobs/" + digest("layer")).status()).isEqualTo(202);
    }

    @Test
    void aManifestThatNamesWhatWasSetAsideIsRefused() throws Exception {
        byte[] manifest = registry.image("a", CONFIG, "layer");
        Damage.flip(directory, digest("layer"));
        assertThatThrownBy(() -> registry.get("/v2/a/blobs/" + digest("layer"))).isInstanceOf(IOException.class);
        var refused = registry.pushManifest("a", "v", MediaTypes.OCI_MANIFEST, manifest);
        assertThat(refused.code()).isEqualTo("MANIFEST_BLOB_UNKNOWN");
        registry.pushBlob("a", "layer".getBytes(StandardCharsets.UTF_8));
        assertThat(registry.pushManifest("a", "v", MediaTypes.OCI_MANIFEST, manifest).status()).isEqualTo(201);
    }

    @Test
    void everythingIsReadAndSaidAndSetAsideOnlyWhenAsked() throws Exception {
        byte[] manifest = registry.pushImage("a", "v", CONFIG, "layer", "lost");
        registry.pushBlob("b", "layer".getBytes(StandardCharsets.UTF_8));
        var loose = registry.pushBlob("c", LARGE);
        assertThat(hub.hub().verify(false).faults()).isEmpty();
        registry.delete("/v2/c/blobs/" + loose);
        restart();
        Damage.flip(directory, digest("layer"));
        Damage.flip(directory, Digest.sha256(manifest));
        Damage.flip(directory, loose);
        Files.delete(Damage.file(directory, digest("lost")));
        var found = hub.hub().verify(false);
        assertThat(found.blobs()).isEqualTo(4);
        assertThat(found.bytes()).isEqualTo(LARGE.length + CONFIG.length() + 5 + manifest.length);
        assertThat(found.faults()).containsExactlyInAnyOrder(
                new Fault("manifest", Digest.sha256(manifest).toString(), "its bytes have another digest", List.of("a"), false),
                new Fault("blob", digest("layer").toString(), "its bytes have another digest", List.of("a", "b"), false),
                new Fault("blob", digest("lost").toString(), "its bytes are not here", List.of("a"), false),
                new Fault("blob", loose.toString(), "its bytes have another digest", List.of(), false));
        assertThat(Damage.file(directory, digest("layer"))).exists();

        try (var client = new HttpClient(new Address.Unix(hub.socket()), Duration.ofSeconds(5));
                var answer = client.send(ClientRequest.of("POST", "/api/v1/verify?repair=true"))) {
            String said = new String(answer.readBody(1 << 20), StandardCharsets.UTF_8);
            assertThat(said).containsOnlyOnce("\"repaired\":true"); // what nobody needs is repaired by being gone
            assertThat(Json.parseObject(said.getBytes(StandardCharsets.UTF_8)).objects("faults")).hasSize(4);
        }
        assertThat(Damage.aside(directory, digest("layer"))).exists();
        for (String blob : List.of("layer", "lost")) {
            assertThat(registry.head("/v2/a/blobs/" + digest(blob)).status()).isEqualTo(404);
            registry.pushBlob("a", blob.getBytes(StandardCharsets.UTF_8));
        }
        registry.pushManifest("a", "v", MediaTypes.OCI_MANIFEST, manifest);
        assertThat(hub.hub().verify(false).faults()).isEmpty();
        assertThat(registry.get("/v2/b/blobs/" + digest("layer")).text()).isEqualTo("layer");
    }

    /// A stop comes as an interrupt: a read that it ended says nothing of what was read.
    @Test
    void aVerificationThatIsStoppedSetsNothingAside() throws Exception {
        registry.pushImage("a", "v", CONFIG, "layer");
        var blob = registry.pushBlob("a", LARGE);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> hub.hub().verify(true)).hasMessage(
                "the hub's content was not verified: the verification was interrupted before all was read");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(Damage.file(directory, blob)).exists();
        assertThat(hub.hub().verify(true).faults()).isEmpty();
    }

    @Test
    void aManifestThatIsStillInMemoryIsNotGoneWhenItsFileIsReadAsABlob() throws Exception {
        byte[] manifest = registry.pushImage("a", "v", CONFIG, "layer");
        registry.get("/v2/a/manifests/v");
        Damage.flip(directory, Digest.sha256(manifest));
        String path = "/v2/a/blobs/" + Digest.sha256(manifest);
        assertThatThrownBy(() -> registry.get(path)).isInstanceOf(IOException.class);
        assertThat(registry.get(path).body()).isEqualTo(manifest);
        restart();
        assertThat(registry.get("/v2/a/manifests/v").body()).isEqualTo(manifest);
    }

    /// What is in memory is as good as an upstream.
    @Test
    void aManifestThatIsStillInMemoryIsStoredAnew() throws Exception {
        byte[] manifest = registry.pushImage("a", "v", CONFIG, "layer");
        registry.get("/v2/a/manifests/v");
        Damage.flip(directory, Digest.sha256(manifest));
        assertThat(hub.hub().verify(true).faults()).singleElement().matches(Fault::repaired);
        restart();
        assertThat(registry.get("/v2/a/manifests/v").body()).isEqualTo(manifest);
    }

    @Test
    void repositoryFactsThatAreDamagedAreSaid() throws Exception {
        registry.pushImage("a", "v", CONFIG, "layer");
        registry.pushImage("a", "w", CONFIG, "other");
        registry.close();
        hub.close();
        Path facts = directory.resolve("hub/repositories/a/_facts");
        byte[] bytes = Files.readAllBytes(facts);
        bytes[20] ^= 1;
        Files.write(facts, bytes);
        hub.start();
        registry = Registry.of(hub);
        assertThat(hub.hub().verify(true).faults()).singleElement().satisfies(fault -> {
            assertThat(fault.kind()).isEqualTo("repository");
            assertThat(fault.what()).contains("is damaged in line 1");
        });
    }

    @Test
    void onlyAdministratorsMayHaveContentVerified() throws Exception {
        try (var other = new TestHub(directory.resolve("users")).user("alice", "pw", "**", "admin")
                .user("bob", "pw", "**", "pull", "push", "delete").start();
                var alice = Registry.of(other, "alice", "pw"); var bob = Registry.of(other, "bob", "pw");
                var nobody = Registry.of(other)) {
            assertThat(nobody.post("/api/v1/verify").status()).isEqualTo(401);
            assertThat(bob.post("/api/v1/verify").status()).isEqualTo(403);
            assertThat(alice.post("/api/v1/verify").json().number("blobs", -1)).isZero();
            assertThat(alice.get("/api/v1/verify").status()).isEqualTo(405);
        }
    }
}
