package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.ClientRequest;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Requests that mean harm: names that are paths, documents with two faces, things that are not there, too much of
/// everything.
@Timeout(120)
class HostileTest {

    private static final String CONFIG = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

    @TempDir
    private Path directory;

    private TestHub hub;
    private Registry registry;

    @BeforeEach
    void start() throws Exception {
        hub = new TestHub(directory.resolve("in")).start();
        registry = Registry.of(hub);
    }

    @AfterEach
    void stop() {
        registry.close();
        hub.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aPageIsNoLargerThanWhatThereIs() throws Exception { // CVE-2023-2253
        registry.pushImage("only/one", "v", CONFIG, "layer");
        for (String path : List.of("/v2/_catalog", "/v2/only/one/tags/list")) {
            assertThat(registry.get(path + "?n=999999999").status()).as(path).isEqualTo(200);
            for (String size : List.of("-1", "9999999999", "1e9", "0x7fffffff", "%2B1", "")) {
                var refused = registry.get(path + "?n=" + size);
                assertThat(refused.status()).as(path + "?n=" + size).isEqualTo(400);
                assertThat(refused.code()).isEqualTo("PAGINATION_NUMBER_INVALID");
            }
        }
    }

    @Test
    void namesThatArePathsAreRefusedAndMakeNoFiles() throws Exception {
        long before = files();
        for (String name : List.of("..", "../x", "a/../../x", "%2e%2e/x", "a%2f..%2f..%2fx", "a//b", ".hidden", "a/.b",
                "_facts", "a/_facts", "A", "a/B", "a%00b", "a%0ab", "a%5cb", "-a", "a-", "a..b", "a___b",
                "x".repeat(256), "con/../con", "a/%2e%2e/%2e%2e/etc")) {
            var begun = registry.post("/v2/" + name + "/blobs/uploads/?digest=" + Digest.sha256(bytes("")));
            assertThat(begun.status()).as(name).isIn(400, 405);
            assertThat(registry.get("/v2/" + name + "/manifests/latest").status()).as(name).isIn(400, 404, 405);
            var mount = registry.post("/v2/ok/blobs/uploads/?mount=" + Digest.sha256(bytes("x")) + "&from=" + name);
            assertThat(mount.status()).as(name).isEqualTo(400);
        }
        assertThat(files()).isEqualTo(before);
    }

    @Test
    void tagsDigestsAndUploadIdsAreChecked() throws Exception {
        for (String reference : List.of("..", ".x", "-x", "a%2fb", "x".repeat(129), "sha256:abc", "sha256:" + "G".repeat(64),
                "md5:" + "a".repeat(32), "sha256:" + "A".repeat(64))) {
            assertThat(registry.get("/v2/x/manifests/" + reference).status()).as(reference).isEqualTo(400);
            assertThat(registry.pushManifest("x", reference, MediaTypes.OCI_MANIFEST, bytes("{}")).status())
                    .as(reference).isEqualTo(400);
        }
        for (String id : List.of("x", "..", "%2e%2e%2fx", "00000000-0000-0000-0000-00000000000G")) {
            assertThat(registry.get("/v2/x/blobs/uploads/" + id).status()).as(id).isEqualTo(404);
        }
        assertThat(registry.get("/v2/x/blobs/sha256:../../token.key").status()).isIn(400, 405);
        assertThat(registry.get("/v2/").status()).isEqualTo(200);
    }

    private long files() throws IOException {
        var count = new long[1];
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                count[0]++;
                return FileVisitResult.CONTINUE;
            }
        });
        return count[0];
    }

    /// CVE-2021-41190: no document may be a manifest to one and an index to another.
    @Test
    void documentsWithTwoFacesAreRefused() throws Exception {
        String manifest = new String(registry.image("x", CONFIG, "layer"), StandardCharsets.UTF_8);
        String head = manifest.substring(0, manifest.length() - 1);
        String index = "{\"schemaVersion\":2,\"mediaType\":\"" + MediaTypes.OCI_INDEX + "\",\"manifests\":[]";
        record Case(String type, String body) {}
        for (var wrong : List.of(
                new Case(MediaTypes.OCI_MANIFEST, head + ",\"manifests\":[]}"),
                new Case(MediaTypes.OCI_MANIFEST, head + ",\"Manifests\":[]}"),
                new Case(MediaTypes.OCI_MANIFEST, head + ",\"fsLayers\":[]}"),
                new Case(MediaTypes.OCI_INDEX, manifest),
                new Case(MediaTypes.OCI_MANIFEST, index + "}"),
                new Case(MediaTypes.OCI_INDEX, index + ",\"layers\":[]}"),
                new Case(MediaTypes.OCI_INDEX, index + ",\"config\":{}}"),
                new Case(MediaTypes.DOCKER_MANIFEST, manifest),
                new Case("application/json", manifest),
                new Case("application/vnd.docker.distribution.manifest.v1+json", "{\"schemaVersion\":1}"),
                new Case(MediaTypes.OCI_MANIFEST, "[]"),
                new Case(MediaTypes.OCI_MANIFEST, "<html>"),
                new Case(MediaTypes.OCI_MANIFEST, ""),
                new Case(MediaTypes.OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{\"size\":-1}}"),
                new Case(MediaTypes.OCI_MANIFEST, manifest.replace("\"schemaVersion\":2", "\"schemaVersion\":3")),
                new Case(MediaTypes.OCI_MANIFEST, "{\"a\":".repeat(5000)),
                new Case(MediaTypes.OCI_MANIFEST, manifest + "{}"))) {
            var got = registry.pushManifest("x", "t", wrong.type(), bytes(wrong.body()));
            assertThat(got.status()).as(wrong.body()).isEqualTo(400);
            assertThat(got.code()).as(wrong.body()).isEqualTo("MANIFEST_INVALID");
        }
        assertThat(registry.get("/v2/x/manifests/t").status()).isEqualTo(404);
    }

    @Test
    void aManifestThatNamesAMissingBlobOrAWrongSizeIsRefused() throws Exception {
        registry.pushBlob("x", bytes(CONFIG));
        registry.pushBlob("other", bytes("elsewhere"));
        var config = Descriptor.of(MediaTypes.OCI_CONFIG, bytes(CONFIG));
        for (String layer : List.of("nowhere", "elsewhere")) {
            byte[] manifest = Registry.manifest(config, List.of(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, bytes(layer))));
            var got = registry.pushManifest("x", "t", MediaTypes.OCI_MANIFEST, manifest);
            assertThat(got.status()).isEqualTo(404);
            assertThat(got.code()).isEqualTo("MANIFEST_BLOB_UNKNOWN");
            assertThat(got.text()).contains(Digest.sha256(bytes(layer)).toString());
        }
        byte[] longer = Registry.manifest(
                Descriptor.of(MediaTypes.OCI_CONFIG, config.digest(), config.size() + 1), List.of());
        assertThat(registry.pushManifest("x", "t", MediaTypes.OCI_MANIFEST, longer).code()).isEqualTo("SIZE_INVALID");
        // An ordinary layer cannot claim to lie elsewhere.
        String foreign = new String(Registry.manifest(config,
                List.of(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, bytes("nowhere")))), StandardCharsets.UTF_8)
                .replace("\"layers\":[{", "\"layers\":[{\"urls\":[\"https://example.com/x\"],");
        assertThat(registry.pushManifest("x", "t", MediaTypes.OCI_MANIFEST, bytes(foreign)).code())
                .isEqualTo("MANIFEST_BLOB_UNKNOWN");
    }

    @Test
    void tooMuchIsRefused() throws Exception {
        byte[] large = bytes("{\"schemaVersion\":2,\"x\":\"" + "y".repeat(5 << 20) + "\"}");
        assertThat(registry.pushManifest("x", "t", MediaTypes.OCI_MANIFEST, large).status()).isEqualTo(413);
        var tags = new StringBuilder();
        for (int i = 0; i < 101; i++) {
            tags.append("&tag=t").append(i);
        }
        byte[] manifest = registry.image("x", CONFIG, "layer");
        assertThat(registry.pushManifest("x", Digest.sha256(manifest) + "?" + tags.substring(1), MediaTypes.OCI_MANIFEST,
                manifest).status()).isEqualTo(400);
    }

    /// Whatever is sent, the answer is the protocol's, never a fault of the hub.
    @Test
    void randomRequestsGetProperAnswers() throws Exception {
        long seed = Long.getLong("carafe.seed", System.nanoTime());
        var random = new Random(seed);
        var methods = List.of("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS");
        var pieces = List.of("v2", "x", "y", "blobs", "uploads", "manifests", "tags", "list", "referrers", "_catalog",
                "latest", "sha256:" + "a".repeat(64), "sha512:1", "", "..", "%2e", "%41", "token", "metrics", "api", "v1",
                "search", "r", "assets", "hub.css", "repositories", "sign-in", "?n=1", "?digest=sha256:" + "b".repeat(64));
        for (int i = 0; i < 3000; i++) {
            var path = new StringBuilder();
            for (int j = random.nextInt(7); j >= 0; j--) {
                path.append('/').append(pieces.get(random.nextInt(pieces.size())));
            }
            var request = ClientRequest.of(methods.get(random.nextInt(methods.size())), path.toString());
            if (random.nextInt(3) == 0) {
                byte[] body = new byte[random.nextInt(40)];
                random.nextBytes(body);
                request = new ClientRequest(request.method().equals("GET") ? "PUT" : request.method(), request.target(),
                        request.headers(), new ClientRequest.Body.Bytes(body)).header("Content-Range", "0-" + random.nextInt(9));
            }
            var got = registry.send(request);
            assertThat(got.status()).as("seed " + seed + ": " + request.method() + " " + path).isLessThan(500);
        }
    }
}
