package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtifactsTest {

    private static final byte[] EMPTY = text("{}");
    private static final byte[] TAR = new TestTar().add(TestTar.file("f", "x".repeat(5000))).bytes();
    private static final TestImage IMAGE = TestImage.of("app:1", TAR);
    private static final String SIGNATURE = "application/vnd.example.signature.v1";

    @TempDir
    private Path root;
    private Images images;

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root);
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    private static byte[] manifest(Optional<Digest> subject, byte[]... blobs) {
        var layers = new ArrayList<Descriptor>();
        for (byte[] blob : blobs) {
            layers.add(Descriptor.of("application/octet-stream", blob));
        }
        return new Manifest(MediaTypes.OCI_MANIFEST, Descriptor.of(MediaTypes.OCI_EMPTY, EMPTY), layers,
                Map.of("org.opencontainers.image.created", "2026-01-02T03:04:05Z"),
                subject.map(digest -> Descriptor.of(MediaTypes.OCI_MANIFEST, digest, 1)), Optional.of(SIGNATURE))
                .toJson().printBytes();
    }

    /// Stores an artifact; its id.
    private Digest take(byte[] manifest, List<Reference> names, byte[]... blobs) throws Exception {
        try (var intake = images.artifacts().intake(manifest)) {
            for (byte[] blob : blobs) {
                intake.blob(Descriptor.of("x", blob), from -> new ByteArrayInputStream(blob, (int) from, blob.length));
            }
            intake.blob(Descriptor.of("x", EMPTY), _ -> new ByteArrayInputStream(EMPTY));
            intake.commit(names);
            return intake.id();
        }
    }

    private Digest imageManifest() throws Exception {
        return images.find("app:1").manifestDigest();
    }

    private void load(byte[] archive) throws Exception {
        images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
    }

    private byte[] saved(String... names) throws Exception {
        var out = new ByteArrayOutputStream();
        try (var archive = images.save(List.of(names), Optional.empty())) {
            archive.write(out);
        }
        return out.toByteArray();
    }

    private List<Digest> blobsHere() throws IOException {
        return ContentStore.open(root.resolve("content")).list();
    }

    @Test
    void anArtifactIsFoundByNameAndDigestAndIsNoImage() throws Exception {
        var name = Reference.parse("registry.example.com/team/chart:1");
        byte[] blob = text("no tar at all");
        var id = take(manifest(Optional.empty(), blob), List.of(name), blob);
        for (int round = 0; round < 2; round++) {
            for (String called : List.of(name.toString(), id.toString(), id.shortHex())) {
                var found = images.artifacts().find(called).orElseThrow();
                assertThat(found.id()).isEqualTo(id);
                assertThat(found.type()).isEqualTo(SIGNATURE);
                assertThat(found.tags()).containsExactly(name);
                assertThat(found.created()).contains(Instant.parse("2026-01-02T03:04:05Z"));
                assertThat(found.size()).isEqualTo(found.descriptor().size() + blob.length + 2);
            }
            assertThatThrownBy(() -> images.find(name.toString())).isInstanceOf(EngineException.Unsupported.class)
                    .hasMessageStartingWith(name + " is no container image but an artifact of type \"" + SIGNATURE + "\"");
            assertThatThrownBy(() -> images.find(name.toString(), carafe.spec.oci.Platform.host()))
                    .isInstanceOf(EngineException.Unsupported.class);
            assertThat(images.list()).isEmpty();
            assertThat(images.byId(id)).isEmpty();
            assertThat(images.layerUses()).isEmpty();
            images.close();
            images = Images.open(root);
        }
        images.tag(name.toString(), Reference.parse("mine:2"));
        images.remove(name.toString(), false, ImageUsers.NONE);
        assertThat(images.artifacts().find("mine:2")).isPresent();
        images.collectGarbage();
        try (var out = images.artifacts().outgoing("mine:2"); var in = out.open(Digest.sha256(blob))) {
            assertThat(in.readAllBytes()).isEqualTo(blob);
        }
        assertThat(images.remove("mine:2", false, ImageUsers.NONE)).contains(new Removal.Deleted(id));
        assertThat(blobsHere()).isEmpty();
    }

    @Test
    void anImagesManifestIsNoArtifact() throws Exception {
        byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, IMAGE.config()),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER, TAR))).toJson().printBytes();
        assertThatThrownBy(() -> images.artifacts().intake(manifest)).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("is a container image's");
    }

    @Test
    void wrongBytesAreRefusedAndABrokenOffBlobIsGoneOnWith() throws Exception {
        byte[] blob = text("content ".repeat(1000));
        byte[] manifest = manifest(Optional.empty(), blob);
        var part = Descriptor.of("x", blob);
        try (var intake = images.artifacts().intake(manifest)) {
            assertThatThrownBy(() -> intake.blob(part, _ -> new ByteArrayInputStream(new byte[blob.length])))
                    .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("unexpected digest");
            assertThatThrownBy(() -> intake.commit(List.of())).hasMessageContaining("is missing");
            assertThatThrownBy(() -> intake.blob(part, _ -> new ByteArrayInputStream(blob, 0, 3000) {
                @Override
                public synchronized int read(byte[] into, int offset, int length) {
                    int count = super.read(into, offset, length);
                    if (count < 0) {
                        throw new java.io.UncheckedIOException(new IOException("cut"));
                    }
                    return count;
                }
            })).isInstanceOf(java.io.UncheckedIOException.class);
            var began = new AtomicLong(-1);
            intake.blob(part, from -> {
                began.set(from);
                return new ByteArrayInputStream(blob, (int) from, blob.length);
            });
            assertThat(began).hasValue(3000);
        }
        assertThat(images.artifacts().list()).isEmpty();
    }

    @Test
    void whatRefersToAnImageStaysAsLongAsItAndGoesWithIt() throws Exception {
        load(IMAGE.dockerArchive());
        byte[] blob = text("signed");
        byte[] named = text("signed and named");
        var signature = take(manifest(Optional.of(imageManifest()), blob), List.of(), blob);
        var ofSignature = take(manifest(Optional.of(signature)), List.of());
        var kept = take(manifest(Optional.of(imageManifest()), named), List.of(Reference.parse("sig:1")), named);
        var alone = take(manifest(Optional.of(Digest.sha256(text("elsewhere")))), List.of());
        images.collectGarbage();
        assertThat(images.artifacts().referrers(IMAGE.id())).extracting(Artifact::id).containsExactly(signature, kept);
        assertThat(images.artifacts().referrers(signature)).extracting(Artifact::id).containsExactly(ofSignature);
        for (var artifact : images.artifacts().list()) {
            assertThat(images.artifacts().isKept(artifact)).isEqualTo(!artifact.id().equals(alone));
        }
        images.tag("app:1", Reference.parse("app:2"));
        images.remove("app:1", false, ImageUsers.NONE);
        assertThat(images.artifacts().list()).hasSize(4);
        assertThat(images.remove("app:2", false, ImageUsers.NONE))
                .contains(new Removal.Deleted(signature), new Removal.Deleted(ofSignature));
        assertThat(images.artifacts().list()).extracting(Artifact::id).containsExactly(kept, alone);
        assertThat(blobsHere()).doesNotContain(Digest.sha256(blob)).contains(Digest.sha256(named), Digest.sha256(EMPTY));
    }

    /// An archive brings the image under another manifest than the one it was signed by.
    @Test
    void anArchiveTakesAlongWhatRefersToItsImages() throws Exception {
        load(IMAGE.ociArchive());
        byte[] blob = TestImage.gzip(TAR); // what looks like a layer is none where an artifact names it
        byte[] json = text("{\"sbom\":true}");
        byte[] plain = text("plain");
        var subject = imageManifest();
        var signature = take(manifest(Optional.of(subject), blob, json, plain), List.of(), blob, json, plain);
        var second = take(manifest(Optional.of(signature), TAR), List.of(), TAR);
        byte[] archive = saved("app:1");
        assertThat(saved("app:1")).isEqualTo(archive);
        Path other = root.resolve("other");
        try (var there = Images.open(other)) {
            assertThat(there.load(new ByteArrayInputStream(archive), LoadProgress.SILENT))
                    .containsExactly(new Loaded(Optional.of(Reference.parse("app:1")), IMAGE.id()));
            assertThat(there.find("app:1").manifestDigest()).isNotEqualTo(subject);
            there.collectGarbage();
            assertThat(there.artifacts().referrers(IMAGE.id())).extracting(Artifact::id).containsExactly(signature);
            assertThat(there.artifacts().referrers(signature)).extracting(Artifact::id).containsExactly(second);
            var again = new ByteArrayOutputStream();
            try (var saving = there.save(List.of("app:1"), Optional.empty())) {
                saving.write(again);
            }
            assertThat(again.toByteArray()).isEqualTo(archive);
            there.remove("app:1", false, ImageUsers.NONE);
            assertThat(there.artifacts().list()).isEmpty();
        }
        assertThat(ContentStore.open(other.resolve("content")).list()).isEmpty();
    }

    @Test
    void whatRefersToAnIndexTravelsWithTheImageFoundThroughIt() throws Exception {
        byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, IMAGE.config()),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER, TAR))).toJson().printBytes();
        byte[] index = Index.of(List.of(Descriptor.of(MediaTypes.OCI_MANIFEST, manifest))).toJson().printBytes();
        var name = Reference.parse("app:1");
        try (var intake = images.intake()) {
            intake.layer(new ByteArrayInputStream(TAR));
            intake.commit(IMAGE.config(), manifest, List.of(name), Optional.of(index));
        }
        var signature = take(manifest(Optional.of(Digest.sha256(index))), List.of());
        assertThat(images.artifacts().referrers(IMAGE.id())).extracting(Artifact::id).containsExactly(signature);
        byte[] archive = saved("app:1");
        try (var there = Images.open(root.resolve("other"))) {
            there.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
            there.collectGarbage();
            assertThat(there.artifacts().referrers(IMAGE.id())).extracting(Artifact::id).containsExactly(signature);
        }
        images.remove("app:1", false, ImageUsers.NONE);
        assertThat(blobsHere()).isEmpty();
    }

    /// Its document stands in the archive once, for both.
    @Test
    void anArtifactMayNameWhatIsAnImagesToo() throws Exception {
        load(IMAGE.ociArchive());
        byte[] config = IMAGE.config();
        var id = take(manifest(Optional.of(imageManifest()), config), List.of(), config);
        byte[] archive = saved("app:1");
        try (var there = Images.open(root.resolve("other"))) {
            there.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
            assertThat(there.find("app:1").id()).isEqualTo(IMAGE.id());
            assertThat(there.artifacts().referrers(IMAGE.id())).extracting(Artifact::id).containsExactly(id);
        }
    }

    @Test
    void aNamedArtifactTravelsAlone() throws Exception {
        byte[] blob = text("chart");
        var name = Reference.parse("charts.example.com/web:1");
        var id = take(manifest(Optional.empty(), blob), List.of(name), blob);
        byte[] archive = saved(name.toString());
        images.remove(name.toString(), false, ImageUsers.NONE);
        assertThat(images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT))
                .containsExactly(new Loaded(Optional.of(name), id));
        images.collectGarbage();
        try (var out = images.artifacts().outgoing(name.toString()); var in = out.open(Digest.sha256(blob))) {
            assertThat(in.readAllBytes()).isEqualTo(blob);
        }
    }

    /// Who writes an archive without knowing us may put a blob before what names it.
    @Test
    void aBlobThatWasTakenForALayerIsSaidAndNothingIsStored() throws Exception {
        byte[] manifest = manifest(Optional.empty(), TAR);
        var entry = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
        for (boolean first : List.of(true, false)) {
            var tar = new TestTar();
            if (!first) {
                tar.add(TestImage.blob(TAR));
            }
            tar.add(TestImage.blob(EMPTY)).add(TestImage.blob(manifest));
            if (first) {
                tar.add(TestImage.blob(TAR));
            }
            byte[] index = Index.of(List.of(entry.withAnnotations(Map.of("io.containerd.image.name",
                    "docker.io/library/x:1")))).toJson().printBytes();
            tar.add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                    .add(TestTar.file("index.json", index));
            if (first) {
                load(tar.bytes());
                images.remove("x:1", false, ImageUsers.NONE);
            } else {
                assertThatThrownBy(() -> load(tar.bytes())).isInstanceOf(EngineException.Invalid.class)
                        .hasMessageContaining("of the artifact x:1 stands before the manifest that names it");
            }
        }
        assertThat(images.artifacts().list()).isEmpty();
        assertThat(images.layerBytes()).isZero();
    }

    @Test
    void aCheckFindsAndRepairsAnArtifactsBlob() throws Exception {
        byte[] blob = text("chart".repeat(100));
        var name = Reference.parse("charts.example.com/web:1");
        take(manifest(Optional.empty(), blob), List.of(name), blob);
        byte[] archive = saved(name.toString());
        Path file = root.resolve("content/blobs/sha256").resolve(Digest.sha256(blob).hex());
        for (boolean fromArchive : List.of(true, false)) {
            try (var open = new RandomAccessFile(file.toFile(), "rw")) {
                open.write('C');
            }
            var problem = images.check(ImageCheck.Sources.NONE).problems().getFirst();
            assertThat(problem.kind()).isEqualTo("blob");
            assertThat(problem.images()).containsExactly(name.familiar());
            var sources = new ImageCheck.Sources() {
                @Override
                public Optional<java.io.InputStream> archive() {
                    return fromArchive ? Optional.of(new ByteArrayInputStream(archive)) : Optional.empty();
                }

                @Override
                public boolean blob(Descriptor wanted, String repository, ImageCheck.Taker taker)
                        throws java.io.IOException, EngineException {
                    assertThat(repository).isEqualTo("charts.example.com/web");
                    if (!fromArchive) {
                        taker.from(new ByteArrayInputStream(blob));
                    }
                    return !fromArchive;
                }
            };
            assertThat(images.check(sources).problems()).allMatch(ImageCheck.Problem::repaired).hasSize(1);
            assertThat(Files.readAllBytes(file)).isEqualTo(blob);
        }
        Files.delete(file);
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).hasSize(1);
    }
}
