package carafe.hub;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The pages and the search, as a browser or a program gets them. That scripts do not run and the page looks right is
/// for a real browser, see e2e.
@Timeout(120)
class WebTest {

    private static final String EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&\u202e";

    @TempDir
    private Path directory;

    private static String config(String text) {
        return Json.object()
                .put("architecture", "amd64")
                .put("os", "linux")
                .put("config", Json.object()
                        .put("Labels", Json.ofMap(Map.of("org.opencontainers.image.description", text, text, text)))
                        .put("Env", Json.ofTexts(List.of("A=" + text)))
                        .put("Cmd", Json.ofTexts(List.of(text)))
                        .build())
                .put("rootfs", Json.object().put("type", "layers").put("diff_ids", Json.ofTexts(List.of())).build())
                .put("history", Json.ofAll(List.of(Json.object().put("created_by", "/bin/sh -c " + text).build())))
                .build()
                .print();
    }

    @Test
    void pagesShowWhatThereIsAndHowToPullIt() throws Exception {
        try (var hub = new TestHub(directory).start(); var registry = Registry.of(hub)) {
            assertThat(registry.get("/").text()).contains("There is no image here yet");
            registry.pushImage("lib/app", "v1", config("The first app"), "layer one", "layer two");
            String home = registry.get("/").text();
            assertThat(home).contains("<a href=\"/r/lib/app\">lib/app</a>", "The first app", "1 tag");
            assertThat(registry.get("/?q=FIRST").text()).contains("lib/app");
            assertThat(registry.get("/?q=second").text()).doesNotContain("lib/app");
            assertThat(registry.get("/r/lib/app").text())
                    .contains("docker pull " + hub.host() + "/lib/app:v1", "linux/amd64", "/r/lib/app?tag=v1");
            assertThat(registry.get("/r/lib/app?tag=v1").text())
                    .contains("RUN The first app", "2 layers, 18 B to download", "docker pull " + hub.host() + "/lib/app:v1");
            assertThat(registry.get("/r/lib/none").status()).isEqualTo(404);
            assertThat(registry.get("/r/..%2f..").status()).isEqualTo(404);
            assertThat(registry.get("/assets/hub.css").header("Content-Type")).startsWith("text/css");
            assertThat(registry.get("/assets/..%2f..").status()).isEqualTo(404);
        }
    }

    @Test
    void nothingThatWasPushedBecomesMarkup() throws Exception {
        try (var hub = new TestHub(directory).start(); var registry = Registry.of(hub)) {
            byte[] configuration = config(EVIL).getBytes(StandardCharsets.UTF_8);
            registry.pushBlob("x", configuration);
            var layer = registry.pushBlob("x", "layer".getBytes(StandardCharsets.UTF_8));
            byte[] manifest = Json.object()
                    .put("schemaVersion", 2)
                    .put("mediaType", MediaTypes.OCI_MANIFEST)
                    .put("artifactType", EVIL)
                    .put("config", Descriptor.of(MediaTypes.OCI_CONFIG, configuration).toJson())
                    .put("layers", Json.ofAll(List.of(Descriptor.of(EVIL, layer, 5).toJson())))
                    .put("annotations", Json.ofMap(Map.of(EVIL, EVIL, "org.opencontainers.image.description", EVIL)))
                    .build()
                    .printBytes();
            assertThat(registry.pushManifest("x", "v", MediaTypes.OCI_MANIFEST, manifest).status()).isEqualTo(201);
            String evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
            for (String path : List.of("/", "/r/x", "/r/x?tag=v", "/?q=" + evil, "/r/x?tag=" + evil,
                    "/r/x?tag=v&platform=" + evil, "/" + evil)) {
                var got = registry.get(path);
                String page = got.text();
                assertThat(page).as(path).doesNotContain("<script>alert", "<img src=x", "onerror=alert(2)>'", "\u202e");
                assertThat(got.header("Content-Security-Policy")).as(path)
                        .startsWith("default-src 'none'; style-src 'self'; script-src 'self'");
                assertThat(page).as(path).doesNotContain(" style=", " onclick=", "javascript:");
            }
            assertThat(registry.get("/r/x?tag=v").text()).contains("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
            assertThat(registry.get("/v2/x/manifests/" + evil.replace("/", "%2f")).header("Content-Type"))
                    .isEqualTo("application/json");
        }
    }

    @Test
    void eachSeesOnlyWhatHeMayPull() throws Exception {
        try (var hub = new TestHub(directory).user("alice", "a", "alice/**", "pull", "push")
                .grant("anonymous", "public/**", "pull").start();
                var alice = Registry.of(hub, "alice", "a"); var nobody = Registry.of(hub)) {
            alice.pushImage("alice/secret", "v", config("the secret"), "layer");
            assertThat(alice.get("/").text()).contains("alice/secret", "Signed in as");
            assertThat(nobody.get("/").text()).doesNotContain("alice/secret").contains("Sign in");
            assertThat(nobody.get("/r/alice/secret").status()).isEqualTo(404);
            assertThat(nobody.get("/v1/search?q=secret").json().objects("results")).isEmpty();
            assertThat(nobody.get("/api/v1/repositories/alice/secret").status()).isEqualTo(404);
            var found = alice.get("/v1/search?q=secret&n=5").json();
            assertThat(found.objects("results").getFirst().text("name")).isEqualTo("alice/secret");
            assertThat(found.number("num_results", 0)).isEqualTo(1);
            assertThat(found.number("num_pages", 0)).isEqualTo(1);
            alice.pushImage("alice/secrets", "v", config("more"), "layer");
            var first = alice.get("/v1/search?q=secret&n=1").json();
            assertThat(first.objects("results")).hasSize(1);
            assertThat(first.number("num_results", 0)).isEqualTo(2);
            assertThat(first.number("num_pages", 0)).isEqualTo(2);
            assertThat(alice.get("/v1/search?q=secret&n=1&page=2").json().objects("results").getFirst().text("name"))
                    .isEqualTo("alice/secrets");
            assertThat(alice.get("/v1/search?q=secret&n=1&page=3").json().objects("results")).isEmpty();
            var listed = alice.get("/api/v1/repositories?q=SECRET%20alice&n=1").json();
            assertThat(listed.objects("repositories").getFirst().text("name")).isEqualTo("alice/secret");
            assertThat(nobody.get("/api/v1/repositories?q=secret").json().objects("repositories")).isEmpty();
            var detail = alice.get("/api/v1/repositories/alice/secret").json();
            assertThat(detail.objects("images").getFirst().objects("images").getFirst().text("platform"))
                    .isEqualTo("linux/amd64");
            assertThat(nobody.get("/sign-in").header("WWW-Authenticate")).startsWith("Basic realm=");
            assertThat(alice.get("/sign-in").status()).isEqualTo(302);
        }
    }

    @Test
    void aListOfRepositoriesIsReadPageByPage() throws Exception {
        try (var hub = new TestHub(directory).user("alice", "a", "**", "pull", "push")
                .grant("anonymous", "public/**", "pull").start();
                var alice = Registry.of(hub, "alice", "a"); var nobody = Registry.of(hub)) {
            for (int i = 0; i < 5; i++) {
                alice.pushImage("public/app" + i, "v", config("App"), "layer");
                alice.pushImage("public" + i + "/hidden", "v", config("App"), "layer"); // between the others in order
            }
            assertThat(pages(nobody, "q=app&n=2")).containsExactly(
                    List.of("public/app0", "public/app1"), List.of("public/app2", "public/app3"), List.of("public/app4"));
            assertThat(pages(nobody, "n=5")).hasSize(1); // a full last page says that it is the last
            assertThat(pages(alice, "n=4")).extracting(List::size).containsExactly(4, 4, 2);
            assertThat(pages(alice, "q=none&n=4")).containsExactly(List.of());
            assertThat(pages(alice, "n=100000")).extracting(List::size).containsExactly(10);
            assertThat(pages(alice, "n=0")).hasSize(10);
            for (String bad : List.of("n=x", "n=-1", "n=1234567")) {
                assertThat(alice.get("/api/v1/repositories?" + bad).code()).as(bad).isEqualTo("PAGINATION_NUMBER_INVALID");
            }
        }
    }

    private static List<List<String>> pages(Registry registry, String query) throws Exception {
        var pages = new ArrayList<List<String>>();
        for (String last = ""; pages.isEmpty() || !last.isEmpty(); ) {
            var page = registry.get("/api/v1/repositories?" + query + (last.isEmpty() ? "" : "&last=" + last)).json();
            var names = new ArrayList<String>();
            for (var repository : page.objects("repositories")) {
                names.add(repository.text("name"));
            }
            pages.add(names);
            last = page.text("last").replace("/", "%2F");
        }
        return pages;
    }

    @Test
    void numbersAreForAdministratorsUnlessTheyArePublic() throws Exception {
        try (var hub = new TestHub(directory.resolve("one")).user("alice", "a", "**", "admin")
                .user("bob", "b", "**", "pull", "push", "delete").user("carl", "c", "carl/**", "admin").start();
                var alice = Registry.of(hub, "alice", "a"); var bob = Registry.of(hub, "bob", "b");
                var carl = Registry.of(hub, "carl", "c"); var nobody = Registry.of(hub)) {
            assertThat(alice.get("/metrics").text()).contains("carafe_hub_uploads 0", "carafe_hub_damaged 0");
            for (var other : List.of(bob, carl, nobody)) {
                var refused = other.get("/metrics");
                assertThat(refused.status()).isEqualTo(other == nobody ? 401 : 403);
                assertThat(refused.text()).doesNotContain("carafe_hub_uploads");
            }
            assertThat(nobody.get("/metrics").header("WWW-Authenticate")).startsWith("Basic realm=");
        }
        try (var hub = new TestHub(directory.resolve("two")).user("alice", "a", "**", "admin")
                .with("metrics", "\"public\"").start(); var nobody = Registry.of(hub)) {
            assertThat(nobody.get("/metrics").text()).contains("carafe_hub_uploads 0");
        }
    }
}
