package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.hub.access.Users;
import carafe.http.Address;
import carafe.http.ClientRequest;
import carafe.http.HttpClient;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Users, rights, tokens, and that nothing is allowed that nobody allowed. Source: Docker registry token authentication.
@Timeout(120)
class LoginTest {

    private static final String CONFIG = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";

    @TempDir
    private Path directory;

    private final TestClock clock = new TestClock();
    private TestHub hub;

    @BeforeEach
    void start() throws Exception {
        hub = new TestHub(directory)
                .clock(clock)
                .user("alice", "wonder", "team/**", "pull", "push", "delete")
                .user("bob", "builder", "team/**", "pull", "create")
                .user("root", "toor", "**", "admin")
                .grant("anonymous", "public/**", "pull")
                .grant("*", "${user}/**", "pull", "push")
                .start();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private String token(Registry registry, String query) throws Exception {
        return registry.get("/token?service=carafe-hub&" + query).json().text("token");
    }

    @Test
    void whoSaysNothingIsToldHowToLogIn() throws Exception {
        try (var nobody = Registry.of(hub)) {
            var root = nobody.get("/v2/");
            assertThat(root.status()).isEqualTo(401);
            assertThat(root.code()).isEqualTo("UNAUTHORIZED");
            assertThat(root.header("WWW-Authenticate"))
                    .isEqualTo("Bearer realm=\"http://" + hub.host() + "/token\",service=\"carafe-hub\"");
            assertThat(nobody.get("/v2/team/a/manifests/v1").header("WWW-Authenticate"))
                    .endsWith(",scope=\"repository:team/a:pull\"");
            assertThat(nobody.post("/v2/team/a/blobs/uploads/").header("WWW-Authenticate"))
                    .endsWith(",scope=\"repository:team/a:pull,push\"");
            assertThat(nobody.get("/v2/_catalog").status()).isEqualTo(401);
        }
    }

    @Test
    void passwordsCannotBeGuessedQuickly() throws Exception {
        try (var alice = Registry.of(hub, "alice", "wonder"); var root = Registry.of(hub, "root", "toor")) {
            assertThat(alice.get("/token").status()).isEqualTo(200);
            for (String name : new String[] {"alice", "bob", "nobody"}) {
                try (var guesser = Registry.of(hub, name, "guess")) {
                    for (int i = 0; i < 10; i++) {
                        assertThat(guesser.get("/token").status()).isEqualTo(401);
                    }
                    var refused = guesser.get("/token");
                    assertThat(refused.status()).as(name).isEqualTo(429);
                    assertThat(refused.code()).isEqualTo("TOOMANYREQUESTS");
                    assertThat(refused.header("Retry-After")).isEqualTo("5");
                }
            }
            try (var bob = Registry.of(hub, "bob", "builder")) {
                assertThat(bob.get("/token").status()).isEqualTo(429); // he might be the one who guesses
                assertThat(alice.get("/token").status()).isEqualTo(200); // she was right lately
                assertThat(root.get("/token").status()).isEqualTo(200); // his name was not tried
                clock.advance(Duration.ofSeconds(7));
                assertThat(bob.get("/token").status()).isEqualTo(200);
            }
        }
    }

    @Test
    void eachMayDoWhatHeWasGivenAndNothingElse() throws Exception {
        try (var alice = Registry.of(hub, "alice", "wonder"); var bob = Registry.of(hub, "bob", "builder");
                var nobody = Registry.of(hub); var root = Registry.of(hub, "root", "toor")) {
            byte[] manifest = alice.pushImage("team/app", "v1", CONFIG, "layer");
            assertThat(bob.get("/v2/team/app/manifests/v1").status()).isEqualTo(200);
            assertThat(bob.delete("/v2/team/app/manifests/v1").code()).isEqualTo("DENIED");
            assertThat(alice.post("/v2/other/blobs/uploads/").status()).isEqualTo(403);
            assertThat(bob.get("/v2/alice/private/manifests/v1").status()).isEqualTo(403);
            alice.pushImage("alice/private", "v1", CONFIG, "layer");
            assertThat(nobody.get("/v2/team/app/manifests/v1").status()).isEqualTo(401);
            root.pushImage("public/app", "v1", CONFIG, "layer");
            assertThat(nobody.get("/v2/public/app/manifests/v1").status()).isEqualTo(200);
            assertThat(nobody.pushManifest("public/app", "v2", MediaTypes.OCI_MANIFEST, manifest).status()).isEqualTo(401);
            assertThat(bob.get("/v2/_catalog").json().texts("repositories")).containsExactly("public/app", "team/app");
            assertThat(nobody.get("/v2/_catalog").json().texts("repositories")).containsExactly("public/app");
            assertThat(alice.delete("/v2/team/app/manifests/v1").status()).isEqualTo(202);
        }
    }

    @Test
    void aTokenForTheCatalogListsWhatItsOwnerMayPull() throws Exception {
        try (var root = Registry.of(hub, "root", "toor"); var bob = Registry.of(hub, "bob", "builder");
                var nobody = Registry.of(hub)) {
            root.pushImage("team/app", "v1", CONFIG, "layer");
            root.pushImage("other/app", "v1", CONFIG, "layer");
            assertThat(nobody.get("/v2/_catalog").header("WWW-Authenticate")).endsWith(",scope=\"registry:catalog:*\"");
            String listing = token(bob, "scope=registry:catalog:*");
            assertThat(nobody.send(ClientRequest.get("/v2/_catalog").header("Authorization", "Bearer " + listing)).json()
                    .texts("repositories")).containsExactly("team/app");
            assertThat(nobody.send(ClientRequest.get("/v2/team/app/manifests/v1")
                    .header("Authorization", "Bearer " + listing)).status()).isEqualTo(401);
            String pulling = token(bob, "scope=repository:team/app:pull");
            assertThat(nobody.send(ClientRequest.get("/v2/_catalog").header("Authorization", "Bearer " + pulling)).json()
                    .texts("repositories")).containsExactly("team/app");
        }
    }

    /// Podman's way: first a token without any scope, then what the answer says it must be for.
    @Test
    void aTokenThatIsForTooLittleIsToldSo() throws Exception {
        try (var root = Registry.of(hub, "root", "toor"); var bob = Registry.of(hub, "bob", "builder");
                var nobody = Registry.of(hub)) {
            root.pushImage("team/app", "v1", CONFIG, "layer");
            String nothing = token(bob, "");

            var refused = nobody.send(ClientRequest.get("/v2/_catalog").header("Authorization", "Bearer " + nothing));
            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.header("WWW-Authenticate"))
                    .endsWith(",scope=\"registry:catalog:*\",error=\"insufficient_scope\"");
            assertThat(nobody.send(ClientRequest.get("/v2/team/app/manifests/v1").header("Authorization", "Bearer " + nothing))
                    .header("WWW-Authenticate")).endsWith(",scope=\"repository:team/app:pull\",error=\"insufficient_scope\"");
            assertThat(nobody.send(ClientRequest.get("/v2/_catalog").header("Authorization", "Bearer x"))
                    .header("WWW-Authenticate")).endsWith(",error=\"invalid_token\"");
        }
    }

    @Test
    void aSearchThatFindsNothingPublicAsksForALogin() throws Exception {
        try (var root = Registry.of(hub, "root", "toor"); var bob = Registry.of(hub, "bob", "builder");
                var nobody = Registry.of(hub)) {
            root.pushImage("team/app", "v1", CONFIG, "layer");
            root.pushImage("public/tool", "v1", CONFIG, "layer");

            assertThat(nobody.get("/v1/search?q=tool").status()).isEqualTo(200);
            var refused = nobody.get("/v1/search?q=app");
            assertThat(refused.status()).isEqualTo(401);
            assertThat(refused.header("WWW-Authenticate")).startsWith("Basic ");
            assertThat(bob.get("/v1/search?q=app").json().objects("results")).hasSize(1);
            assertThat(bob.get("/v1/search?q=none").status()).isEqualTo(200);
        }
    }

    /// CVE-2026-31801: whoever may only create must not move a tag, whichever it is.
    @Test
    void whoMayOnlyCreateCannotReplaceATag() throws Exception {
        try (var alice = Registry.of(hub, "alice", "wonder"); var bob = Registry.of(hub, "bob", "builder")) {
            byte[] first = alice.pushImage("team/app", "latest", CONFIG, "one");
            byte[] second = bob.image("team/app", CONFIG, "two");
            var denied = bob.pushManifest("team/app", "latest", MediaTypes.OCI_MANIFEST, second);
            assertThat(denied.status()).isEqualTo(403);
            assertThat(denied.code()).isEqualTo("DENIED");
            assertThat(alice.get("/v2/team/app/manifests/latest").body()).isEqualTo(first);
            var sneaky = bob.pushManifest("team/app", Digest.sha256(second) + "?tag=new&tag=latest",
                    MediaTypes.OCI_MANIFEST, second);
            assertThat(sneaky.status()).isEqualTo(403);
            assertThat(alice.get("/v2/team/app/manifests/new").status()).isEqualTo(404); // all or nothing
            assertThat(bob.pushManifest("team/app", "new", MediaTypes.OCI_MANIFEST, second).status()).isEqualTo(201);
            assertThat(bob.pushManifest("team/app", "new", MediaTypes.OCI_MANIFEST, second).status()).isEqualTo(201);
            assertThat(alice.pushManifest("team/app", "latest", MediaTypes.OCI_MANIFEST, second).status()).isEqualTo(201);
        }
    }

    @Test
    void aTokenNarrowsAndEnds() throws Exception {
        try (var alice = Registry.of(hub, "alice", "wonder")) {
            alice.pushImage("team/app", "v1", CONFIG, "layer");
            String pull = token(alice, "scope=repository:team/app:pull&scope=repository:other:pull,push");
            try (var bearer = Registry.bearing(hub, pull)) {
                assertThat(bearer.get("/v2/").status()).isEqualTo(200);
                assertThat(bearer.get("/v2/team/app/manifests/v1").status()).isEqualTo(200);
                assertThat(bearer.post("/v2/team/app/blobs/uploads/").status()).isEqualTo(401); // ask for more scope
                assertThat(bearer.post("/v2/other/blobs/uploads/").status()).isEqualTo(403); // scope does not give rights
                assertThat(bearer.get("/token").status()).isEqualTo(401); // a token buys no token
                clock.advance(Duration.ofMinutes(6));
                assertThat(bearer.get("/v2/team/app/manifests/v1").status()).isEqualTo(401);
            }
        }
    }

    @Test
    void aForgedTokenIsNobodys() throws Exception {
        try (var alice = Registry.of(hub, "alice", "wonder")) {
            String good = token(alice, "scope=repository:team/app:pull");
            String[] parts = good.split("\\.");
            String claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
            String other = Base64.getUrlEncoder().withoutPadding()
                    .encodeToString(claims.replace("alice", "root").getBytes(StandardCharsets.UTF_8));
            String none = Base64.getUrlEncoder().withoutPadding()
                    .encodeToString("{\"alg\":\"none\",\"typ\":\"JWT\"}".getBytes(StandardCharsets.UTF_8));
            for (String forged : new String[] {
                parts[0] + "." + other + "." + parts[2], none + "." + other + ".", parts[0] + "." + parts[1] + ".AAAA",
                "x", parts[0] + ".", parts[0] + "..", "...", good + "x"
            }) {
                try (var bearer = Registry.bearing(hub, forged)) {
                    assertThat(bearer.get("/v2/").status()).as(forged).isEqualTo(401);
                }
            }
        }
    }

    @Test
    void refreshTokensWorkUntilThePasswordChanges() throws Exception {
        try (var alice = Registry.of(hub, "alice", "wonder"); var nobody = Registry.of(hub)) {
            String refresh = alice.get("/token?service=carafe-hub&offline_token=true").json().text("refresh_token");
            assertThat(refresh).isNotEmpty();
            String form = "grant_type=refresh_token&service=carafe-hub&client_id=t&scope=repository:team/app:pull"
                    + "&refresh_token=" + refresh;
            var request = ClientRequest.of("POST", "/token")
                    .body("application/x-www-form-urlencoded", form.getBytes(StandardCharsets.UTF_8));
            assertThat(nobody.send(request).json().text("access_token")).isNotEmpty();
            try (var bearer = Registry.bearing(hub, refresh)) {
                assertThat(bearer.get("/v2/").status()).isEqualTo(401); // it is no access token
            }
            Files.writeString(directory.resolve("htpasswd"), Users.line("alice", "changed") + "\n");
            assertThat(nobody.send(request).status()).isEqualTo(401);
            assertThat(alice.get("/v2/").status()).isEqualTo(401);
            String password = "grant_type=password&username=alice&password=changed&service=carafe-hub";
            assertThat(nobody.send(ClientRequest.of("POST", "/token")
                    .body("application/x-www-form-urlencoded", password.getBytes(StandardCharsets.UTF_8)))
                    .status()).isEqualTo(200);
        }
    }

    @Test
    void wrongPasswordsAndUnknownUsersLookTheSame() throws Exception {
        for (String[] pair : new String[][] {{"alice", "no"}, {"mallory", "no"}, {"", ""}, {"alice", "x".repeat(100)}}) {
            try (var wrong = Registry.of(hub, pair[0], pair[1])) {
                var got = wrong.get("/v2/");
                assertThat(got.status()).isEqualTo(401);
                assertThat(got.text()).contains("user name or password is wrong");
            }
        }
    }

    @Test
    void theLocalSocketNeedsNoLogin() throws Exception {
        try (var client = new HttpClient(new Address.Unix(hub.socket()), Duration.ofSeconds(5));
                var response = client.send(ClientRequest.of("POST", "/v2/any/where/blobs/uploads/"))) {
            assertThat(response.status()).isEqualTo(202);
        }
    }

    @Test
    void mountingNeedsTheRightToPullTheSource() throws Exception {
        try (var alice = Registry.of(hub, "alice", "wonder"); var bob = Registry.of(hub, "bob", "builder")) {
            var secret = alice.pushBlob("alice/secret", "secret".getBytes(StandardCharsets.UTF_8));
            var got = bob.post("/v2/bob/x/blobs/uploads/?mount=" + secret + "&from=alice/secret");
            assertThat(got.status()).isEqualTo(202); // as if it were not there
            assertThat(bob.get("/v2/bob/x/blobs/" + secret).status()).isEqualTo(404);
        }
    }

    @Test
    void tlsWorksAndTheChallengeSaysSo(@TempDir Path other) throws Exception {
        try (var secured = new TestHub(other).tls().user("u", "p", "**", "pull", "push").start();
                var nobody = Registry.of(secured); var user = Registry.of(secured, "u", "p")) {
            assertThat(nobody.get("/v2/").header("WWW-Authenticate")).startsWith("Bearer realm=\"https://127.0.0.1:");
            byte[] manifest = user.pushImage("x", "v", CONFIG, "l".repeat(1_000_000));
            assertThat(user.get("/v2/x/manifests/v").body()).isEqualTo(manifest);
            var layer = Digest.sha256("l".repeat(1_000_000).getBytes(StandardCharsets.UTF_8));
            assertThat(user.get("/v2/x/blobs/" + layer).body()).hasSize(1_000_000);
        }
    }

    @Test
    void anonymousMayNotChangeWhatOthersCanReach() {
        assertThatThrownBy(() -> HubConfig.parse(Json.parseObject(
                "{\"data\":\"/d\",\"listen\":[\"tcp://0.0.0.0:5000\"],\"rights\":[{\"who\":[\"anonymous\"],\"namespace\":\"**\",\"may\":[\"pull\",\"push\"]}]}"
                        .getBytes(StandardCharsets.UTF_8))))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("let anonymous push or delete");
    }
}
