package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/// The hub is killed while many push to it; what it had said it stored is there afterwards, byte for byte.
class HubSurvivesTest {

    private static final int CLIENTS = 16;
    private static final int KILLS = 3;
    private static final String TYPE = "application/vnd.oci.image.manifest.v1+json";

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void whatWasAcknowledgedOutlivesAKill() throws Exception {
        try (var hub = HubUnderTest.open()) {
            Map<String, byte[]> manifests = new ConcurrentHashMap<>();
            for (int round = 0; round < KILLS; round++) {
                int enough = manifests.size() + 40;
                var pushing = new ArrayList<Thread>();
                for (int client = 0; client < CLIENTS; client++) {
                    int seed = round * CLIENTS + client;
                    pushing.add(Thread.ofVirtual().start(() -> pushUntilItDies(hub.host(), seed, manifests)));
                }
                Deadline.await("enough was pushed", () -> manifests.size() >= enough);
                hub.killAndStart();
                for (var thread : pushing) {
                    thread.join();
                }
                assertThat(manifests).hasSizeGreaterThanOrEqualTo(enough);
                for (var pushed : manifests.entrySet()) {
                    requireWhole(hub.host(), pushed.getKey(), pushed.getValue());
                }
            }
        }
    }

    /// Pushes images with two blobs each under `SEED/NUMBER`, until the hub does not answer.
    private void pushUntilItDies(String host, int seed, Map<String, byte[]> manifests) {
        var random = new Random(seed);
        String base = "http://" + host + "/v2/kill/app" + seed;
        try {
            for (int i = 0; ; i++) {
                byte[] layer = new byte[20_000 + random.nextInt(200_000)];
                random.nextBytes(layer);
                byte[] config = ("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + digest(layer) + "\"]}}")
                        .getBytes(StandardCharsets.UTF_8);
                push(base, layer);
                push(base, config);
                byte[] manifest = ("{\"schemaVersion\":2,\"mediaType\":\"" + TYPE + "\",\"config\":"
                        + descriptor("application/vnd.oci.image.config.v1+json", config) + ",\"layers\":["
                        + descriptor("application/vnd.oci.image.layer.v1.tar", layer) + "]}").getBytes(StandardCharsets.UTF_8);
                var put = send(HttpRequest.newBuilder(URI.create(base + "/manifests/v" + i)).header("Content-Type", TYPE)
                        .PUT(BodyPublishers.ofByteArray(manifest)));
                assertThat(put.statusCode()).isEqualTo(201);
                manifests.put("app" + seed + "/manifests/v" + i, manifest);
            }
        } catch (IOException e) {
            return; // killed
        }
    }

    private void push(String base, byte[] blob) throws IOException {
        var post = send(HttpRequest.newBuilder(URI.create(base + "/blobs/uploads/?digest=" + digest(blob)))
                .header("Content-Type", "application/octet-stream").POST(BodyPublishers.ofByteArray(blob)));
        assertThat(post.statusCode()).isEqualTo(201);
    }

    private static String descriptor(String type, byte[] blob) {
        return "{\"mediaType\":\"" + type + "\",\"digest\":\"" + digest(blob) + "\",\"size\":" + blob.length + "}";
    }

    private static String digest(byte[] bytes) {
        try {
            return "sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }

    private HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException {
        try {
            return http.send(request.build(), BodyHandlers.ofByteArray());
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void requireWhole(String host, String what, byte[] manifest) throws IOException {
        String base = "http://" + host + "/v2/kill/";
        var got = send(HttpRequest.newBuilder(URI.create(base + what)).header("Accept", TYPE).GET());
        assertThat(got.statusCode()).as(what).isEqualTo(200);
        assertThat(got.body()).as(what).isEqualTo(manifest);
        var digests = java.util.regex.Pattern.compile("\"digest\":\"(sha256:[0-9a-f]{64})\"")
                .matcher(new String(manifest, StandardCharsets.UTF_8));
        while (digests.find()) {
            var blob = send(HttpRequest.newBuilder(
                    URI.create(base + what.substring(0, what.indexOf('/')) + "/blobs/" + digests.group(1))).GET());
            assertThat(blob.statusCode()).as(what).isEqualTo(200);
            assertThat(digest(blob.body())).as(what).isEqualTo(digests.group(1));
        }
    }
}
