package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.image.ImageUsers.ImageUser;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageRemovalTest {

    private static final byte[] BASE = new TestTar().add(TestTar.file("base", "b")).bytes();
    private static final byte[] TOP = new TestTar().add(TestTar.file("top", "t")).bytes();
    private static final TestImage IMAGE = TestImage.of("app:1", BASE, TOP);
    private static final String ID = IMAGE.id().shortHex();
    private static final String CONTAINER = "c0ffee".repeat(10) + "c0ff";
    private static final ImageUsers STOPPED = id -> id.equals(IMAGE.id())
            ? List.of(new ImageUser(CONTAINER, false)) : List.of();
    private static final ImageUsers RUNNING = id -> id.equals(IMAGE.id())
            ? List.of(new ImageUser(CONTAINER, true)) : List.of();

    @TempDir
    private Path root;
    private Images images;

    @BeforeEach
    void load() throws Exception {
        images = Images.open(root);
        images.load(IMAGE.stream(), LoadProgress.SILENT);
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    private long layersLeft() throws Exception {
        try (var files = Files.list(root.resolve("layers"))) {
            return files.filter(file -> file.getFileName().toString().length() == 64).count();
        }
    }

    private void conflict(String name, boolean force, ImageUsers users, String message) {
        assertThatThrownBy(() -> images.remove(name, force, users)).isInstanceOf(EngineException.Conflict.class)
                .hasMessage(message);
    }

    @Test
    void theLastNameTakesTheImageAndItsLayers() throws Exception {
        var base = Digest.sha256(BASE);
        var chain = Digest.sha256((base + " " + Digest.sha256(TOP)).getBytes(StandardCharsets.US_ASCII));
        assertThat(images.remove("app:1", false, ImageUsers.NONE)).containsExactly(
                new Removal.Untagged("app:1", IMAGE.id()), new Removal.Deleted(IMAGE.id()),
                new Removal.LayerDeleted(chain), new Removal.LayerDeleted(base));
        assertThat(layersLeft()).isZero();
        assertThatThrownBy(() -> images.find("app:1")).hasMessage("No such image: app:1");
        assertThat(images.list()).isEmpty();
    }

    /// Whoever asks for a removal does not wait for the disk: the answer comes while the layers' bytes are all still there.
    @Test
    void theAnswerComesBeforeTheLayersAreFreed() throws Exception {
        var held = new CountDownLatch(1);
        var trash = new Trash();
        Path other = root.resolve("held");
        try (var slow = Images.open(other, LayerBounds.DEFAULT, CommitSteps.REAL, trash)) {
            slow.load(IMAGE.stream(), LoadProgress.SILENT);
            slow.awaitDeletion();
            long bytes = bytesBelow(other.resolve("layers"));
            trash.afterwards(() -> awaitRelease(held));
            assertThat(slow.remove("app:1", false, ImageUsers.NONE)).hasSize(4);
            assertThat(slow.list()).isEmpty();
            assertThatThrownBy(() -> slow.find("app:1")).hasMessage("No such image: app:1");
            assertThat(bytesBelow(other.resolve("layers/tmp"))).isEqualTo(bytes).isPositive();
            slow.load(IMAGE.stream(), LoadProgress.SILENT); // nor does who wants the same layers again
            assertThat(slow.find("app:1").id()).isEqualTo(IMAGE.id());

            held.countDown();
            slow.awaitDeletion();
            assertThat(bytesBelow(other.resolve("layers/tmp"))).isZero();
            assertThat(bytesBelow(other.resolve("layers"))).isEqualTo(bytes);
        } finally {
            held.countDown();
        }
    }

    private static void awaitRelease(CountDownLatch held) {
        try {
            held.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static long bytesBelow(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
        }
    }

    @Test
    void layersOfOtherImagesStay() throws Exception {
        images.load(TestImage.of("other:1", BASE).stream(), LoadProgress.SILENT);
        assertThat(images.remove("app:1", false, ImageUsers.NONE)).hasSize(3);
        assertThat(layersLeft()).isEqualTo(1);
        assertThat(images.find("other:1").size()).isEqualTo(1);
    }

    @Test
    void oneOfSeveralNamesIsOnlyUntagged() throws Exception {
        images.tag("app:1", Reference.parse("app:2"));
        assertThat(images.remove("app:1", false, STOPPED))
                .containsExactly(new Removal.Untagged("app:1", IMAGE.id()));
        assertThat(images.find("app:2").id()).isEqualTo(IMAGE.id());
    }

    @Test
    void namesInUseAreRefusedUnlessForced() throws Exception {
        conflict("app:1", false, STOPPED, "conflict: unable to remove repository reference \"app:1\" (must force) - "
                + "container c0ffeec0ffee is using its referenced image " + ID);
        conflict("app:1", false, RUNNING, "conflict: unable to remove repository reference \"app:1\" (must force) - "
                + "container c0ffeec0ffee is using its referenced image " + ID);
        assertThat(images.remove("app:1", true, RUNNING)).containsExactly(new Removal.Untagged("app:1", IMAGE.id()));
        assertThat(images.byId(IMAGE.id()).orElseThrow().tags()).isEmpty();
    }

    @Test
    void idsInUseAreRefused() {
        conflict(ID, false, STOPPED, "conflict: unable to delete " + ID
                + " (must be forced) - image is being used by stopped container c0ffeec0ffee");
        conflict(ID, true, RUNNING, "conflict: unable to delete " + ID
                + " (cannot be forced) - image is being used by running container c0ffeec0ffee");
    }

    @Test
    void anIdWithSeveralRepositoriesNeedsForce() throws Exception {
        images.tag("app:1", Reference.parse("reg.example.com/app"));
        conflict(ID, false, ImageUsers.NONE, "conflict: unable to delete " + ID
                + " (must be forced) - image is referenced in multiple repositories");
        assertThat(images.remove(IMAGE.id().toString(), true, ImageUsers.NONE)).startsWith(
                new Removal.Untagged("app:1", IMAGE.id()),
                new Removal.Untagged("reg.example.com/app:latest", IMAGE.id()), new Removal.Deleted(IMAGE.id()));
    }

    @Test
    void aForcedRemovalKeepsTheLayersOfAContainer() throws Exception {
        var plan = images.snapshots().prepare(CONTAINER, images.find("app:1"));
        assertThat(images.remove("app:1", true, STOPPED)).hasSize(2);
        assertThat(layersLeft()).isEqualTo(2);
        assertThat(images.snapshots().find(CONTAINER)).contains(plan);
        images.snapshots().remove(CONTAINER);
        images.load(TestImage.of("other:1", TOP).stream(), LoadProgress.SILENT);
        images.remove("other:1", false, ImageUsers.NONE);
        assertThat(layersLeft()).isZero();
    }

    @Test
    void imagesAreFoundAsDockerFindsThem() throws Exception {
        for (String name : List.of("app:1", "docker.io/library/app:1", ID, IMAGE.id().hex(), IMAGE.id().toString(),
                "sha256:" + ID, IMAGE.id().hex().substring(0, 3))) {
            assertThat(images.find(name).id()).as(name).isEqualTo(IMAGE.id());
        }
        assertThatThrownBy(() -> images.find("f".repeat(64))).hasMessage("No such image: sha256:" + "f".repeat(64));
        assertThatThrownBy(() -> images.find("app")).hasMessage("No such image: app:latest");
        assertThatThrownBy(() -> images.find("app@sha256:" + "f".repeat(64)))
                .hasMessage("No such image: app@sha256:" + "f".repeat(64));
    }

    @Test
    void tagsAreCheckedAsDockerChecksThem() throws Exception {
        assertThatThrownBy(() -> images.tag("nothing", Reference.parse("x")))
                .hasMessage("No such image: nothing:latest");
        assertThatThrownBy(() -> images.tag("app:1", Reference.parse("sha256:x")))
                .hasMessage("refusing to create an ambiguous tag using digest algorithm as name");
        assertThatThrownBy(() -> images.tag("app:1", Reference.parse("x@sha256:" + "f".repeat(64))))
                .hasMessage("refusing to create a tag with a digest reference");
        assertThat(images.tag(ID, Reference.parse("app"))).isEqualTo(IMAGE.id());
        assertThat(images.find(ID).tags()).extracting(Reference::familiar)
                .containsExactly("app:1", "app:latest");
    }

    @Test
    void historyIsNewestFirstWithSizesOfLayers() throws Exception {
        var history = images.history("app:1");
        assertThat(history).extracting(HistoryEntry::id)
                .containsExactly(IMAGE.id().toString(), "<missing>", "<missing>");
        assertThat(history).extracting(HistoryEntry::size).containsExactly(0L, 1L, 1L);
        assertThat(history.getFirst().tags()).containsExactly("app:1");
        assertThat(history.getLast().createdBy()).isEqualTo("COPY layer 0");
    }
}
