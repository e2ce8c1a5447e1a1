package carafe.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.tree.TarText;
import carafe.image.ImageCheck;
import carafe.image.ImageUsers;
import carafe.image.LoadProgress;
import carafe.image.MadeArchive;
import carafe.spec.build.BlobForm;
import carafe.spec.build.BuildAnnotation;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.BuildRequest;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What an image is annotated with when it is built again: its configuration, and with it its id, stays the same.
class AnnotationsTest extends BuilderScene {

    private Digest build(String name, String... annotations) throws Exception {
        var request = new BuildRequest("Dockerfile", List.of(name), Map.of(), Map.of(), Optional.empty(), List.of(),
                BuildRequest.Cache.USE, BuildRequest.Running.PLAIN, new BuildRequest.Result(BuildRequest.Call.BUILD,
                        Optional.of(1_000_000_000L), false, false, BuildAnnotation.parseAll(List.of(annotations)), false),
                BuildContexts.NONE);
        return build("FROM scratch\nCOPY f /\n", new TarText().file("f", "x"), request);
    }

    /// What an image is annotated with as it is shown, pushed and saved.
    private Map<String, String> annotations(String name) throws Exception {
        var shown = images.find(name).manifest().annotations();
        try (var outgoing = images.outgoing(name)) {
            var sent = outgoing.images().getFirst();
            assertThat(Manifest.parse(sent.manifest()).annotations()).isEqualTo(shown);
            assertThat(Digest.sha256(sent.manifest())).isEqualTo(images.find(name).manifestDigest());
        }
        try (var archive = images.save(List.of(name), Optional.empty())) {
            var out = new ByteArrayOutputStream();
            archive.write(out);
            String text = out.toString(StandardCharsets.ISO_8859_1);
            shown.forEach((key, value) -> assertThat(text).contains("\"" + key + "\":\"" + value + "\""));
        }
        return shown;
    }

    @Test
    void everyNameHasTheAnnotationsOfItsBuild() throws Exception {
        var id = build("app:1", "a=one");
        var first = images.find("app:1").manifestDigest();
        assertThat(annotations("app:1")).isEqualTo(Map.of("a", "one"));
        assertThat(build("app:2", "a=two", "b=three")).isEqualTo(id);
        for (int i = 0; i < 2; i++) { // the second time from the disk
            images.collectGarbage();
            assertThat(annotations("app:2")).isEqualTo(Map.of("a", "two", "b", "three"));
            assertThat(annotations("app:1")).isEqualTo(Map.of("a", "one"));
            assertThat(annotations(id.toString())).isEqualTo(annotations("app:2")); // the last build's
            assertThat(images.find("app:1").manifestDigest()).isEqualTo(first);
            close();
            open();
        }
        images.tag("app:1", Reference.parse("app:3"));
        build("app:1");
        assertThat(annotations("app:1")).isEmpty();
        assertThat(annotations("app:3")).isEqualTo(Map.of("a", "one"));
        build("app:4", "a=one");
        assertThat(images.find("app:4").manifestDigest()).isEqualTo(first);
        images.remove("app:3", false, ImageUsers.NONE);
        images.remove("app:4", false, ImageUsers.NONE);
        images.collectGarbage();
        assertThat(annotations("app:2")).isEqualTo(Map.of("a", "two", "b", "three"));
    }

    @Test
    void bothNamesOfAnArchiveKeepTheirAnnotations() throws Exception {
        build("app:1", "a=one");
        build("app:2", "a=two");
        var out = new ByteArrayOutputStream();
        try (var archive = images.save(List.of("app"), Optional.empty())) {
            archive.write(out);
        }
        String text = out.toString(StandardCharsets.ISO_8859_1);
        assertThat(text).contains("\"a\":\"one\"").contains("\"a\":\"two\"");
        images.remove("app:1", true, ImageUsers.NONE);
        images.remove("app:2", true, ImageUsers.NONE);
        assertThat(images.list()).isEmpty();
        images.load(new ByteArrayInputStream(out.toByteArray()), LoadProgress.SILENT);
        assertThat(images.list()).singleElement().satisfies(image ->
                assertThat(image.tags()).extracting(Reference::familiar).containsExactly("app:1", "app:2"));
        assertThat(annotations("app:1")).isEqualTo(Map.of("a", "one"));
        assertThat(annotations("app:2")).isEqualTo(Map.of("a", "two"));
    }

    @Test
    void anArchiveForTheOneWhoBuiltItHasHisAnnotationsWhoeverBuiltTheSameSince() throws Exception {
        var id = build("app:1", "a=one");
        build("app:1", "a=two");
        images.collectGarbage();
        var made = new MadeArchive(List.of(id), Optional.empty(), List.of(), Map.of(), Map.of(id, Map.of("a", "one")),
                BlobForm.PLAIN);
        try (var archive = images.departures().save(made)) {
            var out = new ByteArrayOutputStream();
            archive.write(out);
            assertThat(out.toString(StandardCharsets.ISO_8859_1)).contains("\"a\":\"one\"").doesNotContain("\"a\":\"two\"");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsDamagedIsHealedByABuild(boolean closed) throws Exception {
        for (String again : List.of("a=one", "a=two")) {
            for (boolean manifest : new boolean[] {true, false}) {
                var id = build("app:1", "a=one");
                images.tag("app:1", Reference.parse("other:1"));
                var damaged = manifest ? images.find("app:1").manifestDigest() : id;
                Files.writeString(directory.resolve("state/content/blobs/sha256").resolve(damaged.hex()), "{}");
                if (closed) {
                    close();
                    open();
                    assertThatThrownBy(() -> images.find("app:1")).hasMessageContaining("is damaged");
                }
                assertThat(build("app:1", again)).isEqualTo(id);
                assertThat(annotations("app:1")).containsOnly(Map.entry("a", again.substring(2)));
                images.collectGarbage(); // else a damaged manifest that nothing names any more would be told
                assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
                assertThat(annotations("other:1")).containsOnlyKeys("a");
            }
        }
    }

    @Test
    void aBuildWithTheSameAnnotationsKeepsTheManifestThatAnImageCameWith() throws Exception {
        var id = build("app:1", "a=one");
        byte[] config = images.configBytes(id);
        var built = images.find("app:1").manifest();
        var layer = built.layers().getFirst();
        byte[] other = new Manifest(built.mediaType(), built.config(), List.of(layer.withAnnotations(Map.of("of", "others"))),
                built.annotations(), Optional.empty(), Optional.empty()).toJson().printBytes();
        try (var intake = images.intake()) {
            assertThat(intake.has(images.find("app:1").config().diffIds().getFirst())).isTrue(); // and stays
            images.remove("app:1", false, ImageUsers.NONE);
            intake.commit(config, other, List.of(Reference.parse("docker.io/library/app:1")), Optional.empty());
        }
        build("app:1", "a=one");
        assertThat(images.find("app:1").manifestDigest()).isEqualTo(Digest.sha256(other));
    }
}
