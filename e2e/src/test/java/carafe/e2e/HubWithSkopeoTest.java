package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The hub as skopeo sees it: log in, copy in, copy out, list, delete; in clear and with TLS.
class HubWithSkopeoTest {

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anImageGoesInAndOut(boolean tls) throws Exception {
        try (var hub = HubUnderTest.withUsers(tls)) {
            byte[] layer = new byte[3 << 20];
            new Random(5).nextBytes(layer);
            var in = OciLayout.write(hub.directory().resolve("in"), layer, "");
            String image = "docker://" + hub.host() + "/team/app:v1";

            Outcome stranger = hub.skopeo("copy", hub.trust("dest"), "oci:" + in + ":v1", image).run();
            assertThat(stranger.code()).isNotZero();
            Outcome wrong = hub.skopeo("login", hub.trust(""), "-u", "alice", "-p", "no", hub.host()).run();
            assertThat(wrong.code()).isNotZero();

            hub.skopeo("login", hub.trust(""), "-u", "alice", "-p", "pw", hub.host()).run().good();
            hub.skopeo("copy", "--preserve-digests", hub.trust("dest"), "oci:" + in + ":v1", image).run().good();
            hub.skopeo("copy", hub.trust("src"), hub.trust("dest"), image, "docker://" + hub.host() + "/team/app:v2").run()
                    .good();
            assertThat(hub.skopeo("list-tags", hub.trust(""), "docker://" + hub.host() + "/team/app").run().good().out())
                    .contains("\"v1\"", "\"v2\"");
            var out = hub.directory().resolve("out");
            hub.skopeo("copy", "--preserve-digests", hub.trust("src"), "--src-creds", "bob:pw", image, "oci:" + out + ":v1").run().good();
            assertThat(OciLayout.blobs(out)).isEqualTo(OciLayout.blobs(in));

            Outcome denied = hub.skopeo("copy", hub.trust("dest"), "--dest-creds", "bob:pw", "oci:" + in + ":v1",
                    "docker://" + hub.host() + "/team/app:v3").run();
            assertThat(denied.code()).isNotZero();
            assertThat(denied.err()).contains("denied");
            hub.skopeo("copy", hub.trust("dest"), "--format", "v2s2", "oci:" + in + ":v1",
                    "docker://" + hub.host() + "/public/app:docker").run().good();
            hub.skopeo("logout", hub.host()).run().good();
            assertThat(hub.skopeo("inspect", "--raw", hub.trust(""), "docker://" + hub.host() + "/public/app:docker").run()
                    .good().out()).contains("application/vnd.docker.distribution.manifest.v2+json");

            hub.skopeo("delete", hub.trust(""), "--creds", "alice:pw", image).run().good();
            assertThat(hub.skopeo("inspect", hub.trust(""), "--creds", "alice:pw", image).run().code()).isNotZero();
        }
    }
}
