package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// `load` and `save` of one platform of several, through the clients that have the flag: docker since 28, and carafe.
@Tag("images")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafePlatformsTest {

    private static final String NAME = "many:1";
    private static final String OTHER = "linux/s390x";
    private static final String NONE = "linux/riscv64";

    private final EngineUnderTest engine;
    private Path archive;

    CarafePlatformsTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        archive = archive(engine.directory().resolve("many.tar"));
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    @AfterEach
    void forget() throws Exception {
        for (String id : Client.carafe().to(engine).and("images", "-q", "--no-trunc", NAME).run().good().lines()) {
            Client.carafe().to(engine).and("rmi", "-f", id).run().good();
        }
    }

    static Stream<Client> clients() {
        return Stream.of(Client.docker28(), Client.carafe());
    }

    private Outcome run(Client client, String... words) throws Exception {
        return client.to(engine).and(words).run();
    }

    private String architecture(Client client) throws Exception {
        return run(client, "image", "inspect", "-f", "{{.Architecture}}", NAME).good().text();
    }

    @ParameterizedTest
    @MethodSource("clients")
    void withoutAFlagTheMachinesOwnIsLoaded(Client client) throws Exception {
        assertThat(run(client, "load", "-i", archive.toString()).good().text()).isEqualTo("Loaded image: " + NAME);

        assertThat(architecture(client)).isEqualTo("amd64");
    }

    @ParameterizedTest
    @MethodSource("clients")
    void onePlatformIsLoadedSavedAndLoadedAgain(Client client) throws Exception {
        assertThat(run(client, "load", "--platform", OTHER, "-i", archive.toString()).good().text())
                .isEqualTo("Loaded image: " + NAME);
        assertThat(architecture(client)).isEqualTo("s390x");
        String id = run(client, "image", "inspect", "-f", "{{.Id}}", NAME).good().text();
        Path saved = engine.directory().resolve("saved.tar");
        run(client, "save", "--platform", OTHER, "-o", saved.toString(), NAME).good();
        run(client, "rmi", NAME).good();

        assertThat(run(client, "load", "--platform", OTHER, "-i", saved.toString()).good().text())
                .isEqualTo("Loaded image: " + NAME);

        assertThat(run(client, "image", "inspect", "-f", "{{.Id}} {{.Architecture}}", NAME).good().text())
                .isEqualTo(id + " s390x");
        Files.delete(saved);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void aPlatformThatIsNotThereIsNamed(Client client) throws Exception {
        Outcome load = run(client, "load", "--platform", NONE, "-i", archive.toString()).endedWith(1);
        assertThat(load.err()).contains("requested platform (" + NONE + ") not found");
        assertThat(run(client, "images", "-q", NAME).good().text()).isEmpty();

        run(client, "load", "-i", archive.toString()).good();
        Path saved = engine.directory().resolve("none.tar");
        Outcome save = run(client, "save", "--platform", NONE, "-o", saved.toString(), NAME).endedWith(1);
        assertThat(save.err()).contains(NAME, NONE);
        assertThat(saved).doesNotExist();
    }

    /// An OCI layout whose one name means an image for amd64 and one for s390x.
    private static Path archive(Path file) throws Exception {
        var tar = new Tar().directory("blobs").directory("blobs/sha256").file("oci-layout",
                "{\"imageLayoutVersion\":\"1.0.0\"}");
        var entries = new StringBuilder();
        for (String architecture : new String[] {"amd64", "s390x"}) {
            String layer = blob(tar, new Tar().file("made-for", architecture).finish());
            String diffId = layer.substring(layer.indexOf("\"sha256"), layer.indexOf(','));
            String config = blob(tar, "{\"architecture\":\"" + architecture + "\",\"os\":\"linux\",\"rootfs\":{"
                    + "\"type\":\"layers\",\"diff_ids\":[" + diffId + "]}}");
            String manifest = blob(tar, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                    + "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\"," + config + "},"
                    + "\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\"," + layer + "}]}");
            entries.append(entries.isEmpty() ? "" : ",").append("{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",")
                    .append(manifest).append(",\"platform\":{\"os\":\"linux\",\"architecture\":\"").append(architecture)
                    .append("\"}}");
        }
        String index = blob(tar, "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":["
                + entries + "]}");
        tar.file("index.json", "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                + index + ",\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/" + NAME + "\"}}]}");
        return Files.write(file, tar.finish());
    }

    private static String blob(Tar tar, String text) {
        return blob(tar, text.getBytes(StandardCharsets.UTF_8));
    }

    /// Adds the blob; `"digest":"sha256:...","size":N`.
    private static String blob(Tar tar, byte[] bytes) {
        String hex = TestImages.sha256(bytes);
        tar.file("blobs/sha256/" + hex, 0644, bytes);
        return "\"digest\":\"sha256:" + hex + "\",\"size\":" + bytes.length;
    }
}
