package carafe.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Exchange;
import carafe.http.Handler;
import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Who is shown credentials, and who is not: rule R10, CVE-2020-15157, CVE-2021-41092.
@Timeout(60)
class CredentialsTest {

    private static final String BASIC = "Basic " + Base64.getEncoder().encodeToString("ann:secret".getBytes());

    private TestRegistry registry;
    private TestRegistry elsewhere;
    private Registries client;

    @BeforeEach
    void start() throws IOException {
        registry = new TestRegistry();
        elsewhere = new TestRegistry();
        client = TestRegistry.client();
    }

    @AfterEach
    void stop() {
        client.close();
        registry.close();
        elsewhere.close();
    }

    private AuthConfig ann() {
        return AuthConfig.password("ann", "secret", registry.host());
    }

    private Repository repository(AuthConfig auth) throws EngineException {
        return client.repository(Reference.parse(registry.host() + "/app"), auth);
    }

    /// Demands a name and a password.
    private void demandBasic() {
        registry.demand(BASIC, "Basic realm=\"r\"");
    }

    private void demandToken(String token) {
        registry.demand("Bearer " + token, "Bearer realm=\"http://" + registry.host()
                + "/token\",service=\"s\",scope=\"repository:app:pull\"");
    }

    private static Handler token(String json) {
        return exchange -> exchange.respond(200, Headers.of("Content-Type", "application/json"), json.getBytes());
    }

    @Test
    void aNameAndAPasswordAreShownOnlyWhenAskedFor() throws Exception {
        registry.image("app", "1");
        repository(ann()).fetch("1");
        assertThat(registry.requests).allMatch(request -> request.endsWith(" []"));
        demandBasic();
        repository(ann()).fetch("1");
        repository(ann()).fetch("1");
        assertThat(registry.requests.subList(1, 4)).containsExactly("GET /v2/app/manifests/1 []",
                "GET /v2/app/manifests/1 [" + BASIC + "]", "GET /v2/app/manifests/1 [" + BASIC + "]");
        assertThatThrownBy(() -> repository(AuthConfig.NONE).fetch("1")).isInstanceOf(EngineException.Forbidden.class);
        var wrong = AuthConfig.password("ann", "wrong", registry.host());
        assertThatThrownBy(() -> repository(wrong).fetch("1")).isInstanceOf(EngineException.Forbidden.class);
    }

    @Test
    void whatWasGivenToOneHostGoesToNoOther() throws Exception {
        registry.image("app", "1");
        demandBasic();
        for (String other : List.of("docker.io", "https://index.docker.io/v1/", "127.0.0.1", elsewhere.host())) {
            assertThatThrownBy(() -> repository(AuthConfig.password("ann", "secret", other)).fetch("1"))
                    .isInstanceOf(EngineException.Forbidden.class);
        }
        assertThat(registry.requests).noneMatch(request -> request.contains("Basic"));
        repository(AuthConfig.password("ann", "secret", "http://" + registry.host() + "/v1/")).fetch("1");
        repository(AuthConfig.password("ann", "secret", "")).fetch("1");
    }

    @Test
    void aRedirectCarriesNone() throws Exception {
        byte[] layer = "layer".getBytes();
        Descriptor blob = elsewhere.blob(layer, MediaTypes.OCI_LAYER);
        demandBasic();
        registry.fault("GET /v2/app/blobs", 1, exchange -> exchange.respond(307,
                Headers.of("Location", "http://" + elsewhere.host() + "/v2/cdn/blobs/" + blob.digest() + "?sig=1"),
                TestRegistry.NOTHING));
        try (var in = repository(ann()).open(blob)) {
            assertThat(in.readAllBytes()).isEqualTo(layer);
        }
        assertThat(registry.requests).anyMatch(request -> request.contains("Basic"));
        assertThat(elsewhere.requests).containsExactly("GET /v2/cdn/blobs/" + blob.digest() + "?sig=1 []");
    }

    /// CVE-2020-15157: the other host asks for credentials, and names its own token server.
    @Test
    void whereARedirectLeadsNoChallengeIsAnswered() throws Exception {
        Descriptor blob = Descriptor.of(MediaTypes.OCI_LAYER, "layer".getBytes());
        demandBasic();
        registry.fault("GET /v2/app/blobs", 9, exchange -> exchange.respond(302,
                Headers.of("Location", "http://" + elsewhere.host() + "/stolen"), TestRegistry.NOTHING));
        for (String challenge : List.of("Basic realm=\"give\"",
                "Bearer realm=\"http://" + elsewhere.host() + "/token\",service=\"x\"")) {
            elsewhere.fault("GET /stolen", 1, exchange ->
                    exchange.respond(401, Headers.of("WWW-Authenticate", challenge), TestRegistry.NOTHING));
            assertThatThrownBy(() -> repository(ann()).open(blob).readAllBytes())
                    .hasMessageContaining("credentials are for " + registry.host() + " only");
        }
        assertThat(elsewhere.requests).hasSize(2).allMatch(request -> request.equals("GET /stolen []"));
    }

    @Test
    void anUploadToAnotherHostCarriesNone() throws Exception {
        demandBasic();
        registry.fault("POST", 1, exchange -> exchange.respond(202,
                Headers.of("Location", "http://" + elsewhere.host() + "/v2/app/blobs/uploads/s1"), TestRegistry.NOTHING));
        elsewhere.uploads.put("s1", new java.io.ByteArrayOutputStream());
        byte[] bytes = "layer".getBytes();
        repository(ann()).upload(out -> {
            out.write(bytes);
            return Descriptor.of(MediaTypes.OCI_LAYER, bytes);
        }, _ -> { });
        assertThat(elsewhere.requests).hasSize(2).allMatch(request -> request.endsWith(" []"));
    }

    @Test
    void aMirrorIsShownNone() throws Exception {
        elsewhere.fault("", 99, exchange -> exchange.respond(401,
                Headers.of("WWW-Authenticate", "Basic realm=\"mirror\""), TestRegistry.NOTHING));
        registry.image("app", "1");
        demandBasic();
        try (var mirrored = new Registries(new RegistryConfig(List.of(), Map.of(registry.host(),
                List.of("http://" + elsewhere.host())), Optional.empty(), List.of(), Proxies.NONE, TestRegistry.BRIEF, "t"),
                Clock.systemUTC())) {
            mirrored.repository(Reference.parse(registry.host() + "/app"), ann()).fetch("1");
        }
        assertThat(elsewhere.requests).isNotEmpty().allMatch(request -> request.endsWith(" []"));
    }

    @Test
    void aTokenIsAskedForOncePerHostAndRight() throws Exception {
        registry.image("app", "1");
        demandToken("t1");
        registry.fault("GET /token", 9, token("{\"token\":\"t1\",\"expires_in\":300}"));
        repository(ann()).fetch("1");
        repository(ann()).fetch("1");
        assertThat(registry.count("GET /token")).isEqualTo(1);
        assertThat(registry.requests).contains(
                "GET /token?service=s&scope=repository%3Aapp%3Apull&account=ann [" + BASIC + "]");
        repository(ann()).has(Descriptor.of("x/y", TestRegistry.NOTHING).digest());
        assertThat(registry.requests).contains(
                "GET /token?service=s&scope=repository%3Aapp%3Apull%2Cpush&account=ann [" + BASIC + "]");
        assertThat(registry.requests).noneMatch(r -> r.startsWith("GET /v2") && r.contains("Basic"));
    }

    @Test
    void aTokenThatIsRefusedIsReplacedOnce() throws Exception {
        registry.image("app", "1");
        registry.fault("GET /token", 1, token("{\"access_token\":\"old\"}"));
        registry.fault("GET /token", 9, token("{\"access_token\":\"new\"}"));
        demandToken("new");
        assertThatThrownBy(() -> repository(ann()).fetch("1")).isInstanceOf(EngineException.Forbidden.class);
        repository(ann()).fetch("1");
        assertThat(registry.count("GET /token")).isEqualTo(2);
    }

    @Test
    void anIdentityTokenIsPostedAndARegistryTokenShownAsItIs() throws Exception {
        registry.image("app", "1");
        demandToken("t2");
        var form = new java.util.concurrent.atomic.AtomicReference<String>("");
        registry.fault("POST /token", 1, exchange -> {
            form.set(new String(exchange.readBody(10_000), StandardCharsets.UTF_8));
            token("{\"access_token\":\"t2\"}").handle(exchange);
        });
        repository(new AuthConfig("", "", "identity", "", registry.host())).fetch("1");
        assertThat(form.get()).isEqualTo("grant_type=refresh_token&service=s&client_id=carafe"
                + "&scope=repository%3Aapp%3Apull&refresh_token=identity");
        repository(new AuthConfig("", "", "", "t2", registry.host())).fetch("1");
        assertThat(registry.count("POST /token")).isEqualTo(1);
    }

    @Test
    void loginTellsRightFromWrong() throws Exception {
        assertThat(client.login(ann())).isEqualTo(new Registries.Login.Accepted(""));
        demandBasic();
        assertThat(client.login(ann())).isEqualTo(new Registries.Login.Accepted(""));
        assertThat(client.login(AuthConfig.password("ann", "wrong", registry.host())))
                .isEqualTo(new Registries.Login.Refused("login attempt to http://" + registry.host()
                        + "/v2/ failed with status: 401 Unauthorized"));
        registry.faults.clear();
        demandToken("t3");
        registry.fault("GET /token", 1, token("{\"token\":\"t3\",\"refresh_token\":\"identity\"}"));
        registry.fault("GET /token", 9, exchange -> exchange.respond(401, Headers.NONE, TestRegistry.NOTHING));
        assertThat(client.login(ann())).isEqualTo(new Registries.Login.Accepted("identity"));
        assertThat(registry.requests).anyMatch(request -> request.contains("offline_token=true"));
        assertThat(client.login(ann())).isInstanceOf(Registries.Login.Refused.class);
    }

    @Test
    void fromTlsNothingLeadsIntoTheClear() {
        var far = new carafe.http.Origin(true, "far.example", 443);
        var challenge = new Challenge("bearer", Map.of("realm", "http://far.example/token"));
        var clients = new Clients(TestRegistry.config(), TestRegistry.waiting());
        assertThatThrownBy(() -> new TokenServer(clients, TestRegistry.waiting()).ask(far, challenge, List.of(), ann(), false))
                .isInstanceOf(EngineException.Forbidden.class)
                .hasMessageContaining("names a token server without TLS");
        clients.close();
    }

    @Test
    void nothingPrintsSecrets() {
        var all = new AuthConfig("ann", "secret", "identity", "registry", "host:1");
        assertThat(all.toString()).isEqualTo("credentials for host:1");
        assertThat(String.valueOf(new Tokens.Key(new carafe.http.Origin(true, "h", 1), all, "s")))
                .doesNotContain("secret", "identity", "registry");
        assertThatThrownBy(() -> Proxies.of("ftp://user:secret@host", "", ""))
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret"));
    }

    @Test
    void headersOfClientsAreReadInEitherAlphabet() {
        String json = "{\"username\":\"ann\",\"password\":\"??>>\",\"serveraddress\":\"h\"}";
        var expected = AuthConfig.password("ann", "??>>", "h");
        assertThat(AuthConfig.fromHeader(Base64.getUrlEncoder().encodeToString(json.getBytes()))).isEqualTo(expected);
        assertThat(AuthConfig.fromHeader(Base64.getEncoder().encodeToString(json.getBytes()))).isEqualTo(expected);
        for (String garbage : List.of("", "!", "e30=", "bnVsbA==", "W10=", "x".repeat(100_000))) {
            assertThat(AuthConfig.fromHeader(garbage)).isEqualTo(AuthConfig.NONE);
        }
    }
}
