package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import carafe.http.Headers;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Caches that a build leaves in directories.
class BuildCachesTest {

    @TempDir
    Path directory;

    private final TestSession caller = new TestSession();
    private FakeEngine engine;

    @BeforeEach
    void start() throws Exception {
        engine = new FakeEngine(directory);
        caller.environment.put("CARAFE_HOST", engine.host());
        caller.in = new ByteArrayInputStream("FROM scratch\n".getBytes(StandardCharsets.UTF_8));
        engine.on("GET /_ping", 200, "OK");
        engine.on("POST /build", exchange -> {
            exchange.readBody(1 << 20);
            FakeEngine.answer(exchange, 200, "{\"event\":\"outcome\",\"caches\":[\"c0ffee\",\"c0ffee\"]}");
        });
        engine.on("GET /images/c0ffee/get", exchange ->
                exchange.respond(200, Headers.of("Content-Type", "application/x-tar"), new byte[1024]));
        engine.on("DELETE /images/c0ffee", 200, "[]");
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private void build() {
        String[] words = {"build", "-q", "--cache-to", "type=local,dest=" + directory.resolve("min"), "--cache-to",
            "type=local,mode=max,dest=" + directory.resolve("max"), "-"};
        assertThat(Carafe.run(caller.session(words), _ -> false)).as(caller.errors()).isZero();
    }

    @Test
    void oneImageForTwoDirectoriesIsRemovedOnceAndAfterBoth() {
        engine.on("GET /images/c0ffee/json", 200, "{\"RepoTags\":[],\"RepoDigests\":[]}");
        build();
        assertThat(engine.asked).filteredOn(asked -> asked.contains("c0ffee")).containsExactly("GET /images/c0ffee/get",
                "GET /images/c0ffee/get", "GET /images/c0ffee/json", "DELETE /images/c0ffee");
    }

    @Test
    void aCacheThatIsWrongLeavesNoneOfThoseBeforeItInTheEngine() {
        String id = "sha256:" + "a".repeat(64);
        engine.on("POST /images/load", exchange -> {
            exchange.readBody(1 << 20);
            FakeEngine.answer(exchange, 200, "{\"stream\":\"Loaded image ID: " + id + "\\n\"}");
        });
        engine.on("GET /images/" + id + "/json", 200, "{\"RepoTags\":[],\"RepoDigests\":[]}")
                .on("DELETE /images/" + id, 200, "[]");
        caller.file("kept/index.json", "{\"manifests\":[]}");
        assertThat(Carafe.run(caller.session("build", "--cache-from", "type=local,src=kept", "--cache-from", "type=s3", "-"),
                _ -> false)).isEqualTo(1);
        assertThat(caller.errors()).contains("type=registry and local are known");
        assertThat(engine.asked).contains("DELETE /images/" + id).noneMatch(asked -> asked.startsWith("POST /build"));
    }

    @Test
    void anImageThatSomebodyNamedStays() {
        engine.on("GET /images/c0ffee/json", 200, "{\"RepoTags\":[\"mine:1\"],\"RepoDigests\":[]}");
        build();
        assertThat(engine.asked).noneMatch(asked -> asked.startsWith("DELETE"));
    }
}
