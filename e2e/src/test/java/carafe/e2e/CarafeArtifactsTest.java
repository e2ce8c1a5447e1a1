package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Artifacts in the engine's store, with what refers to images, against our hub, which lists referrers, and against Debian's
/// registry, which does not.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeArtifactsTest {

    private static final String TYPE = "application/vnd.acme.signature";

    private final EngineUnderTest engine;

    CarafeArtifactsTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        carafe("load", "-i", TestImages.otherArchive(engine.directory()).toString());
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        for (String tag : carafe("images", "--format", "{{.Repository}}:{{.Tag}}").lines()) {
            if (!tag.isEmpty() && !tag.equals("other:1")) {
                carafe("rmi", "-f", tag);
            }
        }
        assertThat(carafe("images", "--format", "{{.Repository}}:{{.Tag}}").text()).isEqualTo("other:1");
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private Outcome carafe(String... words) throws Exception {
        return Client.carafe().to(engine).and(words).run().good();
    }

    private static RegistryUnderTest registry(String kind) throws Exception {
        return kind.equals("hub") ? HubUnderTest.open() : DebianRegistry.open();
    }

    private static String digest(byte[] bytes) throws Exception {
        return "sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static HttpResponse<String> send(HttpRequest request, int status) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            var response = client.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as("%s %s: %s", request.method(), request.uri(), response.body())
                    .isEqualTo(status);
            return response;
        }
    }

    private static String blob(String host, String repository, String text) throws Exception {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        var base = URI.create("http://" + host + "/v2/" + repository + "/blobs/uploads/");
        String to = send(HttpRequest.newBuilder(base).POST(HttpRequest.BodyPublishers.noBody()).build(), 202)
                .headers().firstValue("Location").orElseThrow();
        String digest = digest(bytes);
        send(HttpRequest.newBuilder(base.resolve(to + (to.contains("?") ? "&" : "?") + "digest=" + digest))
                .PUT(HttpRequest.BodyPublishers.ofByteArray(bytes)).build(), 201);
        return "{\"mediaType\":\"application/octet-stream\",\"digest\":\"" + digest + "\",\"size\":" + bytes.length + "}";
    }

    /// Puts an artifact there as another program would; its digest.
    private static String artifact(String host, String repository, String tag, String subject) throws Exception {
        String config = blob(host, repository, "{}").replace("octet-stream", "vnd.oci.empty.v1+json");
        String layer = blob(host, repository, "what is signed: " + subject);
        byte[] manifest = ("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                + "\"artifactType\":\"" + TYPE + "\",\"config\":" + config + ",\"layers\":[" + layer + "]"
                + (subject.isEmpty() ? "" : ",\"subject\":" + subject) + "}").getBytes(StandardCharsets.UTF_8);
        String digest = digest(manifest);
        send(HttpRequest.newBuilder(URI.create("http://" + host + "/v2/" + repository + "/manifests/"
                        + (tag.isEmpty() ? digest : tag)))
                .header("Content-Type", "application/vnd.oci.image.manifest.v1+json")
                .PUT(HttpRequest.BodyPublishers.ofByteArray(manifest)).build(), 201);
        return digest;
    }

    @ParameterizedTest
    @ValueSource(strings = {"hub", "debian"})
    void anArtifactIsKeptShownSentAndNotRun(String kind) throws Exception {
        try (var registry = registry(kind)) {
            String name = registry.host() + "/team/chart:1";
            String digest = artifact(registry.host(), "team/chart", "1", "");
            assertThat(carafe("pull", name).out()).contains("Digest: " + digest, "Status: Downloaded newer image for " + name);
            assertThat(carafe("images", name).out()).contains("ARTIFACT TYPE").contains(TYPE);
            assertThat(carafe("images", "other").out()).doesNotContain("ARTIFACT TYPE");
            assertThat(carafe("image", "inspect", "--format", "{{.Descriptor.artifactType}} {{.Id}} {{.Os}}", name).text())
                    .startsWith(TYPE + " " + digest);
            for (var docker : java.util.List.of(Client.docker28(), Client.docker20())) {
                assertThat(docker.to(engine).and("images", "--no-trunc", name).run().good().out()).contains(digest);
                assertThat(docker.to(engine).and("image", "inspect", name).run().good().out()).contains(TYPE);
                assertThat(docker.to(engine).and("system", "df", "-v").run().good().out()).contains("team/chart");
                assertThat(docker.to(engine).and("history", name).run().code()).isEqualTo(1);
            }
            for (String verb : java.util.List.of("run", "create")) {
                var refused = Client.carafe().to(engine).and(verb, name, "true").run();
                assertThat(refused.code()).isIn(1, 125);
                assertThat(refused.err()).contains(name + " is no container image but an artifact of type \"" + TYPE + "\"");
            }
            var archive = engine.directory().resolve("chart.tar");
            carafe("save", "-o", archive.toString(), name);
            carafe("rmi", name);
            assertThat(carafe("load", "-i", archive.toString()).out()).contains("Loaded image: " + name);
            Files.delete(archive);
            String copy = registry.host() + "/copies/chart:2";
            carafe("tag", name, copy);
            assertThat(carafe("push", copy).out()).contains("2: digest: " + digest);
            carafe("rmi", copy, name);
            carafe("pull", registry.host() + "/copies/chart@" + digest);
            assertThat(carafe("system", "check").good().out()).isNotEmpty();
            carafe("rmi", registry.host() + "/copies/chart@" + digest);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"hub", "debian"})
    void whatRefersToAnImageIsListedComesAlongAndGoesWithIt(String kind) throws Exception {
        try (var registry = registry(kind)) {
            String name = registry.host() + "/app:1";
            carafe("tag", "other:1", name);
            String image = carafe("push", name).out().replaceAll("(?s).*digest: (sha256:[0-9a-f]{64}) size: (\\d+).*",
                    "{\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"digest\":\"$1\",\"size\":$2}");
            carafe("rmi", name);
            // A signature made here and sent by the engine is listed by either registry.
            String digest = artifact(registry.host(), "app", "sig", image);
            carafe("pull", registry.host() + "/app:sig");
            carafe("push", registry.host() + "/app:sig");
            carafe("rmi", registry.host() + "/app:sig");
            assertThat(carafe("image", "referrers", name).out()).contains(TYPE, digest, "no");
            carafe("pull", name);
            assertThat(carafe("image", "referrers", "--local", name).out()).doesNotContain(digest);
            assertThat(carafe("pull", "--referrers", name).out()).contains("Referrers: 1");
            assertThat(carafe("image", "referrers", "-q", "--local", name).text()).isEqualTo(digest);
            assertThat(carafe("image", "referrers", "--format", "{{.Here}} {{.Digest}}", name).text())
                    .isEqualTo("yes " + digest);
            assertThat(carafe("image", "referrers", "-q", "--artifact-type", "other", name).text()).isEmpty();
            carafe("image", "prune", "-f");
            assertThat(carafe("image", "referrers", "-q", "--local", name).text()).isEqualTo(digest);
            var archive = engine.directory().resolve("signed.tar");
            carafe("save", "-o", archive.toString(), name);
            assertThat(carafe("rmi", "-f", name).out()).doesNotContain(digest); // other:1 is the same image
            carafe("rmi", "-f", "other:1");
            assertThat(Client.carafe().to(engine).and("image", "inspect", digest).run().code()).isEqualTo(1);
            carafe("load", "-i", archive.toString());
            assertThat(carafe("image", "referrers", "-q", "--local", name).text()).isEqualTo(digest);
            try (var second = registry(kind)) {
                String there = second.host() + "/app:1";
                carafe("tag", name, there);
                assertThat(carafe("push", "--referrers", there).out()).contains("Referrers: ");
                carafe("rmi", there);
            }
            carafe("rmi", name);
            Files.delete(archive);
            carafe("load", "-i", TestImages.otherArchive(engine.directory()).toString());
        }
    }

    @Test
    void whatReferrersAreIsNotGuessed() throws Exception {
        var wrong = Client.carafe().to(engine).and("image", "referrers", "--local", "nothing:1").run();
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err()).contains("No such image: nothing:1");
        assertThat(carafe("image", "referrers", "--local", "other:1").lines()).hasSize(1);
    }
}
