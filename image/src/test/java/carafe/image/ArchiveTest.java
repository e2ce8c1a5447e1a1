package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.tar.TarReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ArchiveTest {

    private static final byte[] BASE = new TestTar().add(TestTar.file("base", "b".repeat(3000))).bytes();
    private static final byte[] TOP = new TestTar().add(TestTar.file("top", "t")).bytes();
    private static final TestImage IMAGE = TestImage.of("docker.io/library/app:1", BASE, TOP);

    @TempDir
    private Path root;
    private Images images;

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root);
    }

    @AfterEach
    void nothingIsLeftOfWork() throws Exception {
        images.awaitDeletion();
        for (String place : List.of("layers/tmp", "content/ingest")) {
            try (var left = Files.list(root.resolve(place))) {
                assertThat(left).as(place).isEmpty();
            }
        }
        images.close();
    }

    private List<Loaded> load(byte[] archive) throws EngineException {
        return images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
    }

    private void refused(byte[] archive, String words) throws EngineException {
        assertThatThrownBy(() -> load(archive)).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining(words);
        assertThat(images.list()).isEmpty();
    }

    private static byte[] table(String json, TestTar.Member... others) {
        var tar = new TestTar();
        for (var other : others) {
            tar.add(other);
        }
        return tar.add(TestTar.file("manifest.json", json)).bytes();
    }

    /// A configuration of two megabytes, which takes its time to be read.
    private static byte[] largeConfig() {
        var labels = new TreeMap<String, String>();
        for (int i = 0; i < 9_000; i++) {
            labels.put("label-" + i, "v".repeat(200));
        }
        var config = Json.object().put("architecture", Platform.host().architecture()).put("os", "linux")
                .put("config", Json.object().put("Labels", Json.ofMap(labels)).build())
                .put("rootfs", Json.object().put("type", "layers").put("diff_ids",
                        Json.ofTexts(List.of(Digest.sha256(TOP).toString()))).build());
        return config.build().printBytes();
    }

    /// An OCI layout of one image with the large configuration, whose table is `entries`; `others` are blobs of it too.
    private static byte[] layout(byte[] config, byte[] manifest, List<Descriptor> entries, byte[]... others) {
        var tar = new TestTar().add(TestTar.file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"))
                .add(TestTar.file("index.json", Index.of(entries).toJson().printBytes()))
                .add(TestImage.blob(TOP)).add(TestImage.blob(config)).add(TestImage.blob(manifest));
        for (byte[] other : others) {
            tar.add(TestImage.blob(other));
        }
        return tar.bytes();
    }

    private static Descriptor named(Descriptor entry, int number) {
        return entry.withAnnotations(Map.of("io.containerd.image.name", "docker.io/library/often:" + number % 100));
    }

    /// Read for each entry, they would take an hour.
    @Test
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void whatATableNamesTenThousandTimesIsReadOnce() throws Exception {
        byte[] config = largeConfig();
        byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config),
                List.of(Descriptor.of(MediaTypes.OCI_LAYER, TOP))).toJson().printBytes();
        var entry = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
        var often = new ArrayList<Descriptor>();
        for (int i = 0; i < Index.MAX_MANIFESTS; i++) {
            often.add(named(entry, i));
        }
        assertThat(load(layout(config, manifest, often))).hasSize(100).extracting(Loaded::id)
                .containsOnly(Digest.sha256(config));

        byte[] inner = Index.of(Collections.nCopies(Index.MAX_MANIFESTS, entry)).toJson().printBytes();
        byte[] outer = Index.of(Collections.nCopies(Index.MAX_MANIFESTS, Descriptor.of(MediaTypes.OCI_INDEX, inner)))
                .toJson().printBytes();
        assertThat(load(layout(config, manifest,
                Collections.nCopies(Index.MAX_MANIFESTS, named(Descriptor.of(MediaTypes.OCI_INDEX, outer), 1)), inner, outer)))
                .extracting(Loaded::id).containsExactly(Digest.sha256(config));

        var element = Json.object().put("Config", "c.json").put("RepoTags", Json.ofTexts(List.of("often:1")))
                .put("Layers", Json.ofTexts(List.of("l.tar"))).build();
        byte[] docker = table(new String(Json.ofAll(Collections.nCopies(1000, element)).printBytes()),
                TestTar.file("c.json", config), TestTar.file("l.tar", TOP));
        assertThat(load(docker)).extracting(Loaded::id).containsOnly(Digest.sha256(config));
    }

    @Test
    void aTableOfMoreEntriesIsRefused() throws Exception {
        byte[] index = new String(Index.of(List.of(Descriptor.of(MediaTypes.OCI_MANIFEST, TOP))).toJson().printBytes())
                .replaceFirst("(?s)\\[(.*)\\]", "[" + String.join(",", Collections.nCopies(100_000, "{}")) + "]").getBytes();
        refused(new TestTar().add(TestTar.file("oci-layout", "{}")).add(TestTar.file("index.json", index)).bytes(),
                "index has more than 10000 entries");
    }

    @Test
    void wholeArchivesMayBeCompressed() throws Exception {
        assertThat(load(TestImage.gzip(IMAGE.dockerArchive()))).extracting(Loaded::id).containsExactly(IMAGE.id());
        assertThat(load(com.github.luben.zstd.Zstd.compress(IMAGE.ociArchive()))).extracting(Loaded::id)
                .containsExactly(IMAGE.id());
        assertThat(images.list()).hasSize(1);
        assertThat(load(TestImage.bzip2(IMAGE.dockerArchive()))).extracting(Loaded::id).containsExactly(IMAGE.id());
        assertThat(load(TestImage.xz(IMAGE.ociArchive()))).extracting(Loaded::id).containsExactly(IMAGE.id());
    }

    @Test
    void compressedArchivesThatAreDamagedSayInWhat() throws Exception {
        byte[] bzip2 = TestImage.bzip2(IMAGE.dockerArchive());
        refused(Arrays.copyOf(bzip2, bzip2.length - 20), "invalid bzip2 data: ");
        byte[] xz = TestImage.xz(IMAGE.dockerArchive());
        xz[xz.length / 2] ^= 1;
        refused(xz, "invalid xz data: ");
        byte[] gzip = TestImage.gzip(IMAGE.dockerArchive());
        gzip[gzip.length - 5] ^= 1;
        refused(gzip, "invalid gzip data: wrong checksum");
    }

    @Test
    void aDockerArchiveOfTheSameImageAlwaysGivesTheSameManifest() throws Exception {
        load(IMAGE.dockerArchive());
        var first = images.find("app:1").manifestDigest();
        images.remove("app:1", false, ImageUsers.NONE);
        load(IMAGE.dockerArchive());
        assertThat(images.find("app:1").manifestDigest()).isEqualTo(first);
    }

    @Test
    void layersThatAreLinksToOtherLayersAreFound() throws Exception {
        String config = new String(TestImage.of("x:1", BASE, BASE).config(), StandardCharsets.UTF_8);
        byte[] archive = table("[{\"Config\":\"c.json\",\"RepoTags\":null,"
                + "\"Layers\":[\"one/layer.tar\",\"two/layer.tar\"]}]",
                TestTar.file("one/layer.tar", BASE), TestTar.symlink("two/layer.tar", "../one/layer.tar"),
                TestTar.file("c.json", config));
        assertThat(load(archive)).extracting(Loaded::name).containsExactly(Optional.empty());
    }

    @Test
    void anArchiveInBothFormsIsReadAsOci() throws Exception {
        var both = new TestTar().raw(withoutEnd(IMAGE.ociArchive()))
                .add(TestTar.file("manifest.json", "[{\"Config\":\"nothing\"}]")).bytes();
        assertThat(load(both)).extracting(Loaded::id).containsExactly(IMAGE.id());
    }

    private static byte[] withoutEnd(byte[] tar) {
        return Arrays.copyOf(tar, tar.length - 1024);
    }

    @Test
    void knownLayersAreNotReadAgain() throws Exception {
        load(IMAGE.ociArchive());
        var lines = new ArrayList<String>();
        images.load(new ByteArrayInputStream(IMAGE.ociArchive()), new LoadProgress() {
            @Override
            public void layer(String name, long doneBytes, long totalBytes) {
                lines.add(name.length() + " " + (doneBytes == totalBytes));
            }

            @Override
            public void renamed(Reference name, Digest oldId) {
                lines.add("renamed");
            }
        });
        assertThat(lines).containsExactly("12 true", "12 true");
    }

    @Test
    void aNameMovesToTheImageThatCameLast() throws Exception {
        load(IMAGE.dockerArchive());
        var heard = new ArrayList<String>();
        var other = TestImage.of("app:1", TOP);
        images.load(other.stream(), new LoadProgress() {
            @Override
            public void layer(String name, long doneBytes, long totalBytes) {}

            @Override
            public void renamed(Reference name, Digest oldId) {
                heard.add(name.familiar() + " " + oldId);
            }
        });
        assertThat(heard).containsExactly("app:1 " + IMAGE.id());
        assertThat(images.find("app:1").id()).isEqualTo(other.id());
        assertThat(images.find(IMAGE.id().hex()).tags()).isEmpty();
    }

    @Test
    void ofSeveralPlatformsThisMachinesIsTaken() throws Exception {
        byte[] own = IMAGE.ociArchive();
        var ownManifest = Descriptor.fromJson(index(own).objects("manifests").getFirst());
        var foreign = new Descriptor(MediaTypes.OCI_MANIFEST, Digest.sha256(new byte[1]), 1,
                Optional.of(Platform.of("linux", "s390x")), Map.of(), Optional.empty());
        var attestation = new Descriptor(MediaTypes.OCI_MANIFEST, Digest.sha256(new byte[2]), 1,
                Optional.of(Platform.of("unknown", "unknown")),
                Map.of("vnd.docker.reference.type", "attestation-manifest"),
                Optional.empty());
        byte[] nested = Index.of(List.of(foreign, attestation, new Descriptor(MediaTypes.OCI_MANIFEST,
                ownManifest.digest(), ownManifest.size(), Optional.of(Platform.host()), Map.of(), Optional.empty())))
                .toJson().printBytes();
        byte[] top = Index.of(List.of(Descriptor.of(MediaTypes.OCI_INDEX, nested)
                .withAnnotations(Map.of("org.opencontainers.image.ref.name", "localhost/multi:2"))))
                .toJson().printBytes();
        byte[] archive = new TestTar().raw(withoutEnd(own)).add(TestImage.blob(nested))
                .add(TestTar.file("index.json", top)).bytes();
        assertThat(load(archive)).containsExactly(
                new Loaded(Optional.of(Reference.parse("localhost/multi:2")), IMAGE.id()));
    }

    @Test
    void onlyTheImagesOfAPlatformAreTakenWhenOneIsSaid() throws Exception {
        assertThatThrownBy(() -> images.load(IMAGE.stream(), Optional.of(Platform.of("linux", "s390x")), LoadProgress.SILENT))
                .isInstanceOf(EngineException.NotFound.class)
                .hasMessage("requested platform (linux/s390x) not found: the archive has " + Platform.host());
        assertThat(images.list()).isEmpty();
        assertThat(images.load(IMAGE.stream(), Optional.of(Platform.host()), LoadProgress.SILENT)).hasSize(1);
    }

    private static Json.Obj index(byte[] archive) throws Exception {
        var reader = new TarReader(new ByteArrayInputStream(archive));
        for (var entry = reader.next(); entry != null; entry = reader.next()) {
            if (entry.name().equals("index.json")) {
                return Json.parseObject(reader.data().readAllBytes());
            }
        }
        throw new AssertionError("no index.json");
    }

    @Test
    void whatIsNoImageArchiveIsRefusedInOneSentence() throws Exception {
        refused(new byte[0], "not an image archive");
        refused("hello".getBytes(StandardCharsets.UTF_8), "unexpected EOF");
        refused("<html>".repeat(1000).getBytes(StandardCharsets.UTF_8), "invalid tar header");
        refused(new TestTar().add(TestTar.file("README", "x")).bytes(), "not an image archive");
        refused(BASE, "not an image archive");
        refused(Arrays.copyOf(IMAGE.dockerArchive(), 3000), "unexpected EOF");
        refused(Arrays.copyOf(TestImage.gzip(IMAGE.dockerArchive()), 300), "unexpected EOF");
    }

    @Test
    void incompleteOrContradictingDocumentsAreRefused() throws Exception {
        String config = new String(IMAGE.config(), StandardCharsets.UTF_8);
        var configFile = TestTar.file("c.json", config);
        refused(table("{}"), "must be an array");
        refused(table("[1]"), "must be an array of objects");
        refused(table("[{}"), "not valid JSON");
        refused(table("[{\"Config\":\"c.json\"}]"), "\"c.json\" is missing");
        refused(table("[{\"Config\":\"../../../etc/passwd\"}]"), "is missing");
        refused(table("[{\"Config\":\"c.json\",\"Layers\":[\"a\"]}]", configFile), "layers length mismatch");
        refused(table("[{\"Config\":\"c.json\",\"Layers\":[\"a\",\"b\"]}]", configFile), "\"a\" is missing");
        refused(table("[{\"Config\":\"c.json\",\"Layers\":[\"a\",\"b\"]}]", configFile, TestTar.file("a", TOP),
                TestTar.file("b", BASE)), "invalid diffID for layer 0: expected \"" + Digest.sha256(BASE)
                + "\", got \"" + Digest.sha256(TOP) + "\"");
        refused(table("[{\"Config\":\"c.json\",\"RepoTags\":[\"Not a name\"],\"Layers\":[\"a\",\"b\"]}]", configFile,
                TestTar.file("a", BASE), TestTar.file("b", TOP)), "invalid reference format");
        refused(table("[{\"Config\":\"c.json\",\"RepoTags\":[\"untagged\"],\"Layers\":[\"a\",\"b\"]}]", configFile,
                TestTar.file("a", BASE), TestTar.file("b", TOP)), "invalid tag");
    }

    @Test
    void oneBadLayerRefusesTheWholeArchive() throws Exception {
        byte[] evil = new TestTar().add(TestTar.file("../x", "e")).bytes();
        refused(TestImage.dockerArchive(List.of(IMAGE, TestImage.of("evil:1", evil))), "outside of the layer");
    }

    @Test
    void ociBlobsAreVerified() throws Exception {
        byte[] archive = IMAGE.ociArchive();
        String text = new String(archive, StandardCharsets.ISO_8859_1);
        int at = text.indexOf("\"rootfs\"");
        archive[at + 1] = 'R';
        refused(archive, "unexpected digest: expected " + IMAGE.id());
        refused(new TestTar().add(TestTar.file("oci-layout", "{}"))
                .add(TestTar.file("index.json", "{\"schemaVersion\":2,\"manifests\":[]}")).bytes(),
                "archive holds no container image");
    }

    @Test
    void aSourceThatBreaksOffIsNotTheArchivesFault() {
        var broken = new InputStream() {
            private final byte[] archive = IMAGE.dockerArchive();
            private int at;

            @Override
            public int read() throws IOException {
                if (at == 2000) {
                    throw new IOException("connection reset by peer");
                }
                return archive[at++] & 0xFF;
            }
        };
        assertThatThrownBy(() -> images.load(broken, LoadProgress.SILENT))
                .isInstanceOf(EngineException.Unavailable.class).hasMessage("load image: connection reset by peer");
    }

    @Test
    void anyDamageIsLoadedWholeOrRefused() throws Exception {
        long seed = Long.getLong("seed", 1L);
        var random = new Random(seed);
        for (int i = 0; i < 150; i++) {
            byte[] archive = i % 2 == 0 ? IMAGE.dockerArchive() : IMAGE.ociArchive();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                archive[random.nextInt(archive.length)] = (byte) random.nextInt(256);
            }
            try {
                load(archive);
                for (var image : images.list()) {
                    assertThat(image.config().diffIds()).as("seed %d", seed)
                            .containsExactly(Digest.sha256(BASE), Digest.sha256(TOP));
                }
            } catch (EngineException.Invalid e) {
                assertThat(e.getMessage()).isNotBlank();
            }
            for (var image : images.list()) {
                images.remove(image.id().toString(), true, ImageUsers.NONE);
            }
        }
    }
}
