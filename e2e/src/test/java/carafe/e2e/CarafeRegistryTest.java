package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What our engine and command do with registries beyond the contract they share with Docker.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeRegistryTest {

    private final EngineUnderTest engine;
    private DebianRegistry registry;

    CarafeRegistryTest() throws Exception {
        engine = new CarafeDaemon();
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

    @BeforeEach
    void openRegistry() throws Exception {
        registry = DebianRegistry.open();
    }

    @AfterEach
    void closeRegistry() throws Exception {
        registry.close();
    }

    private Outcome carafe(String... words) throws Exception {
        return Client.carafe().to(engine).and(words).run().good();
    }

    private Outcome docker(String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run().good();
    }

    private String sent(String name) throws Exception {
        String full = registry.host() + "/" + name;
        carafe("tag", "other:1", full);
        carafe("push", full);
        return full;
    }

    @Test
    void searchLooksThroughACatalog() throws Exception {
        sent("team/web:1");
        sent("team/db:1");
        for (var found : List.of(docker("search", registry.host() + "/web"), carafe("search", registry.host() + "/web"))) {
            assertThat(found.out()).contains(registry.host() + "/team/web").doesNotContain("team/db");
        }
    }

    @Test
    void tagsAreListed() throws Exception {
        String name = sent("app:b");
        sent("app:a");
        assertThat(carafe("image", "tags", name).lines()).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void anImageIsCopiedBetweenRegistries() throws Exception {
        String name = sent("app:1");
        try (var second = DebianRegistry.open()) {
            String target = second.host() + "/copies/app:2";
            var copied = carafe("image", "copy", name, target);
            String digest = copied.lines().getLast().replace("Digest: ", "");
            assertThat(digest).matches("sha256:[0-9a-f]{64}");
            assertThat(carafe("pull", target).out()).contains("Digest: " + digest);
            assertThat(carafe("run", "--rm", target, "echo", "copied").text()).isEqualTo("copied");
            carafe("rmi", target);
        }
    }

    /// Each connection ends after a megabyte of a layer of eight; none of what has come is sent again.
    @Test
    void aLayerGoesOnWhereItsConnectionBroke() throws Exception {
        byte[] noise = new byte[8 << 20];
        new Random(12).nextBytes(noise);
        var rootfs = Files.write(engine.directory().resolve("noise.tar"), new Tar().file("noise", 0644, noise).finish());
        String name = registry.host() + "/noise:1";
        carafe("import", rootfs.toString(), name);
        carafe("push", name);
        carafe("rmi", name);
        try (var wire = new TornWire(registry.host(), 1 << 20, 5)) {
            String torn = wire.host() + "/noise:1";
            carafe("pull", torn);
            assertThat(wire.tearsLeft()).isZero();
            assertThat(wire.carried()).isGreaterThan(noise.length).isLessThan(noise.length + (256 << 10));
            carafe("rmi", torn);
        }
        Files.delete(rootfs);
    }

    /// What the daemon finds in certs.d when it is asked, not when it was started.
    @Test
    void aRegistryThatWantsACertificateGetsIt() throws Exception {
        try (var hub = HubUnderTest.wantingCertificates()) {
            Path certs = Path.of("/etc/carafe/certs.d", hub.host());
            var made = new ArrayList<Path>();
            for (Path each = certs; each != null && !Files.exists(each); each = each.getParent()) {
                made.add(each);
            }
            Files.createDirectories(certs);
            try {
                Files.copy(hub.directory().resolve("hub.crt"), certs.resolve("ca.crt"));
                String name = hub.host() + "/team/app:1";
                carafe("tag", "other:1", name);
                for (String verb : List.of("push", "pull")) {
                    for (var client : List.of(Client.carafe(), Client.docker28())) {
                        var refused = client.to(engine).and(verb, name).run().endedWith(1);
                        assertThat(refused.all()).contains(hub.host() + " asks for a client certificate, and there is none for"
                                + " it; put it and its key into " + certs + " as client.cert and client.key");
                    }
                }
                Files.copy(hub.directory().resolve("client.cert"), certs.resolve("client.cert"));
                Files.copy(hub.directory().resolve("client.key"), certs.resolve("client.key"));
                assertThat(carafe("push", name).out()).contains("1: digest: sha256:");
                carafe("rmi", name);
                assertThat(docker("pull", name).out()).contains("Status: Downloaded newer image for " + name);
                assertThat(carafe("run", "--rm", name, "echo", "proven").text()).isEqualTo("proven");
                assertThat(carafe("image", "tags", name).text()).isEqualTo("1");
                carafe("rmi", name);
            } finally {
                for (String file : List.of("ca.crt", "client.cert", "client.key")) {
                    Files.deleteIfExists(certs.resolve(file));
                }
                for (Path each : made) {
                    Files.deleteIfExists(each);
                }
            }
        }
    }

    @Test
    void aManifestListIsMadeAndPulled() throws Exception {
        String name = sent("app:1");
        String list = registry.host() + "/app:all";
        assertThat(carafe("manifest", "create", list, name).text()).isEqualTo("Created manifest list " + list);
        carafe("manifest", "annotate", "--os-version", "1.2", list, name);
        String digest = carafe("manifest", "push", "--purge", list).text();
        assertThat(carafe("manifest", "inspect", list).out()).contains("\"architecture\": \"amd64\"", "\"os.version\": \"1.2\"");
        assertThat(docker("pull", list).out()).contains("Digest: " + digest);
        assertThat(docker("run", "--rm", list, "echo", "chosen").text()).isEqualTo("chosen");
        carafe("rmi", list);
    }

    @Test
    void distributionIsInspectedAndSecretsAreNotLogged() throws Exception {
        String name = sent("app:1");
        String seen = RawHttp.get(engine.socket(), "/v1.50/distribution/" + name + "/json");
        assertThat(seen).contains("\"Descriptor\":{\"mediaType\":",
                "\"Platforms\":[{\"architecture\":\"amd64\",\"os\":\"linux\"}]");
        try (var closed = DebianRegistry.closed()) {
            Client.carafe().to(engine).and("login", "-u", "ann", "--password-stdin", closed.host())
                    .stdin("secret").run().good();
            carafe("tag", "other:1", closed.host() + "/x:1");
            carafe("push", closed.host() + "/x:1");
            carafe("rmi", closed.host() + "/x:1");
            carafe("logout", closed.host());
        }
        assertThat(engine.log()).doesNotContain("secret", "YW5uOnNlY3JldA");
        assertThat(Files.readString(engine.directory().resolve("client/config.json"))).doesNotContain("YW5uOnNlY3JldA");
    }
}
