package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Errno;
import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.RootfsPlan;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotsTest {

    private static final byte[] BASE = new TestTar().add(TestTar.file("base", "b")).bytes();
    private static final byte[] TOP = new TestTar().add(TestTar.file("top", "t")).bytes();

    @TempDir
    private Path root;
    private Images images;
    private Snapshots snapshots;

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root);
        images.load(TestImage.of("app:1", BASE, TOP).stream(), LoadProgress.SILENT);
        snapshots = images.snapshots();
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    @Test
    void lowersAreTopmostFirst() throws Exception {
        var plan = snapshots.prepare("c1", images.find("app:1"));
        assertThat(plan.lowers()).containsExactly(images.lower(Digest.sha256(TOP)),
                images.lower(Digest.sha256(BASE)), root.resolve("snapshots/.init"));
        assertThat(Files.getAttribute(plan.upper(), "unix:mode")).isEqualTo(040755);
        assertThat(plan.work()).isEmptyDirectory();
        assertThat(snapshots.list()).containsExactly("c1");
    }

    @Test
    void aLayerThatAnImageHasTwiceIsThereOnceWhereItIsTopmost() throws Exception {
        images.load(TestImage.of("twice:1", BASE, TOP, BASE).stream(), LoadProgress.SILENT);
        assertThat(snapshots.prepare("c1", images.find("twice:1")).lowers()).containsExactly(
                images.lower(Digest.sha256(BASE)), images.lower(Digest.sha256(TOP)), root.resolve("snapshots/.init"));
        try (var files = snapshots.files(images.find("twice:1"))) {
            var out = new ByteArrayOutputStream();
            files.write(out);
            assertThat(out.toString(StandardCharsets.ISO_8859_1)).containsOnlyOnce("base").contains("top");
        }
    }

    @Test
    void preparingAgainKeepsWhatTheContainerWrote() throws Exception {
        var plan = snapshots.prepare("c1", images.find("app:1"));
        Files.writeString(plan.upper().resolve("mine"), "12345");
        assertThat(snapshots.prepare("c1", images.find("app:1"))).isEqualTo(plan);
        assertThat(plan.upper().resolve("mine")).hasContent("12345");
        assertThat(snapshots.writableBytes("c1")).isEqualTo(5);
        assertThat(snapshots.writableBytes("c2")).isZero();
    }

    @Test
    void aHardLinkedFileCountsOnce() throws Exception {
        var upper = snapshots.prepare("c1", images.find("app:1")).upper();
        Files.writeString(Files.createDirectories(upper.resolve("a/b")).resolve("f"), "12345");
        Files.createLink(upper.resolve("g"), upper.resolve("a/b/f"));
        Files.createSymbolicLink(upper.resolve("s"), Path.of("g"));
        assertThat(snapshots.writableBytes("c1")).isEqualTo(5);
    }

    @Test
    void removedIsGoneAtOnceAndFreedLater() throws Exception {
        var plan = snapshots.prepare("c1", images.find("app:1"));
        Files.writeString(plan.upper().resolve("mine"), "x");
        snapshots.remove("c1");
        assertThat(plan.upper()).doesNotExist();
        snapshots.remove("c1");
        assertThat(snapshots.find("c1")).isEmpty();
        images.awaitDeletion();
        assertThat(root.resolve("snapshots/.tmp")).isEmptyDirectory();
        assertThat(root.resolve("snapshots/.unwritten")).isEmptyDirectory();
    }

    /// As an overlay that was mounted leaves it.
    private RootfsPlan.Overlay used(String id, String image) throws Exception {
        var plan = snapshots.prepare(id, images.find(image));
        Files.createDirectory(plan.work().resolve("work"));
        return plan;
    }

    private Object inode(String path) throws IOException {
        return Files.getAttribute(root.resolve("snapshots").resolve(path), "unix:ino");
    }

    private void remove(String id) throws Exception {
        snapshots.remove(id);
        images.awaitDeletion();
    }

    @Test
    void directoriesInWhichNobodyWroteAreUsedAgainButNoneThatItsOverlayHas() throws Exception {
        var plan = used("c1", "app:1");
        Files.setPosixFilePermissions(plan.upper(), PosixFilePermissions.fromString("rwx------"));
        Files.writeString(plan.work().resolve("work/#1"), "x"); // of a crash while a file was copied up
        Files.createDirectories(plan.work().resolve("work/incompat/volatile")); // of run --rm
        var before = List.of(inode("c1"), inode("c1/work"), inode("c1/layers"));
        try (var upper = FileTree.open(plan.upper()); var work = FileTree.open(plan.work().resolve("work"))) {
            remove("c1");
            assertThat(snapshots.list()).isEmpty();
            var next = snapshots.prepare("c2", images.find("app:1"));
            assertThat(List.of(inode("c2"), inode("c2/work"), inode("c2/layers"))).isEqualTo(before);
            assertThat(next.lowers()).isEqualTo(plan.lowers());
            assertThat(snapshots.find("c2")).contains(next);
            assertThat(Files.getAttribute(next.upper(), "unix:mode")).isEqualTo(040755);
            assertThat(next.upper()).isEmptyDirectory();
            assertThat(next.work()).isEmptyDirectory();
            for (var old : List.of(upper, work)) { // for who still holds the old root
                assertThatThrownBy(() -> old.writeFile("f", new byte[1], 0600, 0, 0)).isInstanceOfSatisfying(
                        KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
            }
        }
        assertThat(root.resolve("snapshots/.unwritten")).isEmptyDirectory();
        assertThat(snapshots.prepare("c3", images.find("app:1")).upper()).isEmptyDirectory();
    }

    @Test
    void directoriesWithAnythingInThemAreNotUsedAgain() throws Exception {
        Files.writeString(used("c1", "app:1").upper().resolve("mine"), "x");
        Files.createDirectory(used("c2", "app:1").work().resolve("index"));
        Files.delete(used("c3", "app:1").work().resolveSibling("layers"));
        Files.writeString(used("c4", "app:1").work().resolveSibling("layers"), "");
        for (String id : List.of("c1", "c2", "c3", "c4")) {
            remove(id);
            assertThat(root.resolve("snapshots/.unwritten")).isEmptyDirectory();
        }
    }

    @Test
    void whereTheKeptOneIsGoneAnotherIsMade() throws Exception {
        used("c1", "app:1");
        remove("c1");
        try (var tree = FileTree.open(root.resolve("snapshots/.unwritten"))) {
            for (var kept : tree.list("/")) {
                tree.deleteTree(kept.name());
            }
        }
        var next = snapshots.prepare("c2", images.find("app:1"));
        assertThat(snapshots.find("c2")).contains(next);
        assertThat(next.upper()).isEmptyDirectory();
    }

    @Test
    void onlyOneOnTopOfTheSameLayersUsesThemAgain() throws Exception {
        images.load(TestImage.of("other:1", BASE).stream(), LoadProgress.SILENT);
        snapshots.prepare("c1", images.find("app:1")); // never mounted
        var before = inode("c1");
        remove("c1");
        assertThat(snapshots.prepare("c2", images.find("other:1")).lowers()).hasSize(2);
        assertThat(snapshots.prepareView("c3", images.find("app:1")).lowers()).hasSize(2);
        assertThat(snapshots.prepare("c4", images.find("app:1"), place -> Files.exists(place)).lowers()).hasSize(3);
        assertThat(root.resolve("snapshots/.unwritten")).isNotEmptyDirectory();
        snapshots.prepare("c5", images.find("app:1"));
        assertThat(inode("c5")).isEqualTo(before);
    }

    @Test
    void someAreKeptWhileTheEngineRuns() throws Exception {
        for (int i = 0; i < 40; i++) {
            used("c" + i, "app:1");
        }
        for (int i = 0; i < 40; i++) {
            snapshots.remove("c" + i);
        }
        images.awaitDeletion();
        try (var kept = Files.list(root.resolve("snapshots/.unwritten"))) {
            assertThat(kept).hasSize(32);
        }
        images.close();
        images = Images.open(root);
        images.awaitDeletion();
        assertThat(root.resolve("snapshots/.unwritten")).isEmptyDirectory();
    }

    @Test
    void anImagesFilesAreReadyBeforeTheyAreWrittenAndNothingIsLeftOfThat() throws Exception {
        var image = images.find("app:1");
        try (var files = snapshots.files(image)) {
            assertThat(snapshots.list()).singleElement().asString().startsWith("view-");
            images.remove("app:1", false, ImageUsers.NONE);
            var out = new ByteArrayOutputStream();
            files.write(out);
            assertThat(out.toString(StandardCharsets.ISO_8859_1)).contains("base", "top");
        }
        assertThat(snapshots.list()).isEmpty();
        images.collectGarbage();
        assertThatThrownBy(() -> snapshots.files(image)).isInstanceOf(EngineException.NotFound.class);
        assertThat(snapshots.list()).isEmpty();
    }

    @Test
    void anImageWithoutLayersStillHasARoot() throws Exception {
        images.load(TestImage.of("scratch:1").stream(), LoadProgress.SILENT);
        var plan = snapshots.prepareView("c1", images.find("scratch:1"));
        assertThat(plan.lowers()).singleElement().satisfies(lower -> assertThat(lower).isEmptyDirectory());
        assertThat(snapshots.find("c1")).contains(plan);
    }

    @Test
    void theLowestLayerOfAContainerHasWhatEnginesMountOn() throws Exception {
        var plan = snapshots.prepare("c1", images.find("app:1"));
        assertThat(snapshots.find("c1")).contains(plan);
        Path init = plan.lowers().getLast();
        try (var found = Files.walk(init)) {
            assertThat(found.map(path -> init.relativize(path).toString())).containsExactlyInAnyOrder(
                    "", ".dockerenv", "dev", "etc", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "sys");
        }
        assertThat(snapshots.prepareView("v1", images.find("app:1")).lowers()).doesNotContain(init);
        assertThat(snapshots.prepare("s1", images.find("app:1").config().diffIds()).lowers()).doesNotContain(init);
    }

    @Test
    void whatAPowerCutLeftWithoutItsListIsMadeAgain() throws Exception {
        var plan = snapshots.prepare("c1", images.find("app:1"));
        Files.delete(root.resolve("snapshots/c1/layers"));
        assertThat(snapshots.find("c1")).isEmpty();
        assertThat(snapshots.prepare("c1", images.find("app:1"))).isEqualTo(plan);
    }

    @Test
    void anEmptyListIsNoneAndWhatWasWrittenStays() throws Exception {
        var plan = snapshots.prepare("c1", images.find("app:1"));
        Path list = root.resolve("snapshots/c1/layers");
        Files.writeString(list, "");
        assertThat(snapshots.find("c1")).isEmpty();
        assertThat(snapshots.prepare("c1", images.find("app:1"))).isEqualTo(plan);
        Files.writeString(plan.upper().resolve("mine"), "12345");
        Files.writeString(list, "");
        assertThat(snapshots.prepare("c1", images.find("app:1"))).isEqualTo(plan);
        assertThat(plan.upper().resolve("mine")).hasContent("12345");
        assertThat(snapshots.find("c1")).contains(plan);
    }

    @Test
    void anImageThatIsGoneCannotBePrepared() throws Exception {
        var image = images.find("app:1");
        images.remove("app:1", false, ImageUsers.NONE);
        assertThatThrownBy(() -> snapshots.prepare("c1", image)).isInstanceOf(EngineException.NotFound.class)
                .hasMessage("No such image: " + image.id());
        assertThat(snapshots.list()).isEmpty();
    }

    @Test
    void idsThatArePathsAreRefused() throws Exception {
        var image = images.find("app:1");
        for (String id : List.of("", ".", "..", ".tmp", "a/b", "../x", "a\0b", "x".repeat(256))) {
            assertThatThrownBy(() -> snapshots.prepare(id, image)).isInstanceOf(EngineException.Invalid.class);
            assertThatThrownBy(() -> snapshots.remove(id)).isInstanceOf(EngineException.Invalid.class);
        }
    }
}
