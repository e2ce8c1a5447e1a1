package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The projects of `docs/examples` are built from an image of Debian's packages as they stand there, and run.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ExamplesTest {

    private static final Path EXAMPLES = Tools.ROOT.resolve("docs/examples");
    private static final Duration LONG = Duration.ofMinutes(4);

    private final EngineUnderTest engine;
    private final Client carafe = Client.carafe();

    ExamplesTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void makeTheBaseOfAll() throws Exception {
        engine.start();
        build("debian-dev", Tools.fetched("debian", ""), List.of("--network", "none",
                "-f", EXAMPLES.resolve("base/Dockerfile").toString()));
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private Outcome run(String... words) throws Exception {
        return carafe.to(engine).and(words).run();
    }

    private void build(String name, Path context, List<String> more) throws Exception {
        carafe.to(engine).and("build", "--progress", "plain", "-t", name).and(more.toArray(String[]::new))
                .and(context.toString()).within(LONG).run().good();
    }

    @Test
    void theBaseHasWhatItsIgnoreFileLets() throws Exception {
        assertThat(run("run", "--rm", "--network", "none", "debian-dev", "sh", "-c", "ls /usr/share; id -un; node --version")
                .good().lines()).contains("maven", "root").doesNotContain("man", "locale").last().asString().startsWith("v18.");
    }

    @Test
    void aStaticProgramIsAllOfItsImage() throws Exception {
        build("hello", EXAMPLES.resolve("c"), List.of("--network", "none"));
        assertThat(run("run", "--rm", "--network", "none", "hello").good().text()).isEqualTo("Hello, world!");
        assertThat(run("run", "--rm", "--network", "none", "hello", "you").good().text()).isEqualTo("Hello, you!");
        assertThat(run("inspect", "--format", "{{len .RootFS.Layers}}", "hello").good().text()).isEqualTo("2");
    }

    @Test
    void aPageIsServedByNodeWithoutRights() throws Exception {
        build("page", EXAMPLES.resolve("node"), List.of("--network", "none"));
        String container = run("run", "-d", "-p", "127.0.0.1::8080", "page").good().text();
        try {
            assertThat(answer(container, "/")).contains("A page from a container", "as user 65534");
            assertThat(answer(container, "/etc/passwd")).isEqualTo("no such page\n");
            run("exec", container, "node", "server.js", "--check").good();
        } finally {
            run("rm", "-f", container).good();
        }
    }

    @Test
    void aServiceOfMavensIsBuiltOnceOnlineAndThenFromItsCacheMount() throws Exception {
        Path context = copied(EXAMPLES.resolve("java"));
        var more = new ArrayList<>(List.of("--network", "host"));
        more.addAll(settingsOfThisHost());
        build("service", context, more);
        assertThat(greeting("service")).isEqualTo("{\"greeting\":\"Hello, you!\"}");

        Path source = context.resolve("src/main/java/example/Service.java");
        Files.writeString(source, Files.readString(source).replace("Hello, ", "Welcome, "));
        Path dockerfile = context.resolve("Dockerfile");
        Files.writeString(dockerfile, Files.readString(dockerfile).replace("mvn -q", "mvn -o -q"));
        build("service:2", context, List.of("--network", "none"));
        assertThat(greeting("service:2")).isEqualTo("{\"greeting\":\"Welcome, you!\"}");
        assertThat(run("run", "--rm", "--network", "none", "--entrypoint", "ls", "service:2", "/srv").good().lines())
                .contains("service.jar", "gson-2.13.2.jar");
    }

    private String greeting(String image) throws Exception {
        String container = run("run", "-d", "-p", "127.0.0.1::8080", image).good().text();
        try {
            return answer(container, "/you");
        } finally {
            run("rm", "-f", container).good();
        }
    }

    /// What this host's own Maven is told: which certificates to trust, and from where to fetch.
    private static List<String> settingsOfThisHost() {
        var words = new ArrayList<String>();
        Path home = Path.of(System.getProperty("user.home"));
        for (Path store : List.of(Path.of("/etc/ssl/certs/java/cacerts"),
                Path.of(System.getProperty("java.home"), "lib/security/cacerts"))) {
            if (words.isEmpty() && Files.exists(store)) {
                words.addAll(List.of("--secret", "id=cacerts,src=" + store));
            }
        }
        Path settings = home.resolve(".m2/settings.xml");
        if (Files.exists(settings)) {
            words.addAll(List.of("--secret", "id=settings,src=" + settings));
        }
        return words;
    }

    private String answer(String container, String path) throws Exception {
        String port = run("port", container, "8080").good().lines().getFirst();
        var request = HttpRequest.newBuilder(URI.create("http://" + port + path)).build();
        var bodies = new ArrayList<String>();
        try (var client = HttpClient.newHttpClient()) {
            Deadline.await(container + " answers on " + port, () -> {
                try {
                    bodies.add(client.send(request, BodyHandlers.ofString(StandardCharsets.UTF_8)).body());
                    return true;
                } catch (IOException _) {
                    return false; // it does not listen yet
                } catch (InterruptedException e) {
                    throw new AssertionError("interrupted", e);
                }
            });
        }
        return bodies.getLast();
    }

    private Path copied(Path project) throws IOException {
        Path copy = Files.createTempDirectory(engine.directory(), "context");
        Files.walkFileTree(project, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Path target = copy.resolve(project.relativize(file));
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
                return FileVisitResult.CONTINUE;
            }
        });
        return copy;
    }
}
