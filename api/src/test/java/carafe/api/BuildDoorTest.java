package carafe.api;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.engine.Builds;
import carafe.http.Address;
import carafe.http.Answer;
import carafe.http.ClientRequest;
import carafe.http.Headers;
import carafe.http.HttpClient;
import carafe.http.HttpServer;
import carafe.http.Listener;
import carafe.http.ServerLimits;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildOutcome;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CachePrune;
import carafe.spec.build.CachePruned;
import carafe.spec.build.CacheUse;
import carafe.spec.docker.AuthConfig;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What clients hear of a build through Docker's door, and that they cancel it by the id that they gave it.
@Timeout(60)
class BuildDoorTest {

    @TempDir
    private Path directory;

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private HttpServer server;

    /// Builds that tell something and then wait, for an interrupt or for `goOn`.
    private final class Waiting implements Builds {
        @Override
        public BuildOutcome build(BuildRequest request, List<AuthConfig> credentials, InputStream context,
                BuildListener listener) throws InterruptedException {
            listener.on(new BuildEvent.Resolving("docker.io/library/b:1"));
            listener.on(new BuildEvent.Fetching("docker.io/library/b:1", "1", "Pulling from library/b", 0, 0));
            listener.on(new BuildEvent.Fetching("docker.io/library/b:1", "0123456789ab", "Downloading", 1, 2));
            listener.on(new BuildEvent.Fetching("docker.io/library/b:1", "", "Digest: sha256:1", 0, 0));
            listener.on(new BuildEvent.Fetched("docker.io/library/b:1", ""));
            begun.countDown();
            goOn.await();
            return new BuildOutcome(Optional.of("sha256:" + "a".repeat(64)), "", List.of(), List.of(), Optional.empty(),
                    Optional.empty(), false);
        }

        @Override
        public List<CacheUse> cache() {
            throw new AssertionError();
        }

        @Override
        public CachePruned prune(CachePrune prune) {
            throw new AssertionError();
        }

        @Override
        public String exportMounts(List<String> ids) {
            throw new AssertionError();
        }

        @Override
        public List<String> importMounts(String image) {
            throw new AssertionError();
        }
    }

    @BeforeEach
    void start() throws Exception {
        var routes = new Routes();
        new BuildRoutes(new Waiting()).addTo(routes);
        server = HttpServer.start(List.of(Listener.unix(directory.resolve("s"), 0600, Optional.empty())), ServerLimits.DEFAULTS,
                exchange -> {
                    var match = routes.match("POST", List.of(exchange.rawPath().substring(1).split("/")));
                    match.action().run(new Call(exchange, ApiVersion.CURRENT, match.names(), Headers.NONE));
                },
                cause -> new Answer(500, Headers.NONE, String.valueOf(cause.getMessage()).getBytes(StandardCharsets.UTF_8)));
    }

    @AfterEach
    void stop() {
        server.close(Duration.ofSeconds(5));
    }

    private String post(String path) {
        try (var client = new HttpClient(new Address.Unix(directory.resolve("s")), Duration.ofSeconds(5));
                var response = client.send(ClientRequest.of("POST", path))) {
            return response.status() + " " + new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theStreamEndsWithAnErrorLine() throws Exception {
        var build = CompletableFuture.supplyAsync(() -> post("/build?buildid=b1&q=0"));
        begun.await();
        assertThat(post("/build/cancel?id=other")).isEqualTo("200 ");
        assertThat(build).isNotDone();
        assertThat(post("/build/cancel?id=b1")).isEqualTo("200 ");
        assertThat(build.get().lines()).last().asString()
                .contains("\"error\":\"the build was cancelled\"").contains("errorDetail");
        assertThat(post("/build/cancel?id=b1")).isEqualTo("200 ");
    }

    @Test
    void aBaseComesWithTheLinesOfAPull() {
        goOn.countDown();
        assertThat(post("/build").lines()).startsWith(
                "200 {\"status\":\"Pulling from library/b\",\"id\":\"1\"}",
                "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1,\"total\":2},\"progress\":\"["
                        + "=".repeat(25) + ">" + " ".repeat(24) + "]       1B/2B\",\"id\":\"0123456789ab\"}",
                "{\"status\":\"Digest: sha256:1\"}");
        assertThat(post("/build?q=1")).startsWith("200 {\"stream\":\"sha256:aaaa");
    }

    @Test
    void anotherBuildGoesOn() throws Exception {
        var build = CompletableFuture.supplyAsync(() -> post("/build"));
        begun.await();
        post("/build/cancel?id=b1");
        goOn.countDown();
        assertThat(build.get()).startsWith("200 ").doesNotContain("cancelled");
        assertThat(post("/build/cancel")).isEqualTo("500 build ID not provided");
    }
}
