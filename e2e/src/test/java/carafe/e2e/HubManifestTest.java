package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Lists of images for several platforms at the hub, made by `docker manifest`, which speaks to registries by itself, and
/// by `carafe manifest`, which has the engine speak: the same words make the same list.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class HubManifestTest {

    private final CarafeDaemon engine = new CarafeDaemon();
    private final HubUnderTest hub = HubUnderTest.open();

    HubManifestTest() throws Exception {}

    /// Docker's command 20.10 is not among them: its `manifest` knows no OCI manifests, which our engine pushes.
    static List<Client> clients() {
        return List.of(Client.docker28(), Client.carafe());
    }

    @BeforeAll
    void send() throws Exception {
        engine.start();
        docker("load", "-i", TestImages.dockerArchive(engine.directory()).toString());
        docker("load", "-i", TestImages.otherArchive(engine.directory()).toString());
        docker("tag", "busybox", one());
        docker("tag", "other:1", two());
        docker("push", one());
        docker("push", two());
    }

    @AfterAll
    void stop() throws Exception {
        hub.close();
        engine.close();
    }

    private Outcome docker(String... words) throws Exception {
        return Client.docker28().to(engine).and(words).run().good();
    }

    private String one() {
        return hub.host() + "/team/one:1";
    }

    private String two() {
        return hub.host() + "/team/two:1";
    }

    /// The list lies in another repository than its images, which therefore go there too.
    @ParameterizedTest
    @MethodSource("clients")
    void aListIsMadeAnnotatedSentAndPulled(Client client) throws Exception {
        String list = hub.host() + "/lists/" + client.name() + ":all";
        var manifest = client.to(engine).and("manifest");
        assertThat(manifest.and("create", "--insecure", list, one(), two()).run().good().text())
                .isEqualTo("Created manifest list " + list);
        assertThat(manifest.and("create", "--insecure", list, one()).run().endedWith(1).err())
                .contains("refusing to amend an existing manifest list with no --amend flag");
        manifest.and("create", "--insecure", "--amend", list, two()).run().good();
        assertThat(manifest.and("annotate", "--os", "linux", "--arch", "arm64", "--variant", "v8", list, two()).run().good()
                .text()).isEmpty();
        assertThat(manifest.and("annotate", list, hub.host() + "/team/three:1", "--arch", "arm").run().endedWith(1).err())
                .contains("manifest for image " + hub.host() + "/team/three:1 does not exist in " + list);
        assertPlatforms(manifest.and("inspect", list).run().good().out());

        String digest = manifest.and("push", "--insecure", "--purge", list).run().good().lines().getLast();
        assertThat(digest).matches("sha256:[0-9a-f]{64}");
        assertThat(manifest.and("rm", list).run().all()).contains("No such manifest: " + list);
        for (var other : clients()) { // what one has sent all read
            assertPlatforms(other.to(engine).and("manifest", "inspect", "--insecure", list).run().good().out());
        }

        assertThat(docker("pull", list).out()).contains("Digest: " + digest);
        assertThat(docker("image", "inspect", "-f", "{{.Id}}", list).text())
                .isEqualTo(docker("image", "inspect", "-f", "{{.Id}}", "busybox").text());
        assertThat(docker("run", "--rm", "--network", "none", list, "echo", "chosen").text()).isEqualTo("chosen");
        docker("rmi", list);
    }

    private static void assertPlatforms(String json) {
        String text = json.replaceAll("\\s", "");
        assertThat(text).containsPattern("\"mediaType\":\"application/vnd\\.(docker\\.distribution\\.manifest\\.list"
                + "|oci\\.image\\.index)\\.v[12]\\+json\"");
        assertThat(text).containsOnlyOnce("\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}")
                .containsOnlyOnce("\"platform\":{\"architecture\":\"arm64\",\"os\":\"linux\",\"variant\":\"v8\"}");
        assertThat(text.split("\"digest\":\"sha256:", -1)).hasSize(3);
    }

    @ParameterizedTest
    @MethodSource("clients")
    void whatIsNotThereIsNamed(Client client) throws Exception {
        var manifest = client.to(engine).and("manifest");
        String nothing = hub.host() + "/team/nothing:1";
        assertThat(manifest.and("inspect", "--insecure", nothing).run().endedWith(1).err())
                .contains("no such manifest: " + nothing);
        assertThat(manifest.and("create", "--insecure", hub.host() + "/lists/none:1", nothing).run().endedWith(1).err())
                .contains("no such manifest: " + nothing);
        assertThat(manifest.and("push", "--insecure", hub.host() + "/lists/none:1").run().endedWith(1).err())
                .isNotBlank();
    }
}
