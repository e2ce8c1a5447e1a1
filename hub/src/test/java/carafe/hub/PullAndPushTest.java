package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.http.ClientRequest;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The distribution protocol, request by request. Source: OCI distribution-spec 1.1.
@Timeout(120)
class PullAndPushTest {

    private static final String CONFIG = "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":"
            + "{\"type\":\"layers\",\"diff_ids\":[]}}";

    @TempDir
    private Path directory;

    private TestHub hub;
    private Registry registry;

    @BeforeEach
    void start() throws Exception {
        hub = new TestHub(directory).start();
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
    void theRootAnswersThatThisIsARegistry() throws Exception {
        var got = registry.get("/v2/");
        assertThat(got.status()).isEqualTo(200);
        assertThat(got.header("Docker-Distribution-Api-Version")).isEqualTo("registry/2.0");
    }

    @Test
    void aBlobGoesInByPostAndPutAndComesOutInPieces() throws Exception {
        byte[] body = new byte[300_000];
        new Random(1).nextBytes(body);
        var digest = registry.pushBlob("a/b", body);
        String path = "/v2/a/b/blobs/" + digest;
        var head = registry.head(path);
        assertThat(head.status()).isEqualTo(200);
        assertThat(head.header("Content-Length")).isEqualTo("300000");
        assertThat(head.header("Docker-Content-Digest")).isEqualTo(digest.toString());
        assertThat(registry.get(path).body()).isEqualTo(body);

        var piece = registry.send(ClientRequest.get(path).header("Range", "bytes=100-199"));
        assertThat(piece.status()).isEqualTo(206);
        assertThat(piece.header("Content-Range")).isEqualTo("bytes 100-199/300000");
        assertThat(piece.body()).isEqualTo(Arrays.copyOfRange(body, 100, 200));
        assertThat(registry.send(ClientRequest.get(path).header("Range", "bytes=299990-")).body())
                .isEqualTo(Arrays.copyOfRange(body, 299_990, 300_000));
        assertThat(registry.send(ClientRequest.get(path).header("Range", "bytes=-5")).body())
                .isEqualTo(Arrays.copyOfRange(body, 299_995, 300_000));
        assertThat(registry.send(ClientRequest.get(path).header("Range", "bytes=300000-")).status()).isEqualTo(416);
        assertThat(registry.send(ClientRequest.get(path).header("Range", "bytes=1-2,5-6")).status()).isEqualTo(200);
        assertThat(registry.send(ClientRequest.get(path).header("If-None-Match", "\"" + digest + "\"")).status())
                .isEqualTo(304);
    }

    @Test
    void aBlobGoesInByOnePost() throws Exception {
        byte[] body = bytes("one post");
        var got = registry.send(ClientRequest.of("POST", "/v2/x/blobs/uploads/?digest=" + Digest.sha256(body))
                .body("application/octet-stream", body));
        assertThat(got.status()).isEqualTo(201);
        assertThat(registry.get(got.header("Location")).body()).isEqualTo(body);
    }

    @Test
    void chunksGoInInOrderAndAnInterruptedUploadGoesOn() throws Exception {
        byte[] body = bytes("0123456789abcdefghij");
        String place = registry.post("/v2/x/blobs/uploads/").header("Location");
        var first = registry.patch(place, Arrays.copyOfRange(body, 0, 10), "0-9");
        assertThat(first.status()).isEqualTo(202);
        assertThat(first.header("Range")).isEqualTo("0-9");

        var early = registry.patch(place, Arrays.copyOfRange(body, 15, 20), "15-19");
        assertThat(early.status()).isEqualTo(416);
        assertThat(early.code()).isEqualTo("BLOB_UPLOAD_INVALID");
        assertThat(registry.patch(place, Arrays.copyOfRange(body, 0, 10), "0-9").status()).isEqualTo(416);
        assertThat(registry.patch(place, bytes("x"), "10-30").code()).isEqualTo("SIZE_INVALID");
        assertThat(registry.patch(place, bytes("x"), "ten-eleven").status()).isEqualTo(416);

        hub.close(); // an upload outlives the process
        hub.start();
        registry.close();
        registry = Registry.of(hub);
        var status = registry.get(place);
        assertThat(status.status()).isEqualTo(204);
        assertThat(status.header("Range")).isEqualTo("0-9");
        assertThat(registry.patch(place, Arrays.copyOfRange(body, 10, 15), "10-14").status()).isEqualTo(202);
        var done = registry.send(ClientRequest.of("PUT", place + "?digest=" + Digest.sha256(body))
                .body("application/octet-stream", Arrays.copyOfRange(body, 15, 20))
                .header("Content-Range", "15-19"));
        assertThat(done.status()).isEqualTo(201);
        assertThat(registry.get(done.header("Location")).body()).isEqualTo(body);
        assertThat(registry.get(place).code()).isEqualTo("BLOB_UPLOAD_UNKNOWN");
    }

    @Test
    void anUploadIsOnlyItsRepositorysAndCanBeCancelled() throws Exception {
        String place = registry.post("/v2/x/blobs/uploads/").header("Location");
        registry.patch(place, bytes("abc"), "");
        assertThat(registry.get(place.replace("/v2/x/", "/v2/y/")).status()).isEqualTo(404);
        assertThat(registry.delete(place).status()).isEqualTo(204);
        assertThat(registry.get(place).status()).isEqualTo(404);
    }

    @Test
    void aWrongDigestIsRefusedAndNothingIsThere() throws Exception {
        var digest = Digest.sha256(bytes("right"));
        String place = registry.post("/v2/x/blobs/uploads/").header("Location");
        var got = registry.put(place + "?digest=" + digest, bytes("wrong"));
        assertThat(got.status()).isEqualTo(400);
        assertThat(got.code()).isEqualTo("DIGEST_INVALID");
        assertThat(registry.get("/v2/x/blobs/" + digest).code()).isEqualTo("BLOB_UNKNOWN");
        place = registry.post("/v2/x/blobs/uploads/").header("Location");
        assertThat(registry.put(place + "?digest=md5:abc", bytes("x")).code()).isEqualTo("DIGEST_INVALID");
        assertThat(registry.put(place, bytes("x")).code()).isEqualTo("DIGEST_INVALID");
    }

    @Test
    void sha512WorksFromUploadToManifest() throws Exception {
        byte[] body = bytes("long hash");
        var digest = Digest.finish(Digest.Algorithm.SHA512, Digest.Algorithm.SHA512.hasher().digest(body));
        String place = registry.post("/v2/x/blobs/uploads/?digest-algorithm=sha512").header("Location");
        registry.patch(place, body, "0-" + (body.length - 1));
        assertThat(registry.put(place + "?digest=" + digest, new byte[0]).status()).isEqualTo(201);
        assertThat(registry.get("/v2/x/blobs/" + digest).body()).isEqualTo(body);

        byte[] manifest = Registry.manifest(new Descriptor(MediaTypes.OCI_CONFIG, digest, body.length,
                java.util.Optional.empty(), java.util.Map.of(), java.util.Optional.empty()), List.of());
        var pinned = Digest.finish(Digest.Algorithm.SHA512, Digest.Algorithm.SHA512.hasher().digest(manifest));
        assertThat(registry.pushManifest("x", pinned.toString(), MediaTypes.OCI_MANIFEST, manifest).status())
                .isEqualTo(201);
        assertThat(registry.get("/v2/x/manifests/" + pinned).body()).isEqualTo(manifest);
    }

    @Test
    void blobsAreMountedFromOtherRepositories() throws Exception {
        var digest = registry.pushBlob("from", bytes("shared"));
        assertThat(registry.get("/v2/to/blobs/" + digest).status()).isEqualTo(404); // not everybody's by digest
        var got = registry.post("/v2/to/blobs/uploads/?mount=" + digest + "&from=from");
        assertThat(got.status()).isEqualTo(201);
        assertThat(registry.get(got.header("Location")).text()).isEqualTo("shared");
        var unknown = registry.post("/v2/to/blobs/uploads/?mount=" + Digest.sha256(bytes("?")) + "&from=from");
        assertThat(unknown.status()).isEqualTo(202); // goes on as an upload
        assertThat(registry.post("/v2/to/blobs/uploads/?mount=" + digest).status()).isEqualTo(202);
    }

    @Test
    void anImageOfOciAndOneOfDockerComeBackByteForByte() throws Exception {
        byte[] manifest = registry.pushImage("lib/app", "v1", CONFIG, "layer one", "layer two");
        var digest = Digest.sha256(manifest);
        var got = registry.get("/v2/lib/app/manifests/v1");
        assertThat(got.body()).isEqualTo(manifest);
        assertThat(got.header("Content-Type")).isEqualTo(MediaTypes.OCI_MANIFEST);
        assertThat(got.header("Docker-Content-Digest")).isEqualTo(digest.toString());
        assertThat(registry.get("/v2/lib/app/manifests/" + digest).body()).isEqualTo(manifest);
        var head = registry.head("/v2/lib/app/manifests/v1");
        assertThat(head.header("Content-Length")).isEqualTo(String.valueOf(manifest.length));

        byte[] docker = bytes(new String(manifest, StandardCharsets.UTF_8)
                .replace(MediaTypes.OCI_MANIFEST, MediaTypes.DOCKER_MANIFEST)
                .replace(MediaTypes.OCI_CONFIG, MediaTypes.DOCKER_CONFIG)
                .replace(MediaTypes.OCI_LAYER_GZIP, MediaTypes.DOCKER_LAYER_GZIP));
        assertThat(registry.pushManifest("lib/app", "docker", MediaTypes.DOCKER_MANIFEST, docker).status())
                .isEqualTo(201);
        assertThat(registry.get("/v2/lib/app/manifests/docker").body()).isEqualTo(docker);
    }

    @Test
    void anIndexNeedsItsManifestsAndOneManifestTakesManyTags() throws Exception {
        byte[] manifest = registry.image("multi", CONFIG, "layer");
        var descriptor = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
        byte[] index = Index.of(List.of(descriptor)).toJson().printBytes();
        var early = registry.pushManifest("multi", "all", MediaTypes.OCI_INDEX, index);
        assertThat(early.status()).isEqualTo(404);
        assertThat(early.code()).isEqualTo("MANIFEST_BLOB_UNKNOWN");

        var many = registry.pushManifest("multi", descriptor.digest() + "?tag=a&tag=b", MediaTypes.OCI_MANIFEST, manifest);
        assertThat(many.status()).isEqualTo(201);
        assertThat(many.header("OCI-Tag")).isEqualTo("a, b");
        assertThat(registry.pushManifest("multi", "all", MediaTypes.OCI_INDEX, index).status()).isEqualTo(201);
        assertThat(registry.get("/v2/multi/manifests/all").body()).isEqualTo(index);
        assertThat(registry.get("/v2/multi/manifests/b").body()).isEqualTo(manifest);

        var kept = registry.delete("/v2/multi/manifests/" + descriptor.digest());
        assertThat(kept.status()).isEqualTo(405); // the index is made of it
        assertThat(registry.delete("/v2/multi/manifests/" + Digest.sha256(index)).status()).isEqualTo(202);
        assertThat(registry.delete("/v2/multi/manifests/" + descriptor.digest()).status()).isEqualTo(202);
        assertThat(registry.get("/v2/multi/manifests/a").status()).isEqualTo(404);
    }

    @Test
    void deletionIsByTagByDigestAndByBlob() throws Exception {
        byte[] manifest = registry.pushImage("d", "one", CONFIG, "layer");
        registry.pushManifest("d", "two", MediaTypes.OCI_MANIFEST, manifest);
        assertThat(registry.delete("/v2/d/manifests/one").status()).isEqualTo(202);
        assertThat(registry.get("/v2/d/manifests/one").code()).isEqualTo("MANIFEST_UNKNOWN");
        assertThat(registry.get("/v2/d/manifests/two").status()).isEqualTo(200);
        String layer = "/v2/d/blobs/" + Digest.sha256(bytes("layer"));
        assertThat(registry.delete(layer).code()).isEqualTo("UNSUPPORTED"); // the manifest is made of it
        assertThat(registry.delete("/v2/d/manifests/" + Digest.sha256(manifest)).status()).isEqualTo(202);
        assertThat(registry.get("/v2/d/manifests/two").status()).isEqualTo(404);
        assertThat(registry.delete(layer).status()).isEqualTo(202);
        assertThat(registry.delete(layer).code()).isEqualTo("BLOB_UNKNOWN");
        assertThat(registry.delete("/v2/nothing/manifests/x").code()).isEqualTo("NAME_UNKNOWN");
    }

    @Test
    void referrersAreListedAndFiltered() throws Exception {
        byte[] image = registry.pushImage("r", "v", CONFIG, "layer");
        var subject = Digest.sha256(image);
        String empty = new String(registry.get("/v2/r/referrers/" + subject).body(), StandardCharsets.UTF_8);
        assertThat(empty).contains("\"manifests\":[]");
        registry.pushBlob("r", bytes("{}"));
        for (String type : List.of("application/x.sbom", "application/x.sign")) {
            var manifest = Json.object()
                    .put("schemaVersion", 2)
                    .put("mediaType", MediaTypes.OCI_MANIFEST)
                    .put("artifactType", type)
                    .put("config", Descriptor.of(MediaTypes.OCI_EMPTY, bytes("{}")).toJson())
                    .put("layers", Json.ofAll(List.of(Descriptor.of(MediaTypes.OCI_EMPTY, bytes("{}")).toJson())))
                    .put("subject", Descriptor.of(MediaTypes.OCI_MANIFEST, image).toJson())
                    .put("annotations", Json.ofMap(java.util.Map.of("who", type)))
                    .build()
                    .printBytes();
            var got = registry.pushManifest("r", Digest.sha256(manifest).toString(), MediaTypes.OCI_MANIFEST, manifest);
            assertThat(got.header("OCI-Subject")).isEqualTo(subject.toString());
        }
        var all = registry.get("/v2/r/referrers/" + subject);
        assertThat(all.header("Content-Type")).isEqualTo(MediaTypes.OCI_INDEX);
        assertThat(all.json().objects("manifests")).hasSize(2);
        var one = registry.get("/v2/r/referrers/" + subject + "?artifactType=application/x.sbom");
        assertThat(one.header("OCI-Filters-Applied")).isEqualTo("artifactType");
        var found = one.json().objects("manifests");
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().text("artifactType")).isEqualTo("application/x.sbom");
        assertThat(found.getFirst().textMap("annotations")).containsEntry("who", "application/x.sbom");
        assertThat(registry.get("/v2/nowhere/referrers/" + subject).status()).isEqualTo(200);
        assertThat(registry.get("/v2/r/referrers/abc:def").status()).isEqualTo(400);
    }

    @Test
    void tagsAndCatalogComeInPages() throws Exception {
        byte[] manifest = registry.image("p/q", CONFIG, "layer");
        for (String tag : List.of("b", "a", "d", "c", "e")) {
            registry.pushManifest("p/q", tag, MediaTypes.OCI_MANIFEST, manifest);
        }
        assertThat(registry.get("/v2/p/q/tags/list").json().texts("tags")).containsExactly("a", "b", "c", "d", "e");
        var page = registry.get("/v2/p/q/tags/list?n=2");
        assertThat(page.json().texts("tags")).containsExactly("a", "b");
        assertThat(page.header("Link")).isEqualTo("</v2/p/q/tags/list?n=2&last=b>; rel=\"next\"");
        var last = registry.get("/v2/p/q/tags/list?n=3&last=b");
        assertThat(last.json().texts("tags")).containsExactly("c", "d", "e");
        assertThat(last.header("Link")).isEmpty();
        var none = registry.get("/v2/p/q/tags/list?n=0");
        assertThat(none.json().texts("tags")).isEmpty();
        assertThat(none.header("Link")).isEmpty();
        assertThat(registry.get("/v2/p/tags/list").code()).isEqualTo("NAME_UNKNOWN");

        registry.pushImage("z", "v", CONFIG, "layer");
        registry.pushImage("a", "v", CONFIG, "layer");
        var first = registry.get("/v2/_catalog?n=2");
        assertThat(first.json().texts("repositories")).containsExactly("a", "p/q");
        assertThat(first.header("Link")).isEqualTo("</v2/_catalog?n=2&last=p%2Fq>; rel=\"next\"");
        assertThat(registry.get("/v2/_catalog?n=2&last=p%2Fq").json().texts("repositories")).containsExactly("z");
    }

    @Test
    void everythingIsThereAfterARestart() throws Exception {
        byte[] manifest = registry.pushImage("keep/me", "v1", CONFIG, "layer");
        registry.pushManifest("keep/me", "gone", MediaTypes.OCI_MANIFEST, manifest);
        registry.delete("/v2/keep/me/manifests/gone");
        hub.close();
        hub.start();
        registry.close();
        registry = Registry.of(hub);
        assertThat(registry.get("/v2/_catalog").json().texts("repositories")).containsExactly("keep/me");
        assertThat(registry.get("/v2/keep/me/tags/list").json().texts("tags")).containsExactly("v1");
        assertThat(registry.get("/v2/keep/me/manifests/v1").body()).isEqualTo(manifest);
        assertThat(registry.get("/v2/keep/me/blobs/" + Digest.sha256(bytes("layer"))).text()).isEqualTo("layer");
    }
}
