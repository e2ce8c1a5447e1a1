package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The project of docs/examples/notes, a web server before a program before PostgreSQL, as both Composes bring it up:
/// built, named, published, looked at with a browser, taken down and brought up again with its data.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ComposeTest {

    private static final Duration LONG = Duration.ofMinutes(5);

    private final EngineUnderTest engine;
    private final Client docker = Client.docker28();

    ComposeTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        base("image-db", "debian-postgres");
        base("image-app", "debian-python");
        base("image-web", "debian-nginx");
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private void base(String tree, String image) throws Exception {
        Path tar = engine.directory().resolve(image + ".tar");
        Command.of("tar", "-C", Tools.fetched(tree, ".").toString(), "--exclude", "./.fetched", "--exclude", "./usr/share/doc",
                "-cf", tar.toString(), ".").within(LONG).run().good();
        docker.to(engine).and("import", tar.toString(), image).within(LONG).run().good();
        Files.delete(tar);
    }

    private Outcome ask(String... words) throws Exception {
        return docker.to(engine).and(words).run().good();
    }

    private Outcome containers(String project, String... words) throws Exception {
        return docker.to(engine).and("ps", "--filter", "label=com.docker.compose.project=" + project).and(words).run().good();
    }

    /// Compose as it was written first, in Python: Debian 12's 1.29.2.
    private Command first(Path project) {
        Path tree = Tools.fetched("compose1", "usr");
        return on(project, Command.of(tree.resolve("bin/python3.11").toString(), tree.resolve("bin/docker-compose").toString()))
                .with("PYTHONHOME", tree.toString())
                .with("PYTHONDONTWRITEBYTECODE", "1")
                .with("LD_LIBRARY_PATH", tree.resolve("lib/x86_64-linux-gnu").toString());
    }

    /// Compose as it is today: Debian sid's 2.x.
    private Command second(Path project) {
        return on(project, Command.of(Tools.fetched("compose", "usr/libexec/docker/cli-plugins/docker-compose").toString()))
                .with("DOCKER_BUILDKIT", "0");
    }

    private Command on(Path project, Command compose) {
        return compose.with("DOCKER_HOST", engine.host())
                .with("HOME", engine.directory().toString())
                .with("NOTES_PORT", "0")
                .within(LONG)
                .and("--project-directory", project.toString(), "-f", project.resolve("docker-compose.yml").toString());
    }

    private Path project(String name) throws Exception {
        Path project = engine.directory().resolve(name);
        Command.of("cp", "-r", Tools.ROOT.resolve("docs/examples/notes").toString(), project.toString()).run().good();
        return project;
    }

    @Test
    void theFirstComposeBringsUpThreeServices() throws Exception {
        threeServices(first(project("one")), "one_", "_");
    }

    @Test
    void theSecondComposeBringsUpThreeServices() throws Exception {
        threeServices(second(project("two")), "two_", "-");
    }

    /// The project's life. `volumes` is what names of networks and volumes begin with, `dash` what joins names of containers.
    private void threeServices(Command compose, String volumes, String dash) throws Exception {
        compose.and("up", "-d").run().good();
        engine.remember(ask("ps", "-aq", "--no-trunc").lines());
        String project = volumes.substring(0, volumes.length() - 1);
        assertThat(containers(project, "--format", "{{.Names}} {{.State}}").lines()).containsExactlyInAnyOrder(
                String.join(dash, project, "web", "1") + " running",
                String.join(dash, project, "app", "1") + " running",
                String.join(dash, project, "db", "1") + " running");
        assertThat(ask("network", "ls", "--format", "{{.Name}}").lines()).contains(volumes + "inside", volumes + "outside");
        assertThat(ask("volume", "ls", "-q").lines()).contains(volumes + "data");
        assertThat(compose.and("ps", "-q").run().good().lines()).hasSize(3);

        try (var browser = new Browser()) {
            openPage(browser, compose);
            assertThat(browser.script("document.body.innerText")).contains("0 kept");
            browser.script("document.querySelector('input').value = 'kept <b>and</b> found', 'typed'");
            browser.script("document.querySelector('button').click(), 'clicked'");
            Deadline.await("the page shows the note",
                    () -> browser.script("document.body ? document.body.innerText : ''").contains("1 kept"));

            assertThat(compose.and("exec", "-T", "db", "psql", "-U", "notes", "-At", "-c", "SELECT note FROM notes")
                    .run().good().text()).isEqualTo("kept <b>and</b> found");
            assertThat(compose.and("logs", "--no-color", "web").run().good().out()).contains("POST / HTTP/1.1");
            // What nothing has changed stays as it is.
            List<String> before = containers(project, "-q").lines();
            compose.and("up", "-d").run().good();
            assertThat(containers(project, "-q").lines()).isEqualTo(before);

            compose.and("down").run().good();
            assertThat(containers(project, "-aq").text()).isEmpty();
            assertThat(ask("network", "ls", "--format", "{{.Name}}").lines()).doesNotContain(volumes + "inside", volumes + "outside");
            assertThat(ask("volume", "ls", "-q").lines()).contains(volumes + "data");

            compose.and("up", "-d").run().good();
            engine.remember(ask("ps", "-aq", "--no-trunc").lines());
            // Containers made anew beside the old ones take over their volumes.
            compose.and("up", "-d", "--force-recreate").run().good();
            engine.remember(ask("ps", "-aq", "--no-trunc").lines());
            openPage(browser, compose);
            assertThat(browser.script("document.querySelector('li').textContent")).isEqualTo("kept <b>and</b> found");
            browser.picture(Tools.E2E.resolve("target/pictures/notes-" + project + ".png"));

            // The web server finds each of three apps by the one name.
            compose.and("up", "-d", "--scale", "app=3").run().good();
            engine.remember(ask("ps", "-aq", "--no-trunc").lines());
            var answered = new java.util.TreeSet<String>();
            Deadline.await("three apps have answered", () -> {
                openPage(browser, compose);
                answered.add(browser.script("document.querySelector('p').textContent"));
                return answered.size() == 3;
            });
        }
        compose.and("down", "-v").run().good();
        assertThat(ask("volume", "ls", "-q").lines()).doesNotContain(volumes + "data");
        assertThat(containers(project, "-aq").text()).isEmpty();
    }

    /// Opens the page through the published port and waits until the program behind it answers.
    private static void openPage(Browser browser, Command compose) throws Exception {
        String address = compose.and("port", "web", "8080").run().good().text();
        assertThat(address).matches("127\\.0\\.0\\.1:\\d+");
        Deadline.await("the page is there", () -> {
            browser.open("http://" + address + "/");
            return browser.script("document.title").equals("Notes");
        });
    }
}
