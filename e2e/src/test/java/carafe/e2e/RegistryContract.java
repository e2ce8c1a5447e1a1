package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Images to and from a registry on a loopback port, a fresh one for each test.
@Tag("registries")
abstract class RegistryContract extends Contract {

    private final List<RegistryUnderTest> registries = new ArrayList<>();
    private final RegistryUnderTest.Start open;
    private final RegistryUnderTest.Start closed;

    /// `open` starts a registry in which everybody may do everything, `closed` one in which only
    /// [RegistryUnderTest#USER] may.
    RegistryContract(DockerCommandContract whole, RegistryUnderTest.Start open, RegistryUnderTest.Start closed) {
        super(whole);
        this.open = open;
        this.closed = closed;
    }

    @BeforeEach
    void loadTheImageThatTravels() throws Exception {
        docker("load", "-i", TestImages.otherArchive(engine().directory()).toString());
    }

    @AfterEach
    void forgetTheImage() throws Exception {
        var left = docker("images", "-q", "--filter", "reference=other").lines();
        for (String image : left) {
            command("rmi", "-f", image).run();
        }
        for (var registry : registries) {
            registry.close();
        }
    }

    final RegistryUnderTest registry() throws Exception {
        var registry = open.run();
        registries.add(registry);
        return registry;
    }

    private RegistryUnderTest closedRegistry() throws Exception {
        var registry = closed.run();
        registries.add(registry);
        return registry;
    }

    /// Sends `other:1` there under a name, and forgets it here.
    final Outcome send(String name) throws Exception {
        docker("tag", "other:1", name);
        var pushed = docker("push", name);
        docker("rmi", name);
        return pushed;
    }

    private void forgetOther() throws Exception {
        docker("rmi", "other:1");
    }

    @Test
    void whatIsPushedCanBePulledAndRuns() throws Exception {
        String name = registry().host() + "/team/app:1";
        var pushed = send(name);
        assertThat(pushed.out()).startsWith("The push refers to repository [" + name.replace(":1", "") + "]")
                .contains(": Preparing", ": Pushed")
                .containsPattern("\\n1: digest: sha256:[0-9a-f]{64} size: \\d+\\s*$");
        forgetOther();
        var pulled = docker("pull", name);
        assertThat(pulled.lines()).contains("1: Pulling from team/app", "Status: Downloaded newer image for " + name)
                .anyMatch(line -> line.endsWith(": Pulling fs layer"))
                .anyMatch(line -> line.endsWith(": Download complete"))
                .anyMatch(line -> line.endsWith(": Pull complete"))
                .anyMatch(line -> line.startsWith("Digest: sha256:"));
        assertThat(pulled.lines().getLast()).isEqualTo(name);
        assertThat(docker("run", "--rm", name, "echo", "it runs").text()).isEqualTo("it runs");
        String digest = pulled.lines().stream().filter(line -> line.startsWith("Digest: ")).findFirst().orElseThrow();
        assertThat(docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", name).text())
                .isEqualTo(name.replace(":1", "") + "@" + digest.substring(8));
        docker("rmi", name);
    }

    @Test
    void whatIsThereIsNotSentAgain() throws Exception {
        String name = registry().host() + "/app:1";
        docker("tag", "other:1", name);
        docker("push", name);
        var again = docker("push", name);
        assertThat(again.out()).contains(": Layer already exists").doesNotContain(": Pushed");
        var pulled = docker("pull", name);
        assertThat(pulled.out()).contains("Status: Image is up to date for " + name);
        String elsewhere = name.replace("/app:", "/copy:");
        docker("tag", "other:1", elsewhere);
        assertThat(docker("push", elsewhere).out()).contains(": Mounted from app");
        docker("rmi", name, elsewhere);
    }

    @Test
    void runPullsWhatIsMissing() throws Exception {
        String name = registry().host() + "/app:latest";
        send(name);
        forgetOther();
        var ran = docker("run", "--rm", name.replace(":latest", ""), "echo", "came along");
        assertThat(ran.text()).isEqualTo("came along");
        assertThat(ran.err()).contains("Unable to find image '" + name + "' locally",
                "Status: Downloaded newer image for " + name);
        docker("rmi", name);
    }

    @Test
    void anImageIsPulledByItsDigest() throws Exception {
        String name = registry().host() + "/app:1";
        String digest = send(name).out().replaceAll("(?s).*digest: (sha256:[0-9a-f]{64}).*", "$1");
        forgetOther();
        String exact = name.replace(":1", "") + "@" + digest;
        assertThat(docker("pull", exact).out()).contains("Digest: " + digest,
                "Status: Downloaded newer image for " + exact);
        assertThat(docker("run", "--rm", exact, "echo", "exact").text()).isEqualTo("exact");
        docker("rmi", exact);
    }

    @Test
    void allTagsTravelTogether() throws Exception {
        String repository = registry().host() + "/app";
        docker("tag", "other:1", repository + ":a");
        docker("tag", "other:1", repository + ":b");
        assertThat(docker("push", "--all-tags", repository).out()).contains("a: digest: sha256:", "b: digest: sha256:");
        docker("rmi", repository + ":a", repository + ":b");
        docker("pull", "--all-tags", repository);
        assertThat(docker("images", "--format", "{{.Tag}}", repository).lines()).containsExactlyInAnyOrder("a", "b");
        docker("rmi", repository + ":a", repository + ":b");
    }

    @Test
    void whatIsNotThereIsNamed() throws Exception {
        String host = registry().host();
        assertThat(failing(1, "pull", host + "/nothing:1").err()).contains("not found");
        assertThat(failing(125, "run", "--rm", host + "/nothing:1").err()).contains("not found");
        assertThat(failing(1, "push", host + "/nothing:1").all())
                .contains("An image does not exist locally with the tag: " + host + "/nothing");
    }

    @Test
    void nobodyListening() throws Exception {
        var registry = registry();
        registry.close();
        assertThat(failing(1, "pull", registry.host() + "/app:1").err()).containsIgnoringCase("connection refused");
    }

    @Test
    void loginOpensWhatIsClosed() throws Exception {
        String host = closedRegistry().host();
        String name = host + "/private:1";
        docker("tag", "other:1", name);
        assertThat(failing(1, "push", name).all()).containsPattern(
                "no basic auth credentials|unauthorized|denied: requested access to the resource is denied");
        assertThat(command("login", "-u", "ann", "--password-stdin", host).stdin("wrong\n").run().endedWith(1).err())
                .containsPattern("401 Unauthorized|unauthorized: ");
        var good = command("login", "-u", "ann", "--password-stdin", host).stdin("secret\n").run().good();
        assertThat(good.out()).contains("Login Succeeded");
        Path settings = engine().directory().resolve("client/config.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(settings))).isEqualTo("rw-------");
        // The password, or what the registry gave to be kept in its place.
        assertThat(Files.readString(settings)).contains("\"" + host + "\"")
                .containsPattern("YW5uOnNlY3JldA==|\"identitytoken\": \"[^\"]+\"");
        docker("push", name);
        docker("rmi", name);
        docker("pull", name);
        assertThat(docker("logout", host).out()).contains("Removing login credentials for " + host);
        assertThat(Files.readString(settings)).doesNotContain("YW5uOnNlY3JldA==", "identitytoken");
        failing(1, "pull", name);
        docker("rmi", name);
    }

    @Test
    void quietSaysOnlyTheName() throws Exception {
        String name = registry().host() + "/app:1";
        docker("tag", "other:1", name);
        assertThat(docker("push", "--quiet", name).text()).isEqualTo(name);
        assertThat(docker("pull", "--quiet", name).text()).isEqualTo(name);
        docker("rmi", name);
    }
}
