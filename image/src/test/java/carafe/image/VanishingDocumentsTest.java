package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Images that go, are replaced or built anew at the moment when somebody is about to read one of their documents.
class VanishingDocumentsTest {

    private static final Reference NAME = name("app:1");
    private static final TestImage IMAGE = TestImage.of("app:1", new TestTar().add(TestTar.file("base", "b")).bytes());
    private static final TestImage OTHER = TestImage.of("app:1", new TestTar().add(TestTar.file("other", "o")).bytes());

    @TempDir
    private Path root;
    private final Interruption steps = new Interruption();
    private Images images;

    private static Reference name(String text) {
        try {
            return Reference.parse(text).withDefaultTag();
        } catch (EngineException e) {
            throw new AssertionError(e);
        }
    }

    /// What somebody else does meanwhile.
    @FunctionalInterface
    private interface Meanwhile {
        void happens() throws Exception;
    }

    /// Lets something happen just before the next blob is read.
    private static final class Interruption implements CommitSteps {
        private @Nullable Meanwhile next;
        private int happened;

        @Override
        public void before(String step) {}

        @Override
        public void reading(Digest blob) throws IOException {
            var now = next;
            next = null;
            if (now != null) {
                try {
                    now.happens();
                    happened++;
                } catch (Exception e) {
                    throw new IOException(e);
                }
            }
        }
    }

    /// Ways to read an image, each answering what it found: the id, and the manifest's annotations where it shows them.
    private enum Reader {
        FIND, FIND_FOR_PLATFORM, LIST, HISTORY, SEND, SEND_FOR_PLATFORM, SAVE, LAYERS;

        String read(Images images) throws Exception {
            String name = NAME.toString();
            return switch (this) {
                case FIND -> said(images.find(name));
                case FIND_FOR_PLATFORM -> said(images.find(name, Platform.host()));
                case LIST -> {
                    var all = images.list();
                    if (all.isEmpty()) {
                        throw new EngineException.NotFound("No such image: app:1");
                    }
                    yield said(all.getFirst());
                }
                case HISTORY -> images.history(name).getFirst().id() + " {}";
                case SEND -> sent(images.outgoing(name));
                case SEND_FOR_PLATFORM -> sent(images.departures().outgoing(name, Platform.host()));
                case SAVE -> {
                    try (var archive = images.save(List.of(name), Optional.empty())) {
                        archive.write(new ByteArrayOutputStream());
                        yield said(archive.images().getFirst());
                    }
                }
                case LAYERS -> {
                    var uses = images.layerUses();
                    if (uses.isEmpty()) {
                        throw new EngineException.NotFound("No such image: app:1");
                    }
                    yield uses.getFirst().images().iterator().next() + " {}";
                }
            };
        }

        private boolean tellsAnnotations() {
            return this != HISTORY && this != LAYERS;
        }

        private static String said(Image image) {
            return image.id() + " " + image.manifest().annotations();
        }

        private static String sent(OutgoingImages outgoing) throws Exception {
            try (outgoing) {
                var first = outgoing.images().getFirst();
                for (var layer : first.layers()) {
                    layer.write(new ByteArrayOutputStream());
                }
                return Digest.sha256(first.config()) + " " + Manifest.parse(first.manifest()).annotations();
            }
        }
    }

    @BeforeEach
    void load() throws Exception {
        images = Images.open(root, LayerBounds.DEFAULT, steps);
        images.load(IMAGE.stream(), LoadProgress.SILENT);
        images.close();
        images = Images.open(root, LayerBounds.DEFAULT, steps); // nothing is remembered
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
        assertThat(steps.happened).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void whatIsRemovedMeanwhileIsNotThere(Reader reader) {
        steps.next = () -> images.remove("app:1", true, ImageUsers.NONE);
        assertThatThrownBy(() -> reader.read(images)).isInstanceOf(EngineException.NotFound.class)
                .hasMessage("No such image: app:1");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anArtifactThatIsRemovedMeanwhileIsNotThere(boolean found) throws Exception {
        byte[] blob = "a blob".getBytes(StandardCharsets.UTF_8);
        var part = Descriptor.of("text/plain", blob);
        try (var intake = images.artifacts().intake(new Manifest(MediaTypes.OCI_MANIFEST, part, List.of(part), Map.of(),
                Optional.empty(), Optional.of("text/example")).toJson().printBytes())) {
            intake.blob(part, _ -> new ByteArrayInputStream(blob));
            intake.commit(List.of(name("art:1")));
        }
        var artifacts = images.artifacts();
        if (found) {
            var artifact = artifacts.find("art:1").orElseThrow();
            steps.next = () -> images.remove("art:1", false, ImageUsers.NONE);
            assertThatThrownBy(() -> artifacts.outgoing(artifact)).isInstanceOf(EngineException.NotFound.class)
                    .hasMessage("No such artifact: " + artifact.id());
        } else {
            steps.next = () -> images.remove("art:1", false, ImageUsers.NONE);
            assertThatThrownBy(() -> artifacts.find("art:1")).isInstanceOf(EngineException.NotFound.class)
                    .hasMessage("No such image: art:1");
        }
        assertThat(artifacts.list()).isEmpty();
        images.collectGarbage();
        assertThat(images.check(ImageCheck.Sources.NONE).blobs()).isEqualTo(2); // the image's documents
    }

    @ParameterizedTest
    @EnumSource
    void whatIsReplacedMeanwhileIsTheOtherOne(Reader reader) throws Exception {
        steps.next = () -> {
            images.load(OTHER.stream(), LoadProgress.SILENT);
            images.remove(IMAGE.id().toString(), true, ImageUsers.NONE);
        };
        assertThat(reader.read(images)).isEqualTo(OTHER.id() + " {}");
    }

    @ParameterizedTest
    @EnumSource
    void whatIsBuiltAnewMeanwhileHasItsNewManifest(Reader reader) throws Exception {
        steps.next = () -> {
            var before = images.find("app:1").manifest();
            byte[] other = new Manifest(before.mediaType(), before.config(), before.layers(), Map.of("a", "b"),
                    Optional.empty(), Optional.empty()).toJson().printBytes();
            try (var intake = images.intake()) {
                assertThat(intake.has(Digest.sha256(IMAGE.layers().getFirst()))).isTrue();
                intake.commitBuilt(List.of(new Intake.Made(IMAGE.config(), other)), List.of(NAME), Optional.empty());
            }
            images.collectGarbage();
        };
        assertThat(reader.read(images)).isEqualTo(IMAGE.id() + (reader.tellsAnnotations() ? " {a=b}" : " {}"));
    }
}
