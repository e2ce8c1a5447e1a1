package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What comes out of a build: the same through every door and on every engine, in every form.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeBuildOutputTest {

    private final EngineUnderTest engine;
    private final EngineUnderTest other;
    private final Client carafe = Client.carafe();

    CarafeBuildOutputTest() throws Exception {
        engine = new CarafeDaemon();
        other = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        for (var each : List.of(engine, other)) {
            each.start();
            carafe.to(each).and("load", "--input", TestImages.dockerArchive(each.directory()).toString()).run().good();
        }
    }

    @AfterAll
    void stop() {
        other.close();
        engine.close();
    }

    private Outcome run(String... words) throws Exception {
        return carafe.to(engine).and(words).run();
    }

    private Path context(String dockerfile) throws Exception {
        Path directory = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), dockerfile);
        Files.writeString(directory.resolve("f"), "content");
        return directory;
    }

    @Test
    void everyClientGetsTheSameImage() throws Exception {
        Path context = context("FROM busybox\nWORKDIR /d\nCOPY f f\nRUN echo x > x\nENV A=1\nCMD [\"sh\"]\n");
        String ours = run("build", "-q", "--network", "none", context.toString()).good().text();
        for (var client : List.of(Client.docker20(), Client.docker28())) {
            assertThat(client.to(engine).with("DOCKER_BUILDKIT", "0")
                    .and("build", "-q", "--network", "none", context.toString()).run().good().text()).isEqualTo(ours);
        }
    }

    @Test
    void theSameEpochGivesTheSameImageOnAnotherEngine() throws Exception {
        Path context = context("FROM busybox\nWORKDIR /w\nRUN mkdir d && echo x > d/x && ln d/x d/y && touch -t 203001010000 z\n"
                + "COPY f /deep/down/f\nADD --chmod=600 f /g\n");
        String first = epoch(engine, context);
        Files.setLastModifiedTime(context.resolve("f"), FileTime.fromMillis(1_800_000_000_000L));
        assertThat(epoch(other, context)).isEqualTo(first);
    }

    private String epoch(EngineUnderTest on, Path context) throws Exception {
        return carafe.to(on).with("SOURCE_DATE_EPOCH", "1700000000")
                .and("build", "-q", "--no-cache", "--network", "none", context.toString()).run().good().text();
    }

    @Test
    void archivesLoadElsewhereAsTheSameImage() throws Exception {
        Path context = context("FROM busybox\nCOPY f /f\nCMD [\"cat\", \"/f\"]\n");
        String id = run("build", "-q", "-t", "out", context.toString()).good().text();
        for (String type : List.of("oci", "docker")) {
            Path archive = engine.directory().resolve(type + ".tar");
            run("build", "-t", "out", "-o", "type=" + type + ",dest=" + archive, context.toString()).good();
            String loaded = carafe.to(other).and("load", "-i", archive.toString()).run().good().text();
            assertThat(loaded).contains("Loaded image: out:latest");
            assertThat(carafe.to(other).and("run", "--rm", "--network", "none", id).run().good().text()).isEqualTo("content");
            carafe.to(other).and("rmi", "-f", id).run().good();
        }
    }

    /// Builds an archive with these options, and looks into it.
    private String archived(Path context, String options) throws Exception {
        Path archive = engine.directory().resolve("formed.tar");
        Path told = engine.directory().resolve("formed.json");
        run("build", "--metadata-file", told.toString(), "-o", options + ",name=formed:1,dest=" + archive, context.toString())
                .good();
        String digest = Files.readString(told).replaceAll("(?s).*\"containerimage.digest\":\"sha256:([0-9a-f]+)\".*", "$1");
        String manifest = Command.of("tar", "-xOf", archive.toString(), "blobs/sha256/" + digest).run().good().text();
        Path copied = Files.createTempDirectory(engine.directory(), "copied");
        new Skopeo(engine.directory()).command("copy", "oci-archive:" + archive, "dir:" + copied).run().good();
        assertThat(copied.resolve("manifest.json")).as(options).hasContent(manifest);
        assertThat(carafe.to(other).and("load", "-i", archive.toString()).run().good().text()).contains("formed:1");
        assertThat(carafe.to(other).and("run", "--rm", "--network", "none", "formed:1").run().good().text()).isEqualTo("content");
        carafe.to(other).and("rmi", "-f", "formed:1").run().good();
        return manifest;
    }

    @Test
    void anArchivesLayersAreThoseOfAPushOrAsTheyAreAskedFor() throws Exception {
        Path context = context("FROM busybox\nLABEL of=forms\nCOPY f /formed\nCMD [\"cat\", \"/formed\"]\n");
        String usual = archived(context, "type=oci");
        assertThat(usual).contains("image.layer.v1.tar+gzip\"").doesNotContain("image.layer.v1.tar\"");
        try (var registry = DebianRegistry.open()) {
            String name = registry.host() + "/team/formed:1";
            run("build", "--push", "-t", name, context.toString()).good();
            assertThat(new Skopeo(engine.directory()).command("inspect", "--raw", "--tls-verify=false", "docker://" + name)
                    .run().good().out()).isEqualTo(usual);
        }
        assertThat(archived(context, "type=oci,compression=gzip,force-compression=true,oci-mediatypes=true")).isEqualTo(usual);
        assertThat(archived(context, "type=oci,compression=uncompressed")).contains("image.layer.v1.tar\"");
        assertThat(archived(context, "type=oci,compression=zstd,compression-level=7")).contains("image.layer.v1.tar+zstd\"");
        assertThat(archived(context, "type=oci,compression-level=9,oci-mediatypes=false"))
                .contains("docker.image.rootfs.diff.tar.gzip\"", "docker.distribution.manifest.v2+json")
                .doesNotContain("vnd.oci");
        assertThat(archived(context, "type=docker")).contains("image.layer.v1.tar\"");
        assertThat(archived(context, "type=docker,compression=gzip")).isEqualTo(usual);
        Path annotated = engine.directory().resolve("never.tar");
        assertThat(run("build", "--annotation", "a=b", "-o", "type=oci,oci-mediatypes=false,dest=" + annotated,
                context.toString()).endedWith(1).err()).contains("leave out oci-mediatypes=false");
    }

    @Test
    void severalOutputsAreWrittenAndAnArchiveMayBeADirectory() throws Exception {
        Path context = context("FROM scratch\nLABEL of=several\nCOPY f /f\n");
        Path layout = engine.directory().resolve("layout");
        Path files = engine.directory().resolve("several");
        Path told = engine.directory().resolve("several.json");
        run("build", "--metadata-file", told.toString(), "-o", "type=oci,tar=false,name=laid:1,annotation.a=b,dest=" + layout, "-o",
                "type=local,dest=" + files, context.toString()).good();
        assertThat(files.resolve("f")).hasContent("content");
        assertThat(Files.readString(layout.resolve("index.json"))).contains("docker.io/library/laid:1");
        assertThat(Files.readString(told)).contains("\"image.name\":\"docker.io/library/laid:1\"");
        String id = run("build", "-q", "--build-context", "base=oci-layout://" + layout + ":1", context("FROM base\nENV A=1\n")
                .toString()).good().text();
        assertThat(run("image", "inspect", "-f", "{{.RootFS.Layers}}", id).good().text())
                .isEqualTo(run("image", "inspect", "-f", "{{.RootFS.Layers}}", "laid:1").good().text());
        try (var registry = DebianRegistry.open()) {
            String name = registry.host() + "/team/given:1";
            run("build", "-o", "type=image,push=true,name=" + name, context.toString()).good();
            assertThat(run("manifest", "inspect", "--insecure", name).good().text()).contains("\"layers\"");
        }
    }

    @Test
    void programsOfABuildStayOnTheProcessorsTheyMayHave() throws Exception {
        Path context = context("FROM busybox\nRUN grep Cpus_allowed_list /proc/self/status > /cpus\n");
        String id = run("build", "-q", "--network", "none", "--cpuset-cpus", "0", context.toString()).good().text();
        assertThat(run("run", "--rm", "--network", "none", id, "cat", "/cpus").good().text()).matches("Cpus_allowed_list:\\s+0");
    }

    @Test
    void theFilesMayBeATar() throws Exception {
        Path tar = engine.directory().resolve("files.tar");
        run("build", "-o", "type=tar,dest=" + tar, context("FROM scratch\nCOPY f /d/f\n").toString()).good();
        assertThat(Command.of("tar", "-xOf", tar.toString(), "d/f").run().good().text()).isEqualTo("content");
    }

    @Test
    void anImageMayHaveALayerTwice() throws Exception {
        Path context = context("FROM busybox\nCOPY f /f\nRUN echo other > /f && echo kept > /g\nCOPY --chown=0:0 f /f\n"
                + "RUN [ \"$(cat /f /g)\" = contentkept ]\nWORKDIR /w\n");
        String id = run("build", "-q", "--network", "none", context.toString()).good().text();
        assertThat(run("run", "--rm", "--network", "none", id, "cat", "/f", "/g").good().text()).isEqualTo("contentkept");
        var layers = run("image", "inspect", "-f", "{{range .RootFS.Layers}}{{println .}}{{end}}", id).good().text().lines()
                .toList();
        assertThat(Set.copyOf(layers).size()).as("%s", layers).isLessThan(layers.size());
    }

    @Test
    void aDeviceOrALinkThatIsToBeWrittenToStays() throws Exception {
        String context = context("FROM scratch\nCOPY f /written\n").toString();
        Path device = engine.directory().resolve("device");
        Command.of("mknod", device.toString(), "c", "1", "7").run().good(); // as /dev/full
        for (String output : List.of("type=tar", "type=oci")) {
            assertThat(run("build", "-q", "-o", output + ",dest=" + device, context).endedWith(1).err())
                    .contains("No space left on device");
        }
        run("build", "-q", "-t", "written", "--iidfile", device.toString(), context).endedWith(1);
        assertThat(run("save", "-o", device.toString(), "written").endedWith(1).err())
                .contains("must be a directory or a regular file: got a device");
        assertThat(Command.of("stat", "-c", "%F", device.toString()).run().good().text()).isEqualTo("character special file");
        Path target = Files.writeString(engine.directory().resolve("target"), "longer than an image's id, by far".repeat(9));
        Path link = Files.createSymbolicLink(engine.directory().resolve("link"), target);
        String id = run("build", "-q", "--iidfile", link.toString(), context).good().text();
        assertThat(link).isSymbolicLink();
        assertThat(target).hasContent(id);
        Path empty = Files.createDirectory(engine.directory().resolve("empty"));
        run("build", "-q", "-o", "type=tar,dest=" + empty, context).endedWith(1);
        assertThat(empty).isEmptyDirectory();
    }

    @Test
    void whatWasBuiltIsWrittenIntoAFile() throws Exception {
        Path file = engine.directory().resolve("metadata.json");
        String context = context("FROM scratch\nCOPY f /told\n").toString();
        run("build", "-q", "-t", "127.0.0.1:1/told", "--push", "--metadata-file", file.toString(), context).endedWith(1);
        assertThat(file).doesNotExist();
        String id = run("build", "-q", "-t", "told", "-t", "own.example/told:2", "--metadata-file", file.toString(), context)
                .good().text();
        assertThat(Files.readString(file)).matches("\\{\"containerimage.config.digest\":\"" + id
                + "\",\"containerimage.descriptor\":\\{\"mediaType\":\"application/vnd.oci.image.manifest.v1\\+json\",\"digest\":"
                + "\"(sha256:[0-9a-f]{64})\",\"size\":\\d+,\"platform\":\\{\"architecture\":\"amd64\",\"os\":\"linux\"}},"
                + "\"containerimage.digest\":\"\\1\",\"image.name\":\"docker.io/library/told:latest,own.example/told:2\"}\n");
    }

    @Test
    void filesAreThoseOfTheImageAndNothingBeside() throws Exception {
        Path context = context("FROM scratch\nCOPY f /d/f\n");
        Path directory = engine.directory().resolve("files");
        run("build", "-q", "-o", directory.toString(), context.toString()).good();
        try (var found = Files.walk(directory)) {
            assertThat(found.map(path -> directory.relativize(path).toString())).containsExactlyInAnyOrder("", "d", "d/f");
        }
        Path tar = engine.directory().resolve("printed.tar");
        for (String quiet : List.of("-q", "--progress=plain")) {
            Files.writeString(tar, run("build", quiet, "-o", "-", context.toString()).good().out());
            assertThat(Command.of("tar", "-tf", tar.toString()).run().good().lines()).containsExactly("d/", "d/f");
        }
    }

    @Test
    void theManifestIsAnnotated() throws Exception {
        Path context = context("FROM scratch\nCOPY f /f\n");
        try (var registry = DebianRegistry.open()) {
            String name = registry.host() + "/team/annotated:1";
            run("build", "--push", "-t", name, "--annotation", "org.example.a=one", "--annotation", "manifest:b=two=2",
                    context.toString()).good();
            assertThat(run("manifest", "inspect", "--insecure", name).good().text())
                    .contains("\"org.example.a\": \"one\"", "\"b\": \"two=2\"");
            run("build", "--push", "-t", name, "--annotation", "c=other", context.toString()).good();
            assertThat(run("manifest", "inspect", "--insecure", name).good().text())
                    .contains("\"c\": \"other\"").doesNotContain("org.example.a");
        }
        assertThat(run("build", "--annotation", "index:a=b", context.toString()).endedWith(1).err())
                .contains("index annotations not supported for single platform export");
        assertThat(run("build", "--annotation", "layer:a=b", context.toString()).endedWith(1).err())
                .contains("unknown annotation type \"layer\"");
        Path archive = engine.directory().resolve("annotated.tar");
        run("build", "--annotation", "manifest-descriptor:d=e", "--annotation", "a=b", "-o", "type=oci,dest=" + archive,
                context("FROM scratch\nLABEL of=archives\nCOPY f /f\n").toString()).good();
        assertThat(Command.of("tar", "-xOf", archive.toString(), "index.json").run().good().text())
                .contains("\"annotations\":{\"d\":\"e\"}").doesNotContain("\"a\"");
        assertThat(Command.of("sh", "-c", "tar -xOf " + archive + " --wildcards 'blobs/sha256/*' | grep -ac '{\"a\":\"b\"}'")
                .run().good().text()).isEqualTo("1");
    }

    @Test
    void stagesWithoutCacheRunAgainAndOthersDoNot() throws Exception {
        Path context = context("FROM busybox AS a\nRUN echo a-$((6*7))\nFROM busybox AS b\nRUN echo b-$((6*7)) > /b; cat /b\n"
                + "FROM busybox\nCOPY --from=b /b /b\nRUN --mount=from=a,target=/x true\n");
        run("build", "--network", "none", context.toString()).good();
        assertThat(run("build", "--progress", "plain", "--network", "none", "--no-cache-filter", "b", context.toString()).good()
                .err()).contains("b-42").doesNotContain("a-42");
    }
}
