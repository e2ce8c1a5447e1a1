package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.image.ImageUsers.ImageUser;
import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.History;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import carafe.spec.oci.RunConfig;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Names that mean an image for each of several platforms: they come, stay, leave and go together.
class SharedNameTest {

    private static final Platform FOREIGN = Platform.of("linux", "s390x");
    private static final String NAME = "docker.io/library/many:1";

    @TempDir
    private Path root;
    private Images images;

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root.resolve("one"));
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    /// Two images under `names`, this machine's last; their ids, this machine's first.
    private List<Digest> take(String text, Reference... names) throws Exception {
        var made = new ArrayList<Intake.Made>();
        var entries = new ArrayList<Descriptor>();
        try (var intake = images.intake()) {
            for (var platform : List.of(FOREIGN, Platform.host())) {
                var layer = intake.layer(new ByteArrayInputStream(
                        new TestTar().add(TestTar.file("f", text + platform)).bytes()));
                byte[] config = new ImageConfig(platform, Optional.empty(), "", "", "", RunConfig.EMPTY,
                        List.of(layer.diffId()), List.of(new History(Optional.empty(), "COPY", "", "", false)))
                        .toJson().printBytes();
                byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config), List.of(layer.blob()))
                        .toJson().printBytes();
                made.add(new Intake.Made(config, manifest));
                var bare = Descriptor.of(MediaTypes.OCI_MANIFEST, manifest);
                entries.add(new Descriptor(bare.mediaType(), bare.digest(), bare.size(), Optional.of(platform), Map.of(),
                        Optional.empty()));
            }
            assertThat(intake.commit(made, List.of(names), Optional.of(Index.of(entries).toJson().printBytes()))).isEmpty();
        }
        return List.of(Digest.sha256(made.getLast().config()), Digest.sha256(made.getFirst().config()));
    }

    private List<Digest> take() throws Exception {
        return take("", Reference.parse(NAME));
    }

    private List<Digest> here() throws Exception {
        return images.list().stream().map(Image::id).toList();
    }

    private byte[] save(Optional<Platform> platform, String... names) throws Exception {
        var out = new ByteArrayOutputStream();
        try (var archive = images.save(List.of(names), platform)) {
            archive.write(out);
        }
        return out.toByteArray();
    }

    @Test
    void aNameMeansThePlatformsImageAndIsShownByThisMachines() throws Exception {
        var ids = take();
        assertThat(images.find("many:1").id()).isEqualTo(ids.getFirst());
        assertThat(images.find("many:1", FOREIGN).id()).isEqualTo(ids.getLast());
        assertThat(images.together(ids.getLast())).containsExactlyInAnyOrderElementsOf(ids);
        assertThat(images.isShown(Reference.parse(NAME), ids.getFirst())).isTrue();
        assertThat(images.isShown(Reference.parse(NAME), ids.getLast())).isFalse();
        try (var outgoing = images.outgoing("many:1")) {
            assertThat(outgoing.images()).extracting(each -> each.image().id()).containsExactlyElementsOf(ids);
            var index = outgoing.index().orElseThrow().over(List.of());
            assertThat(Index.parse(index).manifests()).isEmpty();
        }
    }

    @Test
    void aFurtherNameMeansTheSameAndTheIndexsDigestDoesToo() throws Exception {
        var ids = take();
        images.tag("many:1", Reference.parse("other:2"));
        assertThat(images.find("other:2", FOREIGN).id()).isEqualTo(ids.getLast());
        images.tag(ids.getFirst().toString(), Reference.parse("alone:1"));
        assertThatThrownBy(() -> images.find("alone:1", FOREIGN)).isInstanceOf(EngineException.NotFound.class);
        String digest = images.index().indexOf(Reference.parse(NAME)).orElseThrow().toString();
        assertThat(images.find(digest).id()).isEqualTo(ids.getFirst());
        assertThat(images.find(digest, FOREIGN).id()).isEqualTo(ids.getLast());
        images.tag(digest, Reference.parse("third:1"));
        assertThat(images.find("third:1", FOREIGN).id()).isEqualTo(ids.getLast());
    }

    @Test
    void anIdMeansItsImageOnItsOwnPlatformOnly() throws Exception {
        var ids = take();
        for (String id : List.of(ids.getLast().toString(), ids.getLast().hex(), ids.getLast().hex().substring(0, 12))) {
            assertThat(images.find(id, FOREIGN).id()).isEqualTo(ids.getLast());
            assertThatThrownBy(() -> images.find(id, Platform.host())).isInstanceOf(EngineException.NotFound.class)
                    .hasMessage("image with reference " + id + " was found but does not match the specified platform: wanted "
                            + Platform.host() + ", actual: " + FOREIGN);
        }
        assertThatThrownBy(() -> images.find("many:1", Platform.of("linux", "riscv64")))
                .hasMessageEndingWith("wanted linux/riscv64, actual: " + Platform.host() + ", " + FOREIGN);
        assertThatThrownBy(() -> save(Optional.of(FOREIGN), ids.getFirst().toString()))
                .isInstanceOf(EngineException.NotFound.class);
    }

    @Test
    void collectionKeepsAllOfANameAndFreesAllWithIt() throws Exception {
        take();
        images.tag("many:1", Reference.parse("other:2"));
        images.collectGarbage();
        assertThat(images.remove("many:1", false, ImageUsers.NONE)).hasSize(1);
        images.close();
        open();
        images.collectGarbage();
        assertThat(images.find("other:2", FOREIGN).size()).isPositive();
        images.remove("other:2", false, ImageUsers.NONE);
        images.awaitDeletion();
        assertThat(here()).isEmpty();
        assertThat(images.layerUses()).isEmpty();
    }

    @Test
    void aNameGoesWithItsOtherPlatformsThoughOneStaysByAnotherName() throws Exception {
        var ids = take();
        images.tag(ids.getFirst().toString(), Reference.parse("alone:1"));
        images.remove("many:1", false, ImageUsers.NONE);
        assertThat(here()).containsExactly(ids.getFirst());
    }

    @Test
    void byIdTheShownOneTakesAllAndAnotherGoesAlone() throws Exception {
        var ids = take();
        images.remove(ids.getLast().toString(), false, ImageUsers.NONE);
        assertThat(here()).containsExactly(ids.getFirst());
        assertThat(images.find("many:1").tags()).hasSize(1);
        take();
        images.remove(ids.getFirst().toString(), false, ImageUsers.NONE);
        assertThat(here()).isEmpty();
        take();
        images.remove(images.index().indexOf(Reference.parse(NAME)).orElseThrow().toString(), false, ImageUsers.NONE);
        assertThat(here()).isEmpty();
    }

    @Test
    void whatAContainerUsesStaysWithoutTheName() throws Exception {
        var ids = take();
        ImageUsers users = id -> id.equals(ids.getLast()) ? List.of(new ImageUser("c", false)) : List.of();
        images.remove("many:1", false, users);
        assertThat(here()).containsExactly(ids.getLast());
    }

    @Test
    void anArchiveHoldsAllWithTheirIndexAndLoadsAsTheSame() throws Exception {
        var ids = take();
        images.tag("many:1", Reference.parse("other:2"));
        byte[] archive = save(Optional.empty(), "many:1", "other:2");
        byte[] own = save(Optional.of(FOREIGN), "many:1");
        try (var second = Images.open(root.resolve("two"))) {
            var loaded = second.load(new ByteArrayInputStream(archive), LoadProgress.SILENT);
            assertThat(loaded).containsExactly(new Loaded(Optional.of(Reference.parse(NAME)), ids.getFirst()),
                    new Loaded(Optional.of(Reference.parse("docker.io/library/other:2")), ids.getFirst()));
            assertThat(second.find("other:2", FOREIGN).id()).isEqualTo(ids.getLast());
            assertThat(second.index().indexOf(Reference.parse(NAME))).isEqualTo(
                    images.index().indexOf(Reference.parse(NAME)));
            var out = new ByteArrayOutputStream();
            try (var again = second.save(List.of("many:1", "other:2"), Optional.empty())) {
                again.write(out);
            }
            assertThat(out.toByteArray()).isEqualTo(archive);
        }
        try (var third = Images.open(root.resolve("three"))) {
            third.load(new ByteArrayInputStream(own), LoadProgress.SILENT);
            assertThat(third.list()).extracting(Image::id).containsExactly(ids.getLast());
        }
    }

    @Test
    void ofAnArchiveThePlatformAskedForIsTaken() throws Exception {
        var ids = take();
        byte[] archive = save(Optional.empty(), "many:1");
        try (var second = Images.open(root.resolve("two"))) {
            second.load(new ByteArrayInputStream(archive), Optional.of(FOREIGN), LoadProgress.SILENT);
            assertThat(second.list()).extracting(Image::id).containsExactly(ids.getLast());
        }
    }

    @Test
    void aFaultOfAnotherPlatformsImageKeepsNobodyFromThisMachines() throws Exception {
        var own = TestPlatform.of(Platform.host(), Optional.empty(), "own");
        var sound = TestPlatform.of(FOREIGN, Optional.empty(), "foreign");
        var broken = new TestPlatform(FOREIGN, Optional.empty(), sound.layer(), own.diffId());
        images.load(new ByteArrayInputStream(TestPlatform.archive(NAME, List.of(List.of(broken, own)))), LoadProgress.SILENT);
        assertThat(here()).containsExactly(own.id());
        images.load(new ByteArrayInputStream(TestPlatform.archive(NAME, List.of(List.of(sound, own)))), LoadProgress.SILENT);
        assertThat(here()).containsExactlyInAnyOrder(sound.id(), own.id());
        var brokenOwn = new TestPlatform(Platform.host(), Optional.empty(), own.layer(), sound.diffId());
        byte[] archive = TestPlatform.archive(NAME, List.of(List.of(sound, brokenOwn)));
        assertThatThrownBy(() -> images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT))
                .isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void ofIndexesWithOneNameTheOneForThisMachineHasIt() throws Exception {
        var own = List.of(TestPlatform.of(Platform.host(), Optional.empty(), "own"));
        var foreign = List.of(TestPlatform.of(FOREIGN, Optional.empty(), "foreign"));
        for (var both : List.of(List.of(foreign, own), List.of(own, foreign))) {
            byte[] archive = TestPlatform.archive(NAME, both);
            assertThat(images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT))
                    .containsExactly(new Loaded(Optional.of(Reference.parse(NAME)), own.getFirst().id()));
            assertThat(here()).containsExactly(own.getFirst().id());
        }
    }

    /// An index may list several manifests for a platform, not all of them here.
    @Test
    void anEntryIsForTheImageWithItsManifestBeforeOneForItsPlatform() throws Exception {
        take();
        try (var outgoing = images.outgoing("many:1")) {
            var image = outgoing.images().getFirst().image();
            var now = Descriptor.of(MediaTypes.OCI_MANIFEST, image.manifestDigest(), 7);
            var other = new Descriptor(MediaTypes.OCI_MANIFEST, Digest.sha256(new byte[1]), 1,
                    Optional.of(Platform.host()), Map.of("of", "other"), Optional.empty());
            var own = new Descriptor(MediaTypes.OCI_MANIFEST, now.digest(), 7, Optional.of(Platform.host()),
                    Map.of("of", "own"), Optional.empty());
            var kept = SharedIndex.of(Index.of(List.of(other, own)).toJson().printBytes());
            assertThat(Index.parse(kept.over(List.of(new SharedIndex.Part(image, now)))).manifests())
                    .containsExactly(own);
        }
    }

    @Test
    void whatTookTheNameIsTold() throws Exception {
        var ids = take();
        byte[] archive = save(Optional.empty(), "many:1");
        images.remove("many:1", false, ImageUsers.NONE);
        var older = take("older ", Reference.parse(NAME));
        var told = new ArrayList<String>();
        images.load(new ByteArrayInputStream(archive), new LoadProgress() {
            @Override
            public void layer(String name, long doneBytes, long totalBytes) {
                // names only
            }

            @Override
            public void renamed(Reference name, Digest oldId) {
                told.add(name.familiar() + " " + oldId);
            }
        });
        assertThat(told).containsExactly("many:1 " + older.getFirst());
        assertThat(images.find("many:1", FOREIGN).id()).isEqualTo(ids.getLast());
    }
}
