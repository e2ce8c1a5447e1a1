package carafe.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.http.Headers;
import carafe.spec.EngineException;
import carafe.spec.docker.AuthConfig;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Manifests and listings, on good days and on bad ones.
@Timeout(60)
class FetchTest {

    @TempDir
    private Path directory;

    private TestRegistry registry;
    private Registries client;

    @BeforeEach
    void start() throws IOException {
        registry = new TestRegistry();
        client = TestRegistry.client();
    }

    @AfterEach
    void stop() {
        client.close();
        registry.close();
    }

    private Repository repository() throws EngineException {
        return client.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE);
    }

    private static Headers type(String type) {
        return Headers.of("Content-Type", type);
    }

    @Test
    void aManifestIsFetchedByTagAndByDigest() throws Exception {
        var image = registry.image("app", "1", "layer".getBytes());
        assertThat(repository().fetch("1")).isEqualTo(image);
        assertThat(repository().fetch(image.descriptor().digest().toString()).manifest().layers()).hasSize(1);
        assertThat(repository().head("1")).isEmpty(); // the server under test says no length to HEAD
        assertThatThrownBy(() -> repository().fetch("2"))
                .isInstanceOf(EngineException.NotFound.class)
                .hasMessage("manifest for " + registry.host() + "/app:2 not found: manifest unknown: manifest unknown");
    }

    @Test
    void aManifestWithAnotherDigestIsRefused() throws Exception {
        var image = registry.image("app", "1");
        var other = registry.image("app", "2");
        registry.manifests.put("app@" + image.descriptor().digest(), other);
        assertThatThrownBy(() -> repository().fetch(image.descriptor().digest().toString()))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessageContaining("manifest verification failed for digest " + image.descriptor().digest());
        registry.fault("GET /v2/app/manifests/1", 1, exchange -> exchange.respond(200, Headers.of("Content-Type",
                MediaTypes.OCI_MANIFEST, "Docker-Content-Digest", other.descriptor().digest().toString()), image.bytes()));
        assertThatThrownBy(() -> repository().fetch("1")).hasMessageContaining("manifest verification failed");
    }

    @Test
    void aWebPageInsteadOfAManifestIsCalledSo() {
        registry.fault("GET", 9, exchange -> exchange.respond(200, type("text/html; charset=utf-8"), "<html>".getBytes()));
        assertThatThrownBy(() -> repository().fetch("1"))
                .hasMessage("manifest for " + registry.host() + "/app:1: " + registry.host() + " answers with a web page"
                        + " instead of a manifest: it is no registry, or a login page is before it");
    }

    @Test
    void aManifestThatIsNoJsonOrTooLongIsRefused() {
        registry.fault("GET", 1, exchange -> exchange.respond(200, type(MediaTypes.OCI_MANIFEST), "{\"schemaV".getBytes()));
        assertThatThrownBy(() -> repository().fetch("1")).hasMessageContaining("sent a manifest that cannot be read");
        registry.fault("GET", 9, exchange -> exchange.respond(200, type(MediaTypes.OCI_MANIFEST), new byte[5 << 20]));
        assertThatThrownBy(() -> repository().fetch("1")).hasMessageContaining("longer than 4194304 bytes");
    }

    @Test
    void aDocumentThatIsCalledOneThingAndCallsItselfAnotherIsRefused() throws Exception {
        var image = registry.image("app", "1");
        registry.fault("GET", 1, exchange -> exchange.respond(200, type(MediaTypes.OCI_INDEX), image.bytes()));
        assertThatThrownBy(() -> repository().fetch("1")).hasMessageContaining("calls itself");
        registry.fault("GET", 1, exchange -> exchange.respond(200,
                type("application/vnd.docker.distribution.manifest.v1+prettyjws"), "{}".getBytes()));
        assertThatThrownBy(() -> repository().fetch("1"))
                .isInstanceOf(EngineException.Unsupported.class)
                .hasMessageContaining("schema 1");
    }

    @Test
    void aTornManifestIsFetchedAgain() throws Exception {
        var image = registry.image("app", "1");
        registry.fault("GET /v2/app/manifests", 1, exchange -> {
            var out = exchange.respondStreaming(200, type(MediaTypes.OCI_MANIFEST)); // not closed
            out.write("{\"sch".getBytes());
            out.flush();
            throw new IOException("cable pulled");
        });
        assertThat(repository().fetch("1")).isEqualTo(image);
    }

    @Test
    void stormsAreWaitedOutAndEndlessOnesGivenUp() throws Exception {
        var image = registry.image("app", "1");
        registry.fault("GET", 2, exchange -> exchange.respond(503, type("text/html"), "<html>busy".getBytes()));
        registry.fault("GET", 1, exchange -> exchange.respond(429, Headers.of("Retry-After", "0"), TestRegistry.NOTHING));
        assertThat(repository().fetch("1")).isEqualTo(image);
        registry.fault("GET", 99, exchange -> exchange.respond(500, type("text/html"), "<html>broken".getBytes()));
        assertThatThrownBy(() -> repository().fetch("1"))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("manifest for " + registry.host()
                        + "/app:1: the server answered with status 500 and a web page");
        assertThat(registry.count("GET")).isEqualTo(8);
    }

    @Test
    void aServerThatAsksForALongPauseIsQuotedInstead() {
        registry.fault("GET", 99, exchange -> {
            exchange.respond(429, Headers.of("Retry-After", "3600", "Content-Type", "application/json"),
                    "{\"errors\":[{\"code\":\"TOOMANYREQUESTS\",\"message\":\"come back later\"}]}".getBytes());
        });
        assertThatThrownBy(() -> repository().fetch("1")).hasMessageEndingWith("toomanyrequests: come back later");
        assertThat(registry.count("GET")).isEqualTo(1);
    }

    @Test
    void ofAnErrorLittleIsReadAndLessQuoted() {
        registry.fault("GET", 1, exchange -> {
            try (var out = exchange.respondStreaming(403, type("text/plain"))) {
                for (int i = 0; i < 100; i++) {
                    out.write("no\u0007".repeat(10_000).getBytes());
                }
            }
        });
        assertThatThrownBy(() -> repository().fetch("1"))
                .isInstanceOf(EngineException.Forbidden.class)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(500).doesNotContain("\u0007"));
    }

    @Test
    void aSilentServerIsGivenUp() {
        registry.fault("GET", 99, exchange -> new java.util.concurrent.CountDownLatch(1).await());
        assertThatThrownBy(() -> repository().fetch("1")).hasMessageContaining("the server sent nothing for 1 seconds");
    }

    @Test
    void interruptingEndsAWait() throws Exception {
        var inside = new java.util.concurrent.CountDownLatch(1);
        registry.fault("GET", 99, exchange -> {
            inside.countDown();
            new java.util.concurrent.CountDownLatch(1).await();
        });
        var caught = new java.util.concurrent.atomic.AtomicReference<Throwable>();
        var thread = Thread.ofVirtual().start(() -> {
            try {
                repository().fetch("1");
            } catch (EngineException | InterruptedException e) {
                caught.set(e);
            }
        });
        inside.await();
        thread.interrupt();
        thread.join();
        assertThat(caught.get()).isInstanceOf(InterruptedException.class);
    }

    @Test
    void thePlatformIsChosenByVariant() throws Exception {
        var entries = List.of(entry("linux/amd64"), entry("linux/arm/v6"), entry("linux/arm/v7"), entry("linux/arm64"));
        var index = Index.of(entries);
        assertThat(PlatformChoice.choose(index, Platform.parse("linux/amd64"))).isEqualTo(entries.get(0));
        assertThat(PlatformChoice.choose(index, Platform.parse("linux/arm/v7"))).isEqualTo(entries.get(2));
        assertThat(PlatformChoice.choose(index, Platform.parse("linux/arm/v6"))).isEqualTo(entries.get(1));
        assertThat(PlatformChoice.choose(index, Platform.parse("linux/arm64/v8"))).isEqualTo(entries.get(3));
        assertThatThrownBy(() -> PlatformChoice.choose(index, Platform.parse("linux/s390x")))
                .hasMessage("no matching manifest for linux/s390x in the manifest list entries");
    }

    private static Descriptor entry(String platform) throws EngineException {
        var bare = Descriptor.of(MediaTypes.OCI_MANIFEST, platform.getBytes());
        return new Descriptor(bare.mediaType(), bare.digest(), 3, Optional.of(Platform.parse(platform)), Map.of(),
                Optional.empty());
    }

    @Test
    void aMirrorIsAskedFirstAndItsFailureCostsNothing() throws Exception {
        var image = registry.image("app", "1", "layer".getBytes());
        try (var mirror = new TestRegistry();
                var mirrored = new Registries(new RegistryConfig(List.of(), Map.of(registry.host(),
                        List.of("http://" + mirror.host() + "/far")), Optional.empty(), List.of(), Proxies.NONE, TestRegistry.BRIEF, "t"),
                        Clock.systemUTC())) {
            var repository = mirrored.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE);
            assertThat(repository.fetch("1")).isEqualTo(image);
            assertThat(mirror.requests).containsExactly("GET /v2/far/app/manifests/1?ns=" + registry.host() + " []");
            mirror.image("far/app", "1", "layer".getBytes());
            repository.fetch("1");
            assertThat(repository.open(image.manifest().layers().getFirst()).readAllBytes()).isEqualTo("layer".getBytes());
            assertThat(registry.count("GET /v2/app/")).isEqualTo(1);
        }
    }

    @Test
    void theHubOfThisHostIsAskedBeforeTheRegistry() throws Exception {
        registry.image("app", "1", "layer".getBytes());
        var sent = registry.image("app", "2");
        var socket = directory.resolve("hub.sock");
        try (var hub = new TestRegistry(socket);
                var near = new Registries(new RegistryConfig(List.of(), Map.of(),
                        Optional.of(new OwnHub(socket, Map.of("far.example", "near"))), List.of(), Proxies.NONE,
                        TestRegistry.BRIEF, "t"), Clock.systemUTC())) {
            hub.image("near/team/app", "1", "layer".getBytes());
            var repository = near.repository(Reference.parse("far.example/team/app"), AuthConfig.NONE);
            var blob = repository.fetch("1").manifest().layers().getFirst();
            assertThat(repository.open(blob).readAllBytes()).isEqualTo("layer".getBytes());
            assertThat(hub.requests).contains("GET /v2/near/team/app/manifests/1 []");
            hub.requests.clear();
            // The colon before a port is none of a path's characters.
            assertThat(near.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE).fetch("2")).isEqualTo(sent);
            String path = registry.host().replace(':', '_') + "/app";
            assertThat(hub.requests).containsExactly("GET /v2/" + path + "/manifests/2 []");
            var kept = hub.image(path, "2", "kept".getBytes());
            assertThat(near.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE).fetch("2")).isEqualTo(kept);
            hub.requests.clear();
            assertThatThrownBy(() -> near.repository(Reference.parse("[::1]:1/app"), AuthConfig.NONE).fetch("2"))
                    .isInstanceOf(EngineException.class);
            assertThat(hub.requests).as("a name that is no path has nothing there").isEmpty();
        }
    }

    @Test
    void aMirrorMayListenAtASocket() throws Exception {
        var image = registry.image("app", "1");
        var socket = directory.resolve("mirror.sock");
        var config = new RegistryConfig(List.of(), Map.of(registry.host(), List.of("unix://" + socket)), Optional.empty(),
                List.of(), Proxies.NONE, TestRegistry.BRIEF, "t");
        try (var mirrored = new Registries(config, Clock.systemUTC())) {
            var name = Reference.parse(registry.host() + "/app");
            assertThat(mirrored.repository(name, AuthConfig.NONE).fetch("1")).isEqualTo(image); // nobody listens there yet
            try (var mirror = new TestRegistry(socket)) {
                var other = mirror.image("app", "1", "other".getBytes());
                assertThat(mirrored.repository(name, AuthConfig.NONE).fetch("1")).isEqualTo(other);
            }
            assertThat(mirrored.repository(name, AuthConfig.NONE).fetch("1")).isEqualTo(image);
        }
    }

    @Test
    void aFileIsFetchedFromTheWeb() throws Exception {
        registry.fault("GET /there/root.tar", 2, exchange -> exchange.respond(200, Headers.NONE, "the file".getBytes()));
        registry.fault("GET /here", 1, exchange -> exchange.respond(302, Headers.of("Location", "../there/root.tar?x=1"),
                TestRegistry.NOTHING));
        try (var in = client.web("http://" + registry.host() + "/here/root.tar")) {
            assertThat(in.readAllBytes()).isEqualTo("the file".getBytes());
        }
        try (var in = client.web(registry.host() + "/there/root.tar")) {
            assertThat(in.readAllBytes()).isEqualTo("the file".getBytes());
        }
        assertThatThrownBy(() -> client.web("http://" + registry.host() + "/v2/nothing/manifests/1"))
                .isInstanceOf(EngineException.Unavailable.class).hasMessageContaining("answers with status 404");
        assertThatThrownBy(() -> client.web("file:///etc/passwd")).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("only http://HOST/PATH and https://HOST/PATH");
    }

    @Test
    void aRedirectDoesNotLeadToTheHub() throws Exception {
        var socket = directory.resolve("hub.sock");
        registry.fault("GET /v2/app/manifests/1", 9, exchange -> exchange.respond(307,
                Headers.of("Location", "http://localhost/v2/secret/manifests/1"), new byte[0]));
        try (var hub = new TestRegistry(socket);
                var near = new Registries(new RegistryConfig(List.of(), Map.of(),
                        Optional.of(new OwnHub(socket, Map.of())), List.of(), Proxies.NONE, TestRegistry.BRIEF, "t"),
                        Clock.systemUTC())) {
            hub.image("secret", "1");
            assertThatThrownBy(() -> near.repository(Reference.parse(registry.host() + "/app"), AuthConfig.NONE).fetch("1"))
                    .isInstanceOf(EngineException.class);
            assertThat(hub.requests).isNotEmpty().noneMatch(request -> request.contains("secret"));
        }
    }

    @Test
    void tagsComeInPagesThatMayNotLeadInCircles() throws Exception {
        registry.fault("GET /v2/app/tags/list", 99, exchange -> {
            String last = exchange.query().first("last").orElse("");
            String next = last.isEmpty() ? "b" : "circle";
            exchange.respond(200, Headers.of("Content-Type", "application/json", "Link",
                    "</v2/app/tags/list?n=1&last=" + next + ">; rel=\"next\""),
                    ("{\"name\":\"app\",\"tags\":[\"" + (last.isEmpty() ? "a" : "b-" + last) + "\"]}").getBytes());
        });
        assertThat(repository().tags()).containsExactly("a", "b-b", "b-circle");
    }

    @Test
    void aRegistryWithoutSearchIsSearchedByItsCatalog() throws Exception {
        registry.fault("GET /v2/_catalog", 9, exchange -> exchange.respond(200, type("application/json"),
                "{\"repositories\":[\"team/web\",\"db\",\"web\"]}".getBytes()));
        assertThat(client.search(registry.host() + "/web", 10, AuthConfig.NONE).stream().map(Registries.Found::name))
                .containsExactly(registry.host() + "/team/web", registry.host() + "/web");
        registry.fault("GET /v1/search", 9, exchange -> exchange.respond(200, type("application/json"),
                ("{\"results\":[{\"name\":\"x\",\"description\":\"d\",\"star_count\":3,\"is_official\":true}]}").getBytes()));
        assertThat(client.search(registry.host() + "/x", 10, AuthConfig.NONE))
                .containsExactly(new Registries.Found(registry.host() + "/x", "d", 3, true, false));
        assertThat(client.catalog(registry.host(), AuthConfig.NONE, 2)).containsExactly("team/web", "db");
    }

    @Test
    void referrersAreFoundByTheirTagWhereThereIsNoList() throws Exception {
        var image = registry.image("app", "1");
        var digest = image.descriptor().digest();
        assertThat(referrers(digest)).isEmpty();
        registry.index("app", "sha256-" + digest.hex(), List.of(image.descriptor()));
        assertThat(referrers(digest)).containsExactly(image.descriptor());
        assertThat(Digest.parse(digest.toString())).isEqualTo(digest);
    }

    @Test
    void whatIsPushedIsListedUnderTheTagWhereThereIsNoList() throws Exception {
        var image = registry.image("app", "1");
        var config = registry.blob(new byte[] {'{', '}'}, MediaTypes.OCI_EMPTY);
        for (String type : List.of("application/vnd.acme.one", "application/vnd.acme.two", "application/vnd.acme.one")) {
            var manifest = new Manifest(MediaTypes.OCI_MANIFEST, config, List.of(), Map.of("by", "us"),
                    Optional.of(image.descriptor()), Optional.of(type));
            repository().put(Document.of(MediaTypes.OCI_MANIFEST, manifest.toJson().printBytes()), Optional.empty());
        }
        var listed = referrers(image.descriptor().digest());
        assertThat(listed).extracting(each -> each.artifactType().orElse(""))
                .containsExactly("application/vnd.acme.one", "application/vnd.acme.two");
        assertThat(listed.getFirst().annotations()).containsEntry("by", "us");
        assertThat(repository().fetch(listed.getFirst().digest().toString()).manifest().subject())
                .contains(image.descriptor());
    }

    @Test
    void aListOfReferrersIsReadPageByPage() throws Exception {
        var image = registry.image("app", "1");
        var digest = image.descriptor().digest();
        var first = Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[] {1});
        var second = Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[] {2});
        String path = "/v2/app/referrers/" + digest;
        var more = Headers.of("Content-Type", MediaTypes.OCI_INDEX, "Link", "<" + path + "?page=2>; rel=\"next\"");
        registry.fault("GET " + path, 2, exchange -> {
            boolean last = !exchange.rawQuery().isEmpty();
            exchange.respond(200, last ? type(MediaTypes.OCI_INDEX) : more,
                    Index.of(List.of(last ? second : first)).toJson().printBytes());
        });
        assertThat(referrers(digest)).containsExactly(first, second);
        registry.fault("GET " + path, 1000,
                exchange -> exchange.respond(200, more, Index.of(List.of(first)).toJson().printBytes()));
        long before = registry.count("GET " + path);
        assertThat(referrers(digest)).containsExactly(first); // the second page names itself as the next one
        assertThat(registry.count("GET " + path) - before).isEqualTo(2);
    }

    private List<Descriptor> referrers(Digest subject) throws EngineException, InterruptedException {
        return repository().referrers(subject, ReferrerBudget.whole());
    }

    @Test
    void theNextPageMayBeSaidSeenFromThisOne() throws Exception {
        var digest = registry.image("app", "1").descriptor().digest();
        var entries = List.of(Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[] {1}),
                Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[] {2}), Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[] {3}),
                Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[] {4}));
        String path = "/v2/app/referrers/" + digest;
        var links = List.of("?page=1", "./" + digest + "?page=2", "../referrers/" + digest + "?page=3");
        registry.fault("GET " + path, 9, exchange -> {
            int page = exchange.rawQuery().isEmpty() ? 0 : Integer.parseInt(exchange.rawQuery().substring(5));
            exchange.respond(200, page == 3 ? type(MediaTypes.OCI_INDEX) : Headers.of("Content-Type", MediaTypes.OCI_INDEX,
                    "Link", "<" + links.get(page) + ">; rel=\"next\""),
                    Index.of(List.of(entries.get(page))).toJson().printBytes());
        });
        assertThat(referrers(digest)).isEqualTo(entries);
        registry.fault("GET /v2/app/tags/list", 9, exchange -> exchange.respond(200, exchange.rawQuery().contains("last")
                ? type("application/json") : Headers.of("Content-Type", "application/json", "Link", "<?last=a>; rel=\"next\""),
                (exchange.rawQuery().contains("last") ? "{\"tags\":[\"b\"]}" : "{\"tags\":[\"a\"]}").getBytes()));
        assertThat(repository().tags()).containsExactly("a", "b");
    }

    /// Whoever may write to a repository makes its lists as long as they like.
    @Test
    void listsOfReferrersEndWhereTheirBudgetDoes() throws Exception {
        var digest = registry.image("app", "1").descriptor().digest();
        String path = "/v2/app/referrers/" + digest;
        var noted = Map.of("note", "x".repeat(1 << 20));
        registry.fault("GET " + path, 1000, exchange -> {
            int page = exchange.rawQuery().isEmpty() ? 0 : Integer.parseInt(exchange.rawQuery());
            var entries = List.of(Descriptor.of(MediaTypes.OCI_MANIFEST, ("a" + page).getBytes()).withAnnotations(noted),
                    Descriptor.of(MediaTypes.OCI_MANIFEST, ("b" + page).getBytes()).withAnnotations(noted));
            exchange.respond(200, Headers.of("Content-Type", MediaTypes.OCI_INDEX, "Link", "<?" + (page + 1) + ">; rel=next"),
                    Index.of(entries).toJson().printBytes());
        });
        var budget = ReferrerBudget.lean();
        assertThat(repository().referrers(digest, budget)).hasSize(6) // three pages of a bit more than 2 MiB
                .allSatisfy(entry -> assertThat(entry.annotations()).isEmpty());
        assertThat(budget.spent()).isTrue();
        long asked = registry.count("GET " + path);
        assertThat(asked).isEqualTo(4);
        assertThat(repository().referrers(digest, budget)).isEmpty();
        assertThat(registry.count("GET " + path)).isEqualTo(asked);
    }

    /// The page itself came from another place than was asked.
    @Test
    void theNextPageIsSeenFromWhereThisOneCameFrom() throws Exception {
        try (var other = new TestRegistry()) {
            registry.demand("Basic YWRhOnNlY3JldA==", "Basic realm=\"own\"");
            registry.fault("GET /v2/app/tags/list", 9, exchange -> exchange.respond(307,
                    Headers.of("Location", "http://" + other.host() + "/far/app/tags"), TestRegistry.NOTHING));
            for (String next : List.of("tags?page=2", "?page=2", "/far/app/tags?page=2")) {
                other.faults.clear();
                other.requests.clear();
                other.fault("GET /far/app/tags", 1, exchange -> exchange.respond(200, Headers.of("Content-Type",
                        "application/json", "Link", "<" + next + ">; rel=\"next\""), "{\"tags\":[\"a\"]}".getBytes()));
                other.fault("GET /far/app/tags", 1, exchange -> exchange.respond(200, type("application/json"),
                        "{\"tags\":[\"b\"]}".getBytes()));
                var auth = new AuthConfig("ada", "secret", "", "", registry.host());
                assertThat(client.repository(Reference.parse(registry.host() + "/app"), auth).tags()).as(next)
                        .containsExactly("a", "b");
                assertThat(other.requests).containsExactly("GET /far/app/tags []", "GET /far/app/tags?page=2 []");
            }
        }
    }

    @Test
    void pagesOfAllListsAreCounted() throws Exception {
        var digest = registry.image("app", "1").descriptor().digest();
        String path = "/v2/app/referrers/" + digest;
        registry.fault("GET " + path, 1000, exchange -> {
            int page = exchange.rawQuery().isEmpty() ? 0 : Integer.parseInt(exchange.rawQuery());
            var next = "<?" + (page + 1) + ">; rel=next";
            exchange.respond(200, page == 59 ? type(MediaTypes.OCI_INDEX)
                    : Headers.of("Content-Type", MediaTypes.OCI_INDEX, "Link", next), Index.of(List.of(
                    Descriptor.of(MediaTypes.OCI_MANIFEST, ("a" + page).getBytes()))).toJson().printBytes());
        });
        var budget = ReferrerBudget.lean();
        assertThat(repository().referrers(digest, budget)).hasSize(60);
        assertThat(budget.spent()).isFalse();
        assertThat(repository().referrers(digest, budget)).hasSize(42); // the first, and what is left of a hundred further
        assertThat(budget.spent()).isTrue();
    }

    /// A registry may say that its list goes on elsewhere, but not that our name and password do.
    @Test
    void aNextPageAtAnotherHostIsAskedForWithoutCredentials() throws Exception {
        var digest = registry.image("app", "1").descriptor().digest();
        String path = "/v2/app/referrers/" + digest;
        try (var other = new TestRegistry()) {
            registry.fault("GET /v2/", 9, exchange -> {
                if (exchange.headers().first("Authorization").isEmpty()) {
                    exchange.respond(401, Headers.of("WWW-Authenticate", "Basic realm=\"here\""), TestRegistry.NOTHING);
                    return;
                }
                exchange.respond(200, Headers.of("Content-Type", MediaTypes.OCI_INDEX, "Link",
                        "<http://" + other.host() + path + "?page=2>; rel=\"next\""), Index.of(List.of()).toJson().printBytes());
            });
            var last = Descriptor.of(MediaTypes.OCI_MANIFEST, new byte[] {1});
            other.fault("GET " + path, 1, exchange ->
                    exchange.respond(200, type(MediaTypes.OCI_INDEX), Index.of(List.of(last)).toJson().printBytes()));
            var auth = new AuthConfig("ada", "secret", "", "", registry.host());
            assertThat(client.repository(Reference.parse(registry.host() + "/app"), auth)
                    .referrers(digest, ReferrerBudget.lean())).containsExactly(last);
            assertThat(registry.requests).anyMatch(request -> request.startsWith("GET " + path + " [Basic "));
            assertThat(other.requests).containsExactly("GET " + path + "?page=2 []");
        }
    }
}
