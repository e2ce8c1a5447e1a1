package carafe.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.cli.session.TestSession;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Commands that deal with registries, against an engine that answers by script.
class RegistryCommandsTest {

    @TempDir
    private Path directory;

    private final TestSession caller = new TestSession();
    private FakeEngine engine;

    @BeforeEach
    void start() throws IOException {
        engine = new FakeEngine(directory);
        caller.environment.put("CARAFE_HOST", engine.host());
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private int run(String... words) {
        return Carafe.run(caller.session(words), _ -> false);
    }

    private static String stream(String... messages) {
        return String.join("\r\n", messages);
    }

    @Test
    void loginAsksTheEngineAndKeepsWhatWasGood() {
        caller.in = new ByteArrayInputStream("secret\n".getBytes());
        engine.on("POST /auth", 200, "{\"Status\":\"Login Succeeded\",\"IdentityToken\":\"\"}");
        assertThat(run("login", "-u", "ann", "--password-stdin", "host:5000")).isZero();
        assertThat(engine.bodies).containsExactly(
                "{\"username\":\"ann\",\"password\":\"secret\",\"serveraddress\":\"host:5000\"}");
        assertThat(caller.output()).isEqualTo("Login Succeeded\n");
        assertThat(caller.errors()).contains("WARNING! Your credentials are stored unencrypted in");
        assertThat(new String(caller.files.getOrDefault(Path.of("/home/user/.docker/config.json"), new byte[0]), StandardCharsets.UTF_8))
                .contains(Base64.getEncoder().encodeToString("ann:secret".getBytes()));
        assertThat(run("logout", "host:5000")).isZero();
        assertThat(caller.output()).endsWith("Removing login credentials for host:5000\n");
    }

    @Test
    void loginRefusesAndKeepsNothing() {
        engine.on("POST /auth", 401, "{\"message\":\"login attempt failed\"}");
        caller.in = new ByteArrayInputStream("wrong".getBytes());
        assertThat(run("login", "-u", "ann", "--password-stdin", "host")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("Error response from daemon: login attempt failed\n");
        assertThat(run("login", "--password-stdin", "host")).isEqualTo(1);
        assertThat(run("login", "host")).isEqualTo(1);
        assertThat(caller.errors()).endsWith("Error: Cannot perform an interactive login from a non TTY device\n");
        assertThat(caller.files).isEmpty();
    }

    @Test
    void aPasswordIsAskedForWithoutEcho() {
        caller.terminal = true;
        caller.in = new ByteArrayInputStream("ann\nsecrex\177t\r".getBytes(StandardCharsets.ISO_8859_1));
        engine.on("POST /auth", 200, "{\"IdentityToken\":\"identity\"}");
        assertThat(run("login", "host")).isZero();
        assertThat(engine.bodies).containsExactly("{\"username\":\"ann\",\"password\":\"secret\",\"serveraddress\":\"host\"}");
        assertThat(caller.rawMode).containsExactly("raw", "restored");
        assertThat(caller.output()).isEqualTo("Username: Password: \nLogin Succeeded\n");
    }

    @Test
    void pullAndPushBringTheRegistrysOwnCredentials() {
        caller.file(".docker/config.json", "{\"auths\":{\"host:5000\":{\"auth\":\"YTpi\"}}}");
        var shown = new java.util.ArrayList<String>();
        for (String route : new String[] {"POST /images/create", "POST /images/host:5000/x/push", "POST /images/other/push"}) {
            engine.on(route, exchange -> {
                shown.add(new String(Base64.getUrlDecoder().decode(exchange.headers().first("X-Registry-Auth").orElse(""))));
                FakeEngine.answer(exchange, 200, stream("{\"status\":\"Pulling from x\",\"id\":\"1\"}",
                        "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":5,\"total\":10},\"id\":\"abc\"}",
                        "{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"abc\"}", "{\"status\":\"Status: done\"}",
                        "{\"progressDetail\":{},\"aux\":{\"Tag\":\"1\"}}"));
            });
        }
        assertThat(run("pull", "host:5000/x:1")).isZero();
        assertThat(caller.output()).isEqualTo("1: Pulling from x\nabc: Pull complete\nStatus: done\nhost:5000/x:1\n");
        assertThat(run("push", "host:5000/x")).isZero();
        assertThat(run("push", "-a", "-q", "other")).isZero();
        String own = "{\"username\":\"a\",\"password\":\"b\",\"serveraddress\":\"host:5000\"}";
        assertThat(shown).containsExactly(own, own, "{}");
        assertThat(engine.asked).containsExactly("POST /images/create?fromImage=host%3A5000%2Fx&tag=1",
                "POST /images/host:5000/x/push?tag=latest", "POST /images/other/push");
        assertThat(run("pull", "-a", "x:1")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("tag can't be used with --all-tags/-a\n");
    }

    @Test
    void onATerminalEveryLayerHasItsLine() {
        caller.terminal = true;
        engine.on("POST /images/create", 200, stream("{\"status\":\"Pulling from x\",\"id\":\"1\"}",
                "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"a\"}",
                "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"b\"}",
                "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1500,\"total\":3000},\"id\":\"a\"}"));
        assertThat(run("pull", "x:1")).isZero();
        assertThat(caller.output()).startsWith("1: Pulling from x\n\n\033[1A\033[2K\ra: Pulling fs layer\r\033[1B")
                .contains("\033[2A\033[2K\ra: Downloading    1.5kB/3kB\r\033[2B");
    }

    @Test
    void anErrorInTheStreamIsAFailure() {
        engine.on("POST /images/create", 200, stream("{\"status\":\"Pulling from x\",\"id\":\"1\"}",
                "{\"errorDetail\":{\"message\":\"cable pulled\"},\"error\":\"cable pulled\"}"));
        assertThat(run("pull", "x:1")).isEqualTo(1);
        assertThat(caller.errors()).isEqualTo("cable pulled\n");
    }

    @Test
    void searchIsATable() {
        engine.on("GET /images/search", 200, "[{\"name\":\"web\",\"description\":\"a server\",\"star_count\":7,"
                + "\"is_official\":true,\"is_automated\":false}]");
        assertThat(run("search", "--limit", "5", "web")).isZero();
        assertThat(caller.output()).isEqualTo("NAME      DESCRIPTION   STARS     OFFICIAL\nweb       a server      7         [OK]\n");
        assertThat(engine.asked).containsExactly("GET /images/search?term=web&limit=5");
    }

    @Test
    void aManifestListIsMadeAnnotatedAndPushed() {
        String manifest = "{\\\"schemaVersion\\\":2,\\\"mediaType\\\":\\\"application/vnd.oci.image.manifest.v1+json\\\","
                + "\\\"config\\\":{\\\"mediaType\\\":\\\"application/vnd.oci.image.config.v1+json\\\",\\\"digest\\\":\\\"sha256:"
                + "0".repeat(64) + "\\\",\\\"size\\\":2},\\\"layers\\\":[]}";
        engine.on("GET /carafe/v1/registry/manifest", 200,
                "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"document\":\"" + manifest + "\"}");
        engine.on("GET /carafe/v1/registry/blob", 200,
                "{\"document\":\"{\\\"architecture\\\":\\\"arm\\\",\\\"os\\\":\\\"linux\\\"}\"}");
        engine.on("POST /carafe/v1/registry/manifest", 200, "{\"digest\":\"sha256:abc\",\"size\":5}");
        assertThat(run("manifest", "create", "host:5000/x:1", "host:5000/x:arm")).isZero();
        assertThat(run("manifest", "create", "host:5000/x:1", "host:5000/x:arm")).isEqualTo(1);
        assertThat(run("manifest", "annotate", "--variant", "v7", "host:5000/x:1", "host:5000/x:arm")).isZero();
        assertThat(run("manifest", "push", "--purge", "host:5000/x:1")).isZero();
        assertThat(caller.output()).isEqualTo("Created manifest list host:5000/x:1\nsha256:abc\n");
        assertThat(engine.bodies.getLast()).contains("\\\"platform\\\":{\\\"architecture\\\":\\\"arm\\\",\\\"os\\\":\\\"linux\\\","
                + "\\\"variant\\\":\\\"v7\\\"}", "\"parts\":[\"host:5000/x@sha256:");
        assertThat(run("manifest", "push", "host:5000/x:1")).isEqualTo(1);
        assertThat(run("manifest", "rm", "host:5000/x:1")).isEqualTo(1);
        assertThat(caller.errors()).endsWith("No such manifest: host:5000/x:1\n");
    }

    @Test
    void tagsAndCopiesAreAskedOfTheEngine() throws Exception {
        engine.on("GET /carafe/v1/registry/tags", 200, "{\"tags\":[\"1\",\"2\"]}");
        engine.on("POST /carafe/v1/registry/copy", 200, "{\"status\":\"Digest: sha256:abc\"}");
        assertThat(run("image", "tags", "host:5000/x")).isZero();
        assertThat(run("image", "copy", "host:5000/x:1", "other:1/y:2")).isZero();
        assertThat(caller.output()).isEqualTo("1\n2\nDigest: sha256:abc\n");
        assertThat(engine.body(0).text("target")).isEqualTo("other:1/y:2");
    }
}
