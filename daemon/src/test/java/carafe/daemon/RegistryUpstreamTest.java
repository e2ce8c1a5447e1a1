package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Address;
import carafe.http.ClientRequest;
import carafe.http.HttpClient;
import carafe.hub.Hub;
import carafe.hub.HubConfig;
import carafe.registry.Document;
import carafe.registry.TestRegistry;
import carafe.registry.TestRegistryAddress;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Hubs that get what they lack from real registries over the registry client.
@Timeout(60)
class RegistryUpstreamTest {

    private static final String BASIC = "Basic " + Base64.getEncoder().encodeToString("ann:secret".getBytes());

    @TempDir
    private Path directory;

    private TestRegistry first;
    private TestRegistry second;

    @BeforeEach
    void start() throws IOException {
        first = new TestRegistry();
        second = new TestRegistry();
    }

    @AfterEach
    void stop() {
        first.close();
        second.close();
    }

    private static String upstream(String registry, String prefix, String more) {
        return "{\"registry\":\"" + registry + "\",\"prefix\":\"" + prefix + "\"" + more + "}";
    }

    private Hub hub(String upstreams) throws EngineException {
        var config = HubConfig.parse(Json.parseObject(("{\"data\":\"" + directory.resolve("data") + "\",\"listen\":[\"unix://"
                + directory.resolve("hub.sock") + "\"],\"rights\":[{\"who\":[\"anonymous\"],\"namespace\":\"**\",\"may\":"
                + "[\"pull\"]}],\"upstreams\":[" + upstreams + "]}").getBytes()));
        return Hub.start(config, HubCommand.surroundings("test", Optional.empty()));
    }

    private record Got(int status, byte[] body) {}

    private Got get(String target) throws IOException {
        try (var client = new HttpClient(new Address.Unix(directory.resolve("hub.sock")), Duration.ofSeconds(10));
                var response = client.send(ClientRequest.get(target).header("Accept", "*/*"))) {
            return new Got(response.status(), response.readBody(1 << 20));
        }
    }

    private void has(String repository, Document image) throws Exception {
        assertThat(get("/v2/" + repository + "/manifests/1").body).as(repository).isEqualTo(image.bytes());
    }

    @Test
    void eachUpstreamHasItsPrefix() throws Exception {
        var one = first.image("team/app", "1", "first".getBytes());
        var two = second.image("team/app", "1", "second".getBytes());
        try (var _ = hub(upstream(first.host(), "mirrors/one", "") + "," + upstream(second.host(), "two", ""))) {
            has("mirrors/one/team/app", one);
            has("two/team/app", two);
            Descriptor layer = two.manifest().layers().getFirst();
            assertThat(get("/v2/two/team/app/blobs/" + layer.digest()).body).isEqualTo("second".getBytes());
            assertThat(get("/v2/mirrors/one/team/app/blobs/" + layer.digest()).status).isEqualTo(404);
            assertThat(get("/v2/three/team/app/manifests/1").status).isEqualTo(404);
            assertThat(get("/v2/two/team/app/manifests/none").status).isEqualTo(404);
            assertThat(first.requests).noneMatch(request -> request.contains("mirrors/one"));
            assertThat(second.count("GET /v2/team/app/blobs/" + layer.digest())).isEqualTo(1);
            assertThat(get("/v2/two/team/app/blobs/" + layer.digest()).body).isEqualTo("second".getBytes());
            assertThat(second.count("GET /v2/team/app/blobs/" + layer.digest())).as("it is kept").isEqualTo(1);
        }
    }

    @Test
    void anUpstreamIsShownItsOwnUserOnly() throws Exception {
        first.demand(BASIC, "Basic realm=\"first\"");
        second.demand("Basic none", "Basic realm=\"second\"");
        var one = first.image("app", "1", "first".getBytes());
        second.image("app", "1", "second".getBytes());
        Path password = Files.writeString(directory.resolve("password"), "secret\n");
        String user = ",\"user\":\"ann\",\"password-file\":\"" + password + "\"";
        try (var _ = hub(upstream(first.host(), "one", user) + "," + upstream(second.host(), "two", ""))) {
            has("one/app", one);
            assertThat(get("/v2/one/app/blobs/" + one.manifest().layers().getFirst().digest()).body)
                    .isEqualTo("first".getBytes());
            assertThat(get("/v2/two/app/manifests/1").status).isGreaterThanOrEqualTo(400);
            assertThat(first.requests).anyMatch(request -> request.endsWith("[" + BASIC + "]"));
            assertThat(second.requests).isNotEmpty().allMatch(request -> request.endsWith(" []"));
        }
    }

    @Test
    void aPasswordThatCannotBeReadStopsTheStart() {
        String user = ",\"user\":\"ann\",\"password-file\":\"" + directory.resolve("none") + "\"";
        assertThatThrownBy(() -> hub(upstream(first.host(), "one", user))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("the password for " + first.host() + " cannot be read");
    }

    /// Elsewhere than on the loopback clear is spoken only where the owner says so.
    @Test
    void onlyAnInsecureUpstreamIsSpokenToInClear() throws Exception {
        try (var address = new TestRegistryAddress();
                var far = new TestRegistry(address.toString(), Optional.empty())) {
            var image = far.image("app", "1", "far".getBytes());
            try (var _ = hub(upstream(far.host(), "far", ",\"insecure\":true"))) {
                has("far/app", image);
            }
            far.requests.clear();
            try (var _ = hub(upstream(far.host(), "other", ""))) {
                assertThat(get("/v2/other/app/manifests/1").status).isGreaterThanOrEqualTo(400);
                assertThat(far.requests).isEmpty();
            }
        }
    }

    @Test
    void whatAnUpstreamSendsIsVerified() throws Exception {
        var image = first.image("app", "1", "layer".getBytes());
        var layer = image.manifest().layers().getFirst();
        first.blobs.put(layer.digest(), "rayel".getBytes());
        try (var _ = hub(upstream(first.host(), "one", ""))) {
            has("one/app", image);
            boolean whole;
            try {
                var got = get("/v2/one/app/blobs/" + layer.digest());
                whole = got.status == 200 && got.body.length == layer.size();
            } catch (IOException e) {
                whole = false; // broken off
            }
            assertThat(whole).isFalse();
            first.blobs.put(layer.digest(), "layer".getBytes());
            assertThat(get("/v2/one/app/blobs/" + layer.digest()).body).as("nothing bad was kept").isEqualTo("layer".getBytes());
        }
    }
}
