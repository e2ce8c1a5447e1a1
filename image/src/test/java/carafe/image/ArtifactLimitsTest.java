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
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Artifacts in numbers and sizes that somebody means ill with, and archives that hold nothing else.
class ArtifactLimitsTest {

    private static final byte[] EMPTY = text("{}");
    private static final String TYPE = "application/vnd.example.signature.v1";
    private static final String NAME = "io.containerd.image.name";

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

    private static byte[] manifest(Optional<Digest> subject, Map<String, String> annotations, List<Descriptor> layers) {
        return new Manifest(MediaTypes.OCI_MANIFEST, Descriptor.of(MediaTypes.OCI_EMPTY, EMPTY), layers, annotations,
                subject.map(digest -> Descriptor.of(MediaTypes.OCI_MANIFEST, digest, 1)), Optional.of(TYPE))
                .toJson().printBytes();
    }

    private static byte[] numbered(Optional<Digest> subject, int number) {
        return manifest(subject, Map.of("number", Integer.toString(number)), List.of());
    }

    private static byte[] archive(List<byte[]> manifests, Optional<String> name, byte[]... blobs) {
        var tar = new TestTar().add(TestImage.blob(EMPTY));
        for (byte[] blob : blobs) {
            tar.add(TestImage.blob(blob));
        }
        var entries = new ArrayList<Descriptor>();
        for (byte[] manifest : manifests) {
            tar.add(TestImage.blob(manifest));
            var entry = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
            entries.add(name.isPresent() ? entry.withAnnotations(Map.of(NAME, name.get())) : entry);
        }
        return tar.add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                .add(TestTar.file("index.json", Index.of(entries).toJson().printBytes())).bytes();
    }

    private List<Loaded> load(byte[] archive) throws EngineException {
        return images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
    }

    @Test
    void onlyWhatIsNeededOfManifestsIsRemembered() throws Exception {
        byte[] blob = text("x");
        var part = Descriptor.of("application/x", blob).withAnnotations(Map.of("more", "of it"));
        var name = Reference.parse("notes:1");
        try (var intake = images.artifacts().intake(manifest(Optional.empty(),
                Map.of("org.opencontainers.image.created", "2026-01-02T03:04:05Z", "long", "l".repeat(1 << 20)),
                List.of(part)))) {
            intake.blob(part, _ -> new ByteArrayInputStream(blob));
            intake.blob(Descriptor.of("x", EMPTY), _ -> new ByteArrayInputStream(EMPTY));
            intake.commit(List.of(name));
        }
        var found = images.artifacts().find(name.toString()).orElseThrow();
        assertThat(found.created()).contains(Instant.parse("2026-01-02T03:04:05Z"));
        assertThat(found.manifest().annotations()).doesNotContainKey("long");
        assertThat(found.manifest().layers().getFirst().annotations()).isEmpty();
        assertThat(images.artifacts().annotations(found).get("long")).hasSize(1 << 20);
    }

    @Test
    void whatIsRememberedHasABudget() throws Exception {
        var layers = Collections.nCopies(Manifest.MAX_LAYERS, Descriptor.of("application/x", EMPTY));
        var content = ContentStore.open(root.resolve("apart"));
        var manifests = new ArtifactManifests(content);
        int most = 0;
        for (int i = 0; i < 120; i++) {
            var id = content.put(manifest(Optional.empty(), Map.of("number", Integer.toString(i)), layers));
            assertThat(manifests.of(id).layers()).hasSize(Manifest.MAX_LAYERS);
            most = Math.max(most, manifests.remembered());
        }
        assertThat(most).isBetween(ArtifactManifests.MOST_PARTS / 2, ArtifactManifests.MOST_PARTS);
        manifests.keepOnly(java.util.Set.of());
        assertThat(manifests.remembered()).isZero();
    }

    @Test
    void aChainOfArtifactsIsTakenToItsLimitAndRefusedBeyond() throws Exception {
        var chain = new ArrayList<byte[]>(List.of(numbered(Optional.empty(), 0)));
        for (int i = 1; i <= IncomingArtifact.DEEPEST; i++) {
            chain.addFirst(numbered(Optional.of(Digest.sha256(chain.getFirst())), i)); // each before what it refers to
        }
        assertThat(load(archive(chain, Optional.empty()))).hasSize(chain.size());
        assertThat(images.artifacts().list()).hasSize(chain.size());
        chain.addFirst(numbered(Optional.of(Digest.sha256(chain.getFirst())), chain.size()));
        assertThatThrownBy(() -> load(archive(chain, Optional.empty()))).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("archive has artifacts that refer to artifacts more than 16 times in a row, such as "
                        + Digest.sha256(chain.getFirst()));
    }

    @Test
    void anArchiveMayNotListArtifactsWithoutEnd() throws Exception {
        var many = new ArrayList<byte[]>();
        for (int i = 0; i <= IncomingArtifact.MOST; i++) {
            many.add(numbered(Optional.empty(), i));
        }
        assertThatThrownBy(() -> load(archive(many, Optional.empty()))).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("archive lists more than 1000 artifacts; load it in parts");
        assertThat(images.artifacts().list()).isEmpty();
    }

    @Test
    void anArchiveOfWhichNothingStaysIsRefused() throws Exception {
        byte[] lost = numbered(Optional.of(Digest.sha256(text("elsewhere"))), 1);
        assertThatThrownBy(() -> load(archive(List.of(lost), Optional.empty()))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("its artifacts have no name and refer to nothing that is here");
        byte[] alone = numbered(Optional.empty(), 2);
        assertThat(load(archive(List.of(alone, lost), Optional.empty())))
                .containsExactly(new Loaded(Optional.empty(), Digest.sha256(alone)));
    }

    @Test
    void anArtifactThatTakesAnImagesNameIsTold() throws Exception {
        var image = TestImage.of("app:1", new TestTar().add(TestTar.file("f", "x")).bytes());
        load(image.dockerArchive());
        var told = new ArrayList<String>();
        images.load(new ByteArrayInputStream(archive(List.of(numbered(Optional.empty(), 1)),
                Optional.of("docker.io/library/app:1"))), new LoadProgress() {
                    @Override
                    public void layer(String name, long doneBytes, long totalBytes) {}

                    @Override
                    public void renamed(Reference name, Digest oldId) {
                        told.add(name.familiar() + " was " + oldId);
                    }
                });
        assertThat(told).containsExactly("app:1 was " + image.id());
    }

    /// The blob that an archive lacks because it is here already must not be collected before the artifact is named.
    @Test
    void aBlobThatIsReliedUponBeginsItsTimeAnew() throws Exception {
        byte[] blob = text("here before");
        var content = ContentStore.open(root.resolve("apart"));
        var digest = content.put(blob);
        Files.setLastModifiedTime(content.path(digest), FileTime.from(Instant.EPOCH));
        try (var blobs = new ArchiveBlobs(content)) {
            assertThat(blobs.has(digest, blob.length + 1)).isFalse();
            assertThat(content.modified(digest)).contains(Instant.EPOCH);
            assertThat(blobs.has(digest, blob.length)).isTrue();
            assertThat(content.modified(digest).orElseThrow()).isAfter(Instant.EPOCH);
        }
    }

    /// Somebody removes an image, and with it what nothing names, at each step of a load.
    @Test
    void aCollectionDuringALoadTakesNothingOfIt() throws Exception {
        images.close();
        var open = new AtomicBoolean();
        var busy = new AtomicBoolean();
        var collections = new AtomicInteger();
        images = Images.open(root, LayerBounds.DEFAULT, step -> {
            if (open.get() && (step.equals("create ingest") || step.startsWith("write "))
                    && busy.compareAndSet(false, true)) {
                try {
                    images.collectGarbage();
                    collections.incrementAndGet();
                } catch (EngineException e) {
                    throw new IOException(e);
                } finally {
                    busy.set(false);
                }
            }
        });
        open.set(true);
        byte[] base = numbered(Optional.empty(), 0);
        byte[] table = Index.of(List.of(Descriptor.of(MediaTypes.OCI_MANIFEST, base))).toJson().printBytes();
        byte[] first = numbered(Optional.of(Digest.sha256(base)), 1);
        byte[] second = numbered(Optional.of(Digest.sha256(first)), 2);
        assertThat(load(archive(List.of(second, first, base), Optional.empty(), table))).hasSize(3);
        assertThat(collections.get()).isGreaterThan(3);
        images.collectGarbage();
        for (var artifact : images.artifacts().list()) {
            try (var out = images.artifacts().outgoing(artifact); var in = out.open(Digest.sha256(EMPTY))) {
                assertThat(in.readAllBytes()).isEqualTo(EMPTY);
            }
        }
        assertThat(images.artifacts().referrers(Digest.sha256(base))).hasSize(1);
    }

    /// Ten thousand entries of one artifact are one artifact, and one with a name among them has it.
    @Test
    void anEntryThatIsListedOftenIsReadOnce() throws Exception {
        byte[] manifest = numbered(Optional.empty(), 1);
        var entry = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
        var entries = new ArrayList<>(Collections.nCopies(Index.MAX_MANIFESTS - 1, entry));
        entries.add(5000, entry.withAnnotations(Map.of(NAME, "docker.io/library/often:1")));
        var tar = new TestTar().add(TestImage.blob(EMPTY)).add(TestImage.blob(manifest))
                .add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                .add(TestTar.file("index.json", Index.of(entries).toJson().printBytes()));
        assertThat(load(tar.bytes())).containsExactly(
                new Loaded(Optional.of(Reference.parse("often:1")), Digest.sha256(manifest)));
    }

    /// The specification allows names that are none of ours; of what is passed over nobody asks for the name.
    @Test
    void theNameOfWhatIsPassedOverIsNotLookedAt() throws Exception {
        byte[] manifest = numbered(Optional.empty(), 1);
        byte[] other = text("{\"other\":true}");
        var tar = new TestTar().add(TestImage.blob(EMPTY)).add(TestImage.blob(manifest)).add(TestImage.blob(other))
                .add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                .add(TestTar.file("index.json", Index.of(List.of(
                        Descriptor.of("application/vnd.example.other", other)
                                .withAnnotations(Map.of("org.opencontainers.image.ref.name", "Foo:1.0+b")),
                        Descriptor.of(MediaTypes.OCI_MANIFEST, manifest))).toJson().printBytes()));
        assertThat(load(tar.bytes())).containsExactly(new Loaded(Optional.empty(), Digest.sha256(manifest)));
    }

    @Test
    void aDocumentAddressedBySha512IsFound() throws Exception {
        byte[] json = text("{\"sbom\":true}");
        var digest = new Digest(Digest.Algorithm.SHA512, java.util.HexFormat.of().formatHex(
                java.security.MessageDigest.getInstance("SHA-512").digest(json)));
        byte[] manifest = manifest(Optional.empty(), Map.of(),
                List.of(Descriptor.of("application/json", digest, json.length)));
        var tar = new TestTar().add(TestTar.file("blobs/sha512/" + digest.hex(), json)).add(TestImage.blob(EMPTY))
                .add(TestImage.blob(manifest)).add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                .add(TestTar.file("index.json", Index.of(List.of(Descriptor.of(MediaTypes.OCI_MANIFEST, manifest)
                        .withAnnotations(Map.of(NAME, "docker.io/library/bom:1")))).toJson().printBytes()));
        load(tar.bytes());
        try (var out = images.artifacts().outgoing("bom:1"); var in = out.open(digest)) {
            assertThat(in.readAllBytes()).isEqualTo(json);
        }
    }
}
