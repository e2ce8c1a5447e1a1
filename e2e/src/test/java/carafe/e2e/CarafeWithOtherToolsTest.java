package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Our engine, skopeo and Podman exchange images by a registry that wants a login.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeWithOtherToolsTest {

    private static final String CLEAR = "--tls-verify=false";

    private final CarafeDaemon engine = new CarafeDaemon();

    CarafeWithOtherToolsTest() throws Exception {}

    /// By whom the images go.
    enum Registry {
        DEBIANS(DebianRegistry::closed),
        OURS(HubUnderTest::closed);

        private final RegistryUnderTest.Start start;

        Registry(RegistryUnderTest.Start start) {
            this.start = start;
        }
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        carafe("load", "-i", TestImages.otherArchive(engine.directory()).toString());
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private Outcome carafe(String... words) throws Exception {
        return Client.carafe().to(engine).and(words).run().good();
    }

    private String id(String name) throws Exception {
        return carafe("image", "inspect", "--format", "{{.Id}}", name).text();
    }

    /// Pushes `other:1` as `app:ours`; the digest it has there.
    private String send(RegistryUnderTest registry) throws Exception {
        Client.carafe().to(engine).and("login", "-u", RegistryUnderTest.USER, "--password-stdin", registry.host())
                .stdin("secret\n").run().good();
        String name = registry.host() + "/team/app:ours";
        carafe("tag", "other:1", name);
        String digest = carafe("push", name).out().replaceAll("(?s).*digest: (sha256:[0-9a-f]{64}).*", "$1");
        carafe("rmi", name);
        return digest;
    }

    /// Our engine takes the tag, which is the image that it once sent.
    private void pull(RegistryUnderTest registry, String tag) throws Exception {
        String name = registry.host() + "/team/app:" + tag;
        assertThat(carafe("pull", name).out()).contains("Status: Downloaded newer image for " + name);
        assertThat(id(name)).as(tag).isEqualTo(id("other:1"));
        assertThat(carafe("run", "--rm", name, "echo", tag).text()).isEqualTo(tag);
        carafe("rmi", name);
    }

    @ParameterizedTest
    @EnumSource
    void skopeoAndWeExchangeImages(Registry kind) throws Exception {
        Path home = Files.createDirectories(engine.directory().resolve("skopeo-" + kind));
        var skopeo = new Skopeo(home);
        try (var registry = kind.start.run()) {
            String digest = send(registry);
            String app = "docker://" + registry.host() + "/team/app";
            assertThat(skopeo.command("inspect", CLEAR, app + ":ours").run().code()).isNotZero();
            skopeo.command("login", CLEAR, "-u", "ann", "-p", "secret", registry.host()).run().good();
            assertThat(skopeo.command("inspect", CLEAR, app + ":ours").run().good().out())
                    .contains("\"Digest\": \"" + digest + "\"", "\"Architecture\": \"amd64\"");
            skopeo.command("copy", CLEAR.replace("--", "--src-"), CLEAR.replace("--", "--dest-"), app + ":ours", app + ":copy")
                    .run().good();
            assertThat(skopeo.command("list-tags", CLEAR, app).run().good().out()).contains("\"ours\"", "\"copy\"");
            Path out = home.resolve("out");
            skopeo.command("copy", CLEAR.replace("--", "--src-"), "--preserve-digests", app + ":ours", "oci:" + out + ":v1")
                    .run().good();
            assertThat(OciLayout.digest(out)).isEqualTo(digest);
            skopeo.command("copy", CLEAR.replace("--", "--dest-"), "--format", "v2s2", "oci:" + out + ":v1", app + ":docker")
                    .run().good();
            for (String tag : List.of("ours", "copy", "docker")) {
                pull(registry, tag);
            }
            skopeo.command("logout", registry.host()).run().good();
            carafe("logout", registry.host());
        }
    }

    @ParameterizedTest
    @EnumSource
    void podmanAndWeExchangeImages(Registry kind) throws Exception {
        try (var registry = kind.start.run(); var podman = new Podman()) {
            String digest = send(registry);
            String app = registry.host() + "/team/app";
            assertThat(podman.command("pull", CLEAR, app + ":ours").run().code()).isNotZero();
            podman.command("login", CLEAR, "-u", "ann", "--password-stdin", registry.host()).stdin("secret").run().good();
            podman.command("pull", "-q", CLEAR, app + ":ours").run().good();
            assertThat(podman.command("image", "inspect", "--format", "sha256:{{.Id}} {{.Digest}}", app + ":ours").run().good()
                    .text()).isEqualTo(id("other:1") + " " + digest);
            podman.command("push", CLEAR, app + ":ours", app + ":podman").run().good();
            podman.command("push", CLEAR, "--format", "v2s2", app + ":ours", app + ":docker").run().good();
            for (String tag : List.of("podman", "docker")) {
                pull(registry, tag);
            }
            podman.command("logout", registry.host()).run().good();
            carafe("logout", registry.host());
        }
    }
}
