package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// One build for several platforms, from the command line to the registry and back; nothing of it needs an emulator.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeBuildPlatformsTest {

    private static final String BOTH = "linux/amd64,linux/arm64";
    private static final String ARM = "linux/arm64";

    private final EngineUnderTest engine;
    private final EngineUnderTest other;
    private final Client carafe = Client.carafe();

    CarafeBuildPlatformsTest() throws Exception {
        engine = new CarafeDaemon();
        other = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        other.start();
    }

    @AfterAll
    void stop() {
        other.close();
        engine.close();
    }

    @AfterEach
    void forget() throws Exception {
        for (var each : List.of(engine, other)) {
            on(each, "image", "prune", "-a", "-f").good();
            assertThat(on(each, "images", "-q").good().text()).isEmpty();
        }
        assertThat(on(other, "system", "df", "--format", "{{.Type}} {{.Size}}").good().text()).contains("Images 0B");
    }

    private Outcome on(EngineUnderTest each, String... words) throws Exception {
        return carafe.to(each).and(words).run();
    }

    /// A file of each platform, and one that a stage of the building platform made for all.
    private Path context() throws Exception {
        Path directory = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), """
                FROM --platform=$BUILDPLATFORM scratch AS tools
                COPY common /common
                FROM scratch
                ARG TARGETARCH TARGETPLATFORM
                LABEL made-for=$TARGETPLATFORM
                COPY $TARGETARCH /arch
                COPY --from=tools /common /common
                CMD ["/arch"]
                """);
        for (String name : List.of("common", "amd64", "arm64")) {
            Files.writeString(directory.resolve(name), name);
        }
        return directory;
    }

    private Outcome build(Path context, String... words) throws Exception {
        var all = Stream.concat(Stream.of("build", "--progress", "plain", "--platform", BOTH),
                Stream.concat(Stream.of(words), Stream.of(context.toString())));
        return on(engine, all.toArray(String[]::new)).good();
    }

    private String inspect(EngineUnderTest each, String format, String... words) throws Exception {
        var all = Stream.concat(Stream.of("image", "inspect", "-f", format), Stream.of(words));
        return on(each, all.toArray(String[]::new)).good().text();
    }

    private String label(EngineUnderTest each, String... words) throws Exception {
        return inspect(each, "{{.Architecture}} {{index .Config.Labels \"made-for\"}}", words);
    }

    private static String digest(String text) {
        return "sha256:" + TestImages.sha256(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    @Test
    void oneNameHoldsAllAndTheStepsAreShownByPlatformAndFoundAgain() throws Exception {
        Path context = context();
        Path id = engine.directory().resolve("iid");
        Path told = engine.directory().resolve("told.json");
        String shown = build(context, "-t", "both", "--iidfile", id.toString(), "--metadata-file", told.toString()).err();
        assertThat(shown).contains("[linux/amd64 tools 1/2] FROM scratch AS tools", "[linux/amd64 stage-1 4/6] COPY $TARGETARCH",
                "[linux/arm64 stage-1 4/6] COPY $TARGETARCH").doesNotContain("[linux/arm64 tools", "[linux/amd64->arm64");
        assertThat(on(engine, "images", "both", "--format", "{{.Tag}}").good().text()).isEqualTo("latest");
        assertThat(label(engine, "both")).isEqualTo("amd64 linux/amd64");
        assertThat(label(engine, "--platform", ARM, "both")).isEqualTo("arm64 linux/arm64");
        String digest = Files.readString(id);
        assertThat(label(engine, "--platform", ARM, digest)).isEqualTo("arm64 linux/arm64");
        assertThat(Files.readString(told)).contains("\"containerimage.digest\":\"" + digest + "\"",
                "\"mediaType\":\"application/vnd.oci.image.index.v1+json\"").doesNotContain("config.digest");
        String again = build(context, "-t", "both", "--explain").err();
        assertThat(again.lines().filter(line -> line.endsWith(" CACHED")).count()).isEqualTo(5);
        assertThat(again).doesNotContain("not cached");
        String container = on(engine, "create", "--platform", ARM, "both").good().text();
        assertThat(on(engine, "inspect", "-f", "{{.Image}}", container).good().text())
                .isEqualTo(inspect(engine, "{{.Id}}", "--platform", ARM, "both"));
        assertThat(on(engine, "create", "--pull", "never", "--platform", "linux/riscv64", "both").endedWith(1).err())
                .contains("wanted linux/riscv64, actual: ");
        Files.writeString(context.resolve("Dockerfile"), "FROM " + inspect(engine, "{{.Id}}", "both") + "\n");
        assertThat(on(engine, "build", "--platform", ARM, context.toString()).endedWith(1).err())
                .contains("wanted linux/arm64, actual: linux/amd64");
        on(engine, "rm", container).good();
        on(engine, "rmi", digest).good();
    }

    @Test
    void theIndexIsPushedAndEachPlatformPulled() throws Exception {
        Path told = engine.directory().resolve("pushed.json");
        try (var hub = HubUnderTest.open()) {
            String name = hub.host() + "/team/both:1";
            build(context(), "-t", name, "--push", "--metadata-file", told.toString());
            String raw = hub.skopeo("inspect", "--raw", hub.trust(""), "docker://" + name).run().good().out();
            assertThat(raw).contains("application/vnd.oci.image.index.v1+json", "\"architecture\":\"amd64\"",
                    "\"architecture\":\"arm64\"");
            assertThat(Files.readString(told)).contains("\"containerimage.digest\":\"" + digest(raw) + "\"");
            assertThat(on(engine, "push", name).good().text()).contains("1: digest: " + digest(raw));
            for (String platform : BOTH.split(",")) {
                assertThat(on(other, "pull", "--platform", platform, name).good().text()).contains("Digest: " + digest(raw));
                assertThat(inspect(other, "{{.Id}}", "--platform", platform, name))
                        .isEqualTo(inspect(engine, "{{.Id}}", "--platform", platform, name));
            }
            on(other, "tag", name, hub.host() + "/team/other:2").good();
            assertThat(on(other, "push", hub.host() + "/team/other:2").good().text()).contains("2: digest: " + digest(raw));
            on(other, "rmi", hub.host() + "/team/other:2", name).good();
        }
    }

    @Test
    void filesOfEachPlatformGoIntoADirectoryOfTheirOwn() throws Exception {
        Path files = engine.directory().resolve("files");
        Path tar = engine.directory().resolve("files.tar");
        Path flat = engine.directory().resolve("flat");
        Path context = context();
        build(context, "-o", "type=local,dest=" + files);
        build(context, "-o", "type=tar,dest=" + tar);
        build(context, "-o", "type=local,platform-split=false,dest=" + flat);
        for (String platform : List.of("linux_amd64", "linux_arm64")) {
            String own = platform.substring("linux_".length());
            assertThat(files.resolve(platform + "/arch")).hasContent(own);
            assertThat(files.resolve(platform + "/common")).hasContent("common");
            assertThat(Command.of("tar", "-xOf", tar.toString(), platform + "/arch").run().good().text()).isEqualTo(own);
        }
        assertThat(flat.resolve("common")).hasContent("common");
        assertThat(flat.resolve("linux_arm64")).doesNotExist();
    }

    @Test
    void anArchiveKeepsAll() throws Exception {
        Path archive = engine.directory().resolve("both.tar");
        Path saved = engine.directory().resolve("saved.tar");
        Path context = context();
        build(context, "-t", "kept:1", "-o", "type=oci,dest=" + archive);
        on(engine, "save", "-o", saved.toString(), "kept:1").good();
        for (Path each : List.of(archive, saved)) {
            assertThat(on(other, "load", "-i", each.toString()).good().text()).isEqualTo("Loaded image: kept:1");
            assertThat(label(other, "kept:1")).isEqualTo("amd64 linux/amd64");
            assertThat(label(other, "--platform", ARM, "kept:1")).isEqualTo("arm64 linux/arm64");
            on(other, "rmi", "kept:1").good();
        }
        assertThat(on(engine, "build", "--platform", BOTH, "-o", "type=docker,dest=" + archive, context.toString())
                .endedWith(1).err()).contains("docker exporter does not currently support exporting manifest lists", "type=oci");
        assertThat(on(engine, "build", "--platform", BOTH, "--load", "-t", "loaded", context.toString()).good().err())
                .contains("named loaded");
    }

    @Test
    void anArchiveWithoutANameHoldsTheIndexToo() throws Exception {
        Path context = context();
        Path archive = engine.directory().resolve("nameless.tar");
        Path layout = engine.directory().resolve("nameless");
        build(context, "-o", "type=oci,dest=" + archive);
        Files.createDirectory(layout);
        Command.of("tar", "-C", layout.toString(), "-xf", archive.toString()).run().good();
        assertThat(Files.readString(layout.resolve("index.json"))).contains("image.index.v1+json").doesNotContain("ref.name");
        assertThat(Files.readString(layout.resolve("manifest.json"))).contains("\"RepoTags\":null");
        for (String platform : BOTH.split(",")) {
            on(other, "load", "--platform", platform, "-i", archive.toString()).good();
            String own = platform.substring("linux/".length());
            String id = on(other, "images", "-q", "--no-trunc").good().text();
            assertThat(inspect(other, "{{.Architecture}}", id)).isEqualTo(own);
            on(other, "rmi", id).good();
        }
        build(context, "-t", "later:1", "-o", "type=oci,dest=" + archive);
        on(engine, "rmi", "later:1").good();
        assertThat(on(other, "load", "-i", archive.toString()).good().text()).isEqualTo("Loaded image: later:1");
        assertThat(label(other, "--platform", ARM, "later:1")).isEqualTo("arm64 linux/arm64");
        on(other, "rmi", "later:1").good();
    }

    @Test
    void annotationsStandWhereTheyAreWanted() throws Exception {
        Path archive = engine.directory().resolve("annotated.tar");
        Path layout = Files.createDirectory(engine.directory().resolve("annotated"));
        Path told = engine.directory().resolve("annotated.json");
        String[] wanted = {"--annotation", "index:place=index", "--annotation", "manifest[linux/arm64]:place=arm",
            "--annotation", "place=all", "--annotation", "manifest-descriptor[linux/amd64]:place=entry", "--annotation",
            "index-descriptor:place=table", "--annotation", "manifest[linux/riscv64]:place=nowhere"};
        var words = Stream.concat(Stream.of(wanted), Stream.of("-t", "annotated:1", "-o", "type=oci,dest=" + archive,
                "--metadata-file", told.toString())).toArray(String[]::new);
        build(context(), words);
        Command.of("tar", "-C", layout.toString(), "-xf", archive.toString()).run().good();
        String table = Files.readString(layout.resolve("index.json"));
        assertThat(table).contains("\"place\":\"table\"", "\"io.containerd.image.name\":\"docker.io/library/annotated:1\"");
        assertThat(Files.readString(told)).contains("\"place\":\"table\"");
        annotated(Files.readString(blob(layout, table)), hex -> Files.readString(blob(layout, "sha256:" + hex)));
        try (var hub = HubUnderTest.open()) {
            String name = hub.host() + "/team/annotated:1";
            on(engine, "tag", "annotated:1", name).good();
            on(engine, "push", name).good();
            annotated(hub.skopeo("inspect", "--raw", hub.trust(""), "docker://" + name).run().good().out(),
                    hex -> hub.skopeo("inspect", "--raw", hub.trust(""), "docker://" + hub.host() + "/team/annotated@sha256:"
                            + hex).run().good().out());
            on(engine, "rmi", name, "annotated:1").good();
        }
    }

    /// Gives a document by its digest's digits.
    @FunctionalInterface
    private interface Documents {
        String of(String hex) throws Exception;
    }

    private static Path blob(Path layout, String text) {
        return layout.resolve("blobs/sha256").resolve(text.replaceFirst("(?s).*?sha256:", "").substring(0, 64));
    }

    private static void annotated(String index, Documents documents) throws Exception {
        assertThat(index).contains("\"place\":\"index\"", "\"place\":\"entry\"").doesNotContain("nowhere", "table");
        for (String entry : index.split("\\{\"mediaType\"")) {
            if (entry.contains("sha256:")) {
                String hex = entry.replaceFirst("(?s).*?sha256:", "").substring(0, 64);
                boolean arm = entry.contains("\"architecture\":\"arm64\"");
                assertThat(entry.contains("\"place\":\"entry\"")).isEqualTo(!arm);
                assertThat(documents.of(hex)).contains("\"place\":\"" + (arm ? "arm" : "all") + "\"");
            }
        }
    }

    @Test
    void onePlatformOfANameIsPushedAloneByBothClients() throws Exception {
        build(context(), "-t", "both");
        try (var hub = HubUnderTest.open()) {
            for (var client : List.of(carafe, Client.docker28())) {
                String name = hub.host() + "/team/alone:" + (client == carafe ? "1" : "2");
                on(engine, "tag", "both", name).good();
                client.to(engine).and("push", "--platform", ARM, name).run().good();
                assertThat(hub.skopeo("inspect", "--config", hub.trust(""), "docker://" + name).run().good().out())
                        .contains("\"architecture\": \"arm64\"");
                assertThat(hub.skopeo("inspect", "--raw", hub.trust(""), "docker://" + name).run().good().out())
                        .contains("image.manifest.v1+json").doesNotContain("image.index.v1+json");
                assertThat(client.to(engine).and("push", "--platform", "linux/riscv64", name).run().endedWith(1).err())
                        .contains("wanted linux/riscv64, actual: linux/arm64, linux/amd64");
                assertThat(on(engine, "push", name).good().text()).contains("digest: sha256:");
                assertThat(hub.skopeo("inspect", "--raw", hub.trust(""), "docker://" + name).run().good().out())
                        .contains("image.index.v1+json");
                on(engine, "rmi", name).good();
            }
        }
    }

    @Test
    void theManifestsBehindANameAreListed() throws Exception {
        try (var hub = HubUnderTest.open()) {
            String name = hub.host() + "/team/listed:1";
            build(context(), "-t", name, "--push");
            on(other, "pull", "--platform", ARM, name).good();
            String user = on(engine, "create", name).good().text();
            var all = RawHttp.get(engine.socket(), "/v1.47/images/json?manifests=1");
            assertThat(all).contains("\"Manifests\":[", "\"Containers\":[\"" + user + "\"]");
            assertThat(all.split("\"Available\":true", -1)).hasSize(3);
            assertThat(RawHttp.get(engine.socket(), "/v1.47/images/json")).doesNotContain("Manifests");
            assertThat(RawHttp.get(engine.socket(), "/v1.46/images/json?manifests=1")).doesNotContain("Manifests");
            var one = RawHttp.get(other.socket(), "/v1.48/images/" + name + "/json?manifests=true");
            assertThat(one.split("\"Available\":true", -1)).hasSize(2);
            assertThat(one.split("\"Available\":false", -1)).hasSize(2);
            assertThat(one).contains("\"Kind\":\"image\",\"ImageData\":{\"Platform\":{\"architecture\":\"arm64\",\"os\":\"linux\"}",
                    "\"Unpacked\":11");
            assertThat(RawHttp.get(other.socket(), "/v1.49/images/" + name + "/json?manifests=true&platform=linux%2Farm64"))
                    .contains("400", "manifests and platform options cannot both be set");
            on(engine, "rm", user).good();
            on(engine, "rmi", name).good();
            on(other, "rmi", name).good();
        }
    }

    @Test
    void pruningKeepsAllWhileTheyAreNamedAndOneIsUsed() throws Exception {
        build(context(), "-t", "used");
        on(engine, "image", "prune", "-f").good();
        on(engine, "create", "--name", "user", "used").good();
        on(engine, "image", "prune", "-a", "-f").good();
        assertThat(label(engine, "--platform", ARM, "used")).isEqualTo("arm64 linux/arm64");
        on(engine, "rm", "user").good();
        assertThat(on(engine, "rmi", "used").good().text().lines().filter(line -> line.startsWith("Untagged"))).hasSize(1);
        assertThat(on(engine, "images", "-q").good().text()).isEmpty();
    }
}
