package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The hub as Podman sees it: log in, pull what others pushed, push, search, list tags; in clear and with TLS. [Podman] makes no
/// container.
class HubWithPodmanTest {

    private Podman podman;

    @BeforeEach
    void settings() throws Exception {
        podman = new Podman();
    }

    @AfterEach
    void forget() throws Exception {
        podman.close();
    }

    private Command podman(String... words) {
        return podman.command(words);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anImageIsPulledAndPushed(boolean tls) throws Exception {
        try (var hub = HubUnderTest.withUsers(tls)) {
            byte[] content = new byte[3 << 20];
            new Random(6).nextBytes(content);
            byte[] layer = new Tar().file("content", 0644, content).finish();
            var in = OciLayout.write(hub.directory().resolve("in"), layer, "");
            String image = hub.host() + "/team/app:v1";
            hub.skopeo("copy", "--preserve-digests", hub.trust("dest"), "--dest-creds", "alice:pw", "oci:" + in + ":v1",
                    "docker://" + image).run().good();
            String trust = tls ? "--cert-dir=" + hub.directory().resolve("trust") : "--tls-verify=false";

            assertThat(podman("pull", trust, image).run().code()).isNotZero();
            podman("login", trust, "-u", "bob", "--password-stdin", hub.host()).stdin("pw").run().good();
            String id = podman("pull", "-q", trust, image).run().good().text();
            assertThat(podman("image", "inspect", "--format", "{{.Id}} {{.Digest}}", image).run().good().text())
                    .isEqualTo(id + " " + OciLayout.digest(in));

            Outcome denied = podman("push", trust, image, hub.host() + "/team/app:v2").run();
            assertThat(denied.code()).isNotZero();
            assertThat(denied.err()).contains("denied");
            podman("login", trust, "-u", "alice", "--password-stdin", hub.host()).stdin("pw").run().good();
            podman("push", trust, image, hub.host() + "/team/app:v2").run().good();
            String name = hub.host() + "/team/app";
            assertThat(podman("search", "--tls-verify=false", "--list-tags", name).run().good().out())
                    .containsPattern(name + " +v1\\s").containsPattern(name + " +v2\\s");
            hub.skopeo("copy", hub.trust("dest"), "--dest-creds", "alice:pw", "oci:" + in + ":v1",
                    "docker://" + hub.host() + "/public/tool:v1").run().good();
            assertThat(search(hub, "app")).containsExactly(name);
            assertThat(search(hub, "tool")).containsExactly(hub.host() + "/public/tool");
            assertThat(search(hub, "")).contains(name, hub.host() + "/public/tool");
            assertThat(podman("logout", hub.host()).run().good().out()).contains(hub.host());
            assertThat(search(hub, "tool")).containsExactly(hub.host() + "/public/tool");
            assertThat(search(hub, "app")).isEmpty();
        }
    }

    private List<String> search(HubUnderTest hub, String word) throws Exception {
        return podman("search", "--tls-verify=false", "--format", "{{.Name}}", hub.host() + "/" + word).run().good().out()
                .lines().toList();
    }
}
