package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.ImageMount;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageCheckTest {

    private static final byte[] TAR = new TestTar().add(TestTar.file("f", "content".repeat(1000)))
            .add(TestTar.directory("d")).add(TestTar.file("d/g", "x")).bytes();
    private static final Digest DIFF_ID = Digest.sha256(TAR);
    private static final TestImage IMAGE = TestImage.of("app:1", TAR);

    @TempDir
    private Path root;
    private Images images;

    /// Repairs from these.
    private record From(Optional<byte[]> given, Optional<byte[]> blob) implements ImageCheck.Sources {
        @Override
        public Optional<InputStream> archive() {
            return given.map(ByteArrayInputStream::new);
        }

        @Override
        public boolean blob(Descriptor wanted, String repository, ImageCheck.Taker taker) throws IOException, EngineException {
            try {
                if (blob.isPresent()) {
                    taker.from(new ByteArrayInputStream(blob.get()));
                }
                return blob.isPresent();
            } catch (EngineException.Invalid e) {
                return false;
            }
        }
    }

    private static final ImageCheck.Sources NOTHING = new From(Optional.empty(), Optional.empty());

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root);
        images.load(IMAGE.stream(), LoadProgress.SILENT);
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    private Path layer() {
        return root.resolve("layers").resolve(DIFF_ID.hex());
    }

    private static void flip(Path file, long at) throws Exception {
        try (var open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            int old = open.read();
            open.seek(at);
            open.write(old ^ 1);
        }
    }

    private ImageCheck.Problem only(ImageCheck.Sources sources) throws Exception {
        var report = images.check(sources);
        assertThat(report.problems()).hasSize(1);
        return report.problems().getFirst();
    }

    @Test
    void soundImagesHaveNoProblems() throws Exception {
        var report = images.check(ImageCheck.Sources.NONE);
        assertThat(report.problems()).isEmpty();
        assertThat(report.layers()).isEqualTo(1);
        assertThat(report.blobs()).isEqualTo(2);
        assertThat(report.bytes()).isGreaterThan(TAR.length);
    }

    @Test
    void aFlippedByteAnywhereInALayersFileIsFound() throws Exception {
        assertThat(Files.isRegularFile(layer())).isTrue();
        var file = LayerFile.read(layer());
        for (long at : new long[] {3, 40, 100, 1030, 1500, 4096 + 512 + 70, file.metaStart() + 64, file.end() - 1}) {
            flip(layer(), at);
            assertThat(only(ImageCheck.Sources.NONE).digest()).as("byte " + at).isEqualTo(DIFF_ID);
            flip(layer(), at);
        }
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
        try (var open = new RandomAccessFile(layer().toFile(), "rw")) {
            open.setLength(file.end() - 512);
        }
        assertThat(only(ImageCheck.Sources.NONE).images()).containsExactly("app:1");
    }

    @Test
    void aFlippedByteInASparseFilesCopyIsFound() throws Exception {
        byte[] map = Arrays.copyOf("1\n1048576\n5\n".getBytes(), 512 + 5);
        byte[] tar = new TestTar().add(TestTar.file("s", map).pax("GNU.sparse.major", "1").pax("GNU.sparse.minor", "0")
                .pax("GNU.sparse.name", "s").pax("GNU.sparse.realsize", "1048581")).bytes();
        images.load(TestImage.of("sparse:1", tar).stream(), LoadProgress.SILENT);
        Path file = root.resolve("layers").resolve(Digest.sha256(tar).hex());
        flip(file, LayerFile.read(file).metaStart() - 4096);
        assertThat(only(ImageCheck.Sources.NONE).fault()).contains("sparse");
        assertThat(only(NOTHING).repaired()).isTrue(); // its own tar is whole
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
    }

    @Test
    void damagedDirectoriesAreMadeAgainOfTheTarUnderTheSamePath() throws Exception {
        Path files = images.lower(DIFF_ID);
        assertThat(files.resolve("d/g")).hasContent("x");
        flip(layer(), LayerFile.read(layer()).metaStart() + 80);
        assertThat(only(NOTHING).repaired()).isTrue();
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
        assertThat(images.lower(DIFF_ID)).isEqualTo(files);
        assertThat(files.resolve("d/g")).hasContent("x");
    }

    @Test
    void damagedFilesAreTakenFromAnArchiveThatIsGiven() throws Exception {
        flip(layer(), 4096 + 512 + 70);
        assertThat(only(NOTHING).repaired()).isFalse();
        byte[] other = TestImage.of("app:1", new TestTar().add(TestTar.file("f", "other")).bytes()).dockerArchive();
        assertThat(only(new From(Optional.of(other), Optional.empty())).repaired()).isFalse();
        for (byte[] archive : List.of(IMAGE.dockerArchive(), IMAGE.ociArchive())) {
            assertThat(only(new From(Optional.of(archive), Optional.empty())).repaired()).isTrue();
            assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
            assertThat(images.lower(DIFF_ID).resolve("f")).hasContent("content".repeat(1000));
            flip(layer(), 4096 + 512 + 70);
        }
    }

    @Test
    void aMissingLayerAndABrokenConfigurationComeBackByDigest() throws Exception {
        Files.delete(layer());
        assertThat(only(ImageCheck.Sources.NONE).fault()).isEqualTo("it is missing");
        assertThat(only(new From(Optional.empty(), Optional.of(TestImage.gzip(TAR)))).repaired()).isTrue();
        flip(root.resolve("content/blobs/sha256").resolve(IMAGE.id().hex()), 20);
        var problem = only(ImageCheck.Sources.NONE);
        assertThat(problem.kind()).isEqualTo("config");
        assertThat(only(new From(Optional.empty(), Optional.of("{}".getBytes()))).repaired()).isFalse();
        assertThat(only(new From(Optional.empty(), Optional.of(IMAGE.config()))).repaired()).isTrue();
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
    }

    /// The file of an index of two images, as a build makes one, or with more than they say.
    private Path index(boolean built) throws Exception {
        var own = TestPlatform.of(Platform.host(), Optional.empty(), "own");
        var other = TestPlatform.of(Platform.of("linux", "s390x"), Optional.empty(), "other");
        byte[] archive = TestPlatform.archive("docker.io/library/many:1", List.of(List.of(other, own)));
        if (built) {
            images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
        } else {
            var entries = new ArrayList<Descriptor>();
            var made = new ArrayList<Intake.Made>();
            try (var intake = images.intake()) {
                for (var each : List.of(own, other)) {
                    intake.layer(new ByteArrayInputStream(each.layer()));
                    made.add(new Intake.Made(each.config(), each.manifest()));
                    entries.add(Descriptor.of(MediaTypes.OCI_MANIFEST, each.manifest()).withAnnotations(Map.of("a", "b")));
                }
                intake.commit(made, List.of(Reference.parse("docker.io/library/many:1")),
                        Optional.of(Index.of(entries).toJson().printBytes()));
            }
        }
        var digest = images.index().indexOf(Reference.parse("docker.io/library/many:1")).orElseThrow();
        return root.resolve("content/blobs/sha256").resolve(digest.hex());
    }

    @Test
    void aDamagedOrMissingIndexIsToldWithItsNamesAndComesBack() throws Exception {
        for (boolean built : new boolean[] {true, false}) {
            Path file = index(built);
            byte[] whole = Files.readAllBytes(file);
            assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
            for (boolean missing : new boolean[] {false, true}) {
                if (missing) {
                    Files.delete(file);
                } else {
                    flip(file, 30);
                }
                var problem = only(ImageCheck.Sources.NONE);
                assertThat(problem.kind()).isEqualTo("index");
                assertThat(problem.fault()).isEqualTo(missing ? "it is missing" : "its bytes are damaged");
                assertThat(problem.images()).containsExactly("many:1");
                assertThat(only(NOTHING).repaired()).isEqualTo(built); // a build's says nothing that is not here
                if (!built) {
                    assertThat(only(new From(Optional.empty(), Optional.of("{}".getBytes()))).repaired()).isFalse();
                    assertThat(only(new From(Optional.empty(), Optional.of(whole))).repaired()).isTrue();
                }
                assertThat(Files.readAllBytes(file)).isEqualTo(whole);
                assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
            }
            images.remove("many:1", false, ImageUsers.NONE);
        }
    }

    @Test
    void aMissingManifestOfAnIndexIsToldWithTheNameThatSharesIt() throws Exception {
        index(true);
        var other = images.find("many:1", Platform.of("linux", "s390x"));
        Path manifest = root.resolve("content/blobs/sha256").resolve(other.manifestDigest().hex());
        byte[] whole = Files.readAllBytes(manifest);
        Files.delete(manifest);
        var problem = only(ImageCheck.Sources.NONE);
        assertThat(problem.kind()).isEqualTo("manifest");
        assertThat(problem.images()).containsExactly("many:1");
        assertThat(only(new From(Optional.empty(), Optional.of(whole))).repaired()).isTrue();
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
    }

    @Test
    void layersOfTheOtherFormAreBroughtIntoTheOneThatWorks() throws Exception {
        images.close();
        Path layers = root.resolve("layers");
        try (var trash = new Trash();
                var directories = DirectoryLayers.open(layers, trash, LayerBounds.DEFAULT, CommitSteps.REAL);
                var staged = directories.stage(new ByteArrayInputStream(TAR))) {
            Files.delete(layer());
            staged.commit();
        }
        assertThat(layer()).isDirectory();
        images = Images.open(root);
        assertThat(layer()).isRegularFile();
        assertThat(images.lower(DIFF_ID).resolve("d/g")).hasContent("x");
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
        assertThat(ImageMount.Way.values()).hasSize(2);
    }

    @Test
    void theLastUseOfAnImageIsRemembered() throws Exception {
        var file = root.resolve("content/blobs/sha256").resolve(IMAGE.id().hex());
        var old = Instant.now().minus(Duration.ofDays(30));
        Files.setLastModifiedTime(file, java.nio.file.attribute.FileTime.from(old));
        assertThat(images.lastUsed(IMAGE.id()).orElseThrow()).isBefore(Instant.now().minus(Duration.ofDays(29)));
        images.snapshots().prepare("c1", images.find("app:1"));
        images.close();
        images = Images.open(root);
        assertThat(images.lastUsed(IMAGE.id()).orElseThrow()).isAfter(Instant.now().minus(Duration.ofDays(1)));
    }

    @Test
    void whatNothingNeedsIsSwept() throws Exception {
        byte[] tar = new TestTar().add(TestTar.file("x", new byte[3000])).bytes();
        try (var intake = images.intake()) {
            intake.layer(new ByteArrayInputStream(tar));
            assertThat(images.sweep(Instant.now())).isZero();
        }
        assertThat(new ArrayList<>(images.layerUses())).hasSize(2);
        assertThat(images.sweep(Instant.now())).isEqualTo(3000);
        assertThat(images.layerUses()).extracting(LayerUse::diffId).containsExactly(DIFF_ID);
    }
}
