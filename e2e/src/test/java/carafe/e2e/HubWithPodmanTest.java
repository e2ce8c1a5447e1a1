package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The hub as Podman sees it: log in, pull what others pushed, push, search, list tags; in clear and with TLS. Debian's
/// podman keeps all it has in a directory of the test and makes no container.
class HubWithPodmanTest {

    private Path home;

    @BeforeEach
    void settings() throws Exception {
        home = Files.createTempDirectory("e2e-podman-");
        Path policy = Files.createDirectories(home.resolve(".config/containers")).resolve("policy.json");
        Files.writeString(policy, "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}");
        Files.writeString(home.resolve("storage.conf"), """
                [storage]
                driver = "vfs"
                graphroot = "%s"
                runroot = "%s"
                """.formatted(home.resolve("root"), home.resolve("run")));
        Files.writeString(home.resolve("registries.conf"), "unqualified-search-registries = []\n");
        Files.writeString(home.resolve("containers.conf"), """
                [engine]
                cgroup_manager = "cgroupfs"
                events_logger = "none"
                runtime = "crun"
                conmon_path = ["%s"]
                [engine.runtimes]
                crun = ["%s"]
                [network]
                network_backend = "cni"
                """.formatted(Tools.fetched("podman", "usr/bin/conmon"), Tools.fetched("podman", "usr/bin/crun")));
    }

    @AfterEach
    void forget() throws Exception {
        podman("system", "reset", "--force").run().good();
        Command.of("rm", "-rf", "--one-file-system", home.toString()).run().good();
    }

    private Command podman(String... words) {
        return Command.of(Tools.fetched("podman", "usr/bin/podman").toString(),
                        "--root", home.resolve("root").toString(),
                        "--runroot", home.resolve("run").toString(),
                        "--tmpdir", home.resolve("tmp").toString(),
                        "--storage-driver", "vfs")
                .and(words)
                .with("LD_LIBRARY_PATH", Tools.fetched("podman", "usr/lib/x86_64-linux-gnu").toString())
                .with("HOME", home.toString())
                .with("XDG_RUNTIME_DIR", home.toString())
                .with("XDG_CONFIG_HOME", home.resolve("config").toString())
                .with("REGISTRY_AUTH_FILE", home.resolve("auth.json").toString())
                .with("CONTAINERS_CONF", home.resolve("containers.conf").toString())
                .with("CONTAINERS_STORAGE_CONF", home.resolve("storage.conf").toString())
                .with("CONTAINERS_REGISTRIES_CONF", home.resolve("registries.conf").toString());
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
