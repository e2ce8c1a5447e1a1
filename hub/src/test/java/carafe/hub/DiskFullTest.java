package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.ClientRequest;
import carafe.spec.oci.Digest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A hub on a filesystem of eight megabytes: what does not fit is refused and leaves nothing, what is there is served, and
/// deleting makes room.
@Timeout(120)
class DiskFullTest {

    @TempDir
    private Path directory;

    private final TestClock clock = new TestClock();
    private TestHub hub;

    @BeforeEach
    void start() throws Exception {
        run("mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", directory.toString());
        hub = new TestHub(directory).clock(clock).start();
    }

    @AfterEach
    void stop() throws Exception {
        hub.close();
        run("umount", directory.toString());
    }

    private static void run(String... words) throws Exception {
        assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).as(String.join(" ", words)).isZero();
    }

    private static String bytes(int seed, int length) {
        var text = new StringBuilder(length);
        new Random(seed).ints(length, 'a', 'z' + 1).forEach(letter -> text.append((char) letter));
        return text.toString();
    }

    private static void fill(Path file) throws Exception {
        try (var out = Files.newOutputStream(file)) {
            byte[] some = new byte[4096];
            while (true) {
                out.write(some);
            }
        } catch (java.io.IOException e) {
            assertThat(e).hasMessageContaining("No space left");
        }
    }

    @Test
    void whatDoesNotFitIsRefusedAndWhatIsThereIsServed() throws Exception {
        try (var client = Registry.of(hub)) {
            byte[] manifest = client.pushImage("team/app", "v1", "{}", bytes(1, 2 << 20));
            byte[] big = bytes(2, 9 << 20).getBytes();
            var refused = client.send(ClientRequest.of("POST", "/v2/team/big/blobs/uploads/?digest=" + Digest.sha256(big))
                    .body("application/octet-stream", big));
            assertThat(refused.status()).isEqualTo(507);
            assertThat(new String(refused.body())).contains("no space is left on the hub's disk");
            assertThat(client.get("/v2/team/app/manifests/v1").body()).isEqualTo(manifest);
            // The room of the refused one is free again.
            client.pushImage("team/app", "v2", "{}", bytes(3, 3 << 20));
            fill(directory.resolve("filler"));
            byte[] more = bytes(4, 10_000).getBytes();
            String place = "/v2/team/app/blobs/" + Digest.sha256(more);
            assertThat(client.send(ClientRequest.of("POST", "/v2/team/app/blobs/uploads/?digest=" + Digest.sha256(more))
                    .body("application/octet-stream", more)).status()).isEqualTo(507);
            assertThat(client.get(place).status()).isEqualTo(404);
            assertThat(client.get("/v2/team/app/manifests/v2").status()).isEqualTo(200);
        }
    }

    @Test
    void deletingMakesRoomWithNotAByteFree() throws Exception {
        try (var client = Registry.of(hub)) {
            client.pushImage("team/app", "v1", "{}", bytes(1, 2 << 20));
            byte[] other = client.pushImage("team/other", "v1", "{}", bytes(2, 2 << 20));
            fill(directory.resolve("filler"));
            assertThat(client.delete("/v2/team/other/manifests/" + Digest.sha256(other)).status()).isEqualTo(202);
            clock.advance(Duration.ofHours(2));
            hub.hub().collect();
            client.pushImage("team/app", "v2", "{}", bytes(3, 1 << 20));
            assertThat(client.get("/v2/team/app/manifests/v1").status()).isEqualTo(200);
            hub.close();
            hub.start();
        }
        try (var again = Registry.of(hub)) {
            assertThat(again.get("/v2/team/app/manifests/v2").status()).isEqualTo(200);
            assertThat(again.get("/v2/team/other/manifests/v1").status()).isEqualTo(404);
        }
    }

    @Test
    void aManifestThatDoesNotFitLeavesTheOldOneUnderItsTag() throws Exception {
        try (var client = Registry.of(hub)) {
            byte[] old = client.pushImage("team/app", "v", "{}", bytes(1, 1 << 20));
            byte[] next = client.image("team/app", "{}", bytes(2, 1 << 20));
            fill(directory.resolve("filler"));
            var refused = client.pushManifest("team/app", "v", carafe.spec.oci.MediaTypes.OCI_MANIFEST, next);
            assertThat(refused.status()).as(refused.text()).isEqualTo(507);
            assertThat(client.get("/v2/team/app/manifests/v").body()).isEqualTo(old);
            Files.delete(directory.resolve("filler"));
            client.pushManifest("team/app", "v", carafe.spec.oci.MediaTypes.OCI_MANIFEST, next);
            hub.close();
            hub.start();
        }
        try (var again = Registry.of(hub)) {
            assertThat(again.get("/v2/team/app/manifests/v").text()).contains(Digest.sha256(bytes(2, 1 << 20).getBytes()).toString());
            assertThat(hub.hub().verify(false).faults()).isEmpty();
        }
    }
}
