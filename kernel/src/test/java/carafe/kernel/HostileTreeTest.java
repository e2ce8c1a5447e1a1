package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Trees written by an attacker: nothing outside `root` may be read, written, made or removed. SECURITY R1.
@ExtendWith(NothingLeft.class)
class HostileTreeTest {

    private static final byte[] SECRET = "host's secret".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    Path place;

    private Path outside;
    private FileTree tree;

    @BeforeEach
    void openTree() throws Exception {
        outside = Files.createDirectories(place.resolve("outside"));
        Files.write(outside.resolve("secret"), SECRET);
        Files.createDirectory(place.resolve("root"));
        tree = FileTree.open(place.resolve("root"));
    }

    @AfterEach
    void nothingOutsideHasChanged() throws Exception {
        tree.close();
        try (var names = Files.list(outside)) {
            assertThat(names.map(path -> path.getFileName().toString())).containsExactly("secret");
        }
        assertThat(outside.resolve("secret")).hasBinaryContent(SECRET);
    }

    @Test
    void dotsAndAbsolutePathsEndAtTheRoot() throws Exception {
        for (String path : List.of("../outside/secret", "/../outside/secret", outside + "/secret",
                "a/../../outside/secret", "./.././../outside/secret")) {
            assertThat(tree.find(path)).as(path).isEmpty();
        }
        tree.mkdirs("/../../etc", 0755, 0, 0).close();
        tree.writeFile("/../etc/passwd", SECRET, 0644, 0, 0);
        assertThat(place.resolve("root/etc/passwd")).hasBinaryContent(SECRET);
    }

    @Test
    void symlinkParentsStayInside() throws Exception {
        Files.createSymbolicLink(place.resolve("root/abs"), outside);
        Files.createSymbolicLink(place.resolve("root/rel"), Path.of("../outside"));
        Files.createSymbolicLink(place.resolve("root/up"), Path.of("../../../../.."));
        for (String link : List.of("abs", "rel")) {
            assertThat(tree.find(link + "/secret")).isEmpty();
            assertThatThrownBy(() -> tree.writeFile(link + "/new", SECRET, 0644, 0, 0))
                    .isInstanceOf(KernelException.class);
            assertThatThrownBy(() -> tree.unlink(link + "/secret")).isInstanceOf(KernelException.class);
            tree.deleteTree(link + "/secret");
        }
        tree.writeFile("up/made", SECRET, 0644, 0, 0);
        assertThat(place.resolve("root/made")).hasBinaryContent(SECRET);
        tree.mkdirs("rel/below", 0755, 0, 0).close();
        assertThat(place.resolve("root/outside/below")).isDirectory();
    }

    @Test
    void aLinkInPlaceOfAFileIsNeitherFollowedNorReplacedWhenWriting() throws Exception {
        Files.createSymbolicLink(place.resolve("root/hosts"), outside.resolve("secret"));
        assertThatThrownBy(() -> tree.writeFile("hosts", new byte[1], 0644, 0, 0))
                .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        Files.createSymbolicLink(place.resolve("root/new"), outside.resolve("made"));
        try (var root = tree.directory("/")) {
            assertThatThrownBy(() -> root.create("new", 0644)).isInstanceOf(KernelException.class);
            assertThatThrownBy(() -> root.open("hosts", Linux.O_RDONLY)).isInstanceOf(KernelException.class);
            assertThatThrownBy(() -> root.directory("hosts")).isInstanceOf(KernelException.class);
            root.chown("hosts", 5, 5);
            root.setModified("hosts", 1, 1);
        }
        assertThat(Files.getAttribute(outside.resolve("secret"), "unix:uid")).isEqualTo(0);
        assertThat(Files.getLastModifiedTime(outside.resolve("secret")).toMillis()).isGreaterThan(1_000_000);
    }

    @Test
    void magicLinksLeadNowhere() throws Exception {
        try (var proc = FileTree.open(Path.of("/proc"))) {
            for (String path : List.of("self/root/etc/passwd", "self/cwd", "self/fd/0", "self/exe",
                    "thread-self/root")) {
                assertThatThrownBy(() -> proc.open(path, Linux.O_PATH, 0)).as(path)
                        .isInstanceOfSatisfying(KernelException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.ELOOP));
            }
        }
        Files.createSymbolicLink(place.resolve("root/magic"), Path.of("/proc/self/root"));
        assertThat(tree.find("magic/etc/passwd")).isEmpty();
    }

    @Test
    void hardLinksReachOnlyInside() throws Exception {
        assertThatThrownBy(() -> tree.link("stolen", "../outside/secret")).isInstanceOf(KernelException.class);
        Files.createSymbolicLink(place.resolve("root/way"), outside.resolve("secret"));
        tree.link("copy", "way");
        assertThat(tree.lstat("copy").isSymlink()).isTrue();
        assertThat(tree.find("copy")).isEmpty();
    }

    @Test
    void namesWithMoreThanANameInThemAreRefused() throws Exception {
        try (var root = tree.directory("/")) {
            for (String name : List.of("", ".", "..", "../outside/new", "a/b", "/", outside + "/new")) {
                assertThatThrownBy(() -> root.create(name, 0644)).as(name).isInstanceOf(KernelException.class);
                assertThatThrownBy(() -> root.mkdir(name, 0755)).as(name).isInstanceOf(KernelException.class);
                assertThatThrownBy(() -> root.symlink(name, "x")).as(name).isInstanceOf(KernelException.class);
                assertThatThrownBy(() -> root.deleteTree(name)).as(name).isInstanceOf(KernelException.class);
                assertThatThrownBy(() -> root.rename("secret", root, name, 0)).isInstanceOf(KernelException.class);
            }
        }
        assertThatThrownBy(() -> FileTree.nameOf("/")).isInstanceOf(KernelException.class);
        assertThatThrownBy(() -> FileTree.nameOf("a/..")).isInstanceOf(KernelException.class);
        assertThat(FileTree.nameOf("a/b//")).isEqualTo("b");
    }

    @Test
    void devicesAndPipesAreNotOpenedWhereAFileIsWanted() throws Exception {
        try (var root = tree.directory("/")) {
            root.mknod("passwd", FileType.FIFO, 0644, 0, 0);
            root.mknod("group", FileType.CHARACTER_DEVICE, 0644, 1, 5); // an endless file, if it were read
            root.mkdir("shadow", 0755);
        }
        for (String name : List.of("passwd", "group")) {
            assertThatThrownBy(() -> tree.readFile(name, 1000)).isInstanceOfSatisfying(KernelException.class,
                    e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
            assertThatThrownBy(() -> tree.writeFile(name, SECRET, 0644, 0, 0))
                    .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        }
        assertThatThrownBy(() -> tree.readFile("shadow", 10)).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EISDIR));
    }

    @Test
    void deletingFollowsNoLink() throws Exception {
        tree.mkdirs("/gone/deep/er", 0755, 0, 0).close();
        Files.createSymbolicLink(place.resolve("root/gone/out"), outside);
        Files.createSymbolicLink(place.resolve("root/gone/deep/out"), outside);
        Files.createSymbolicLink(place.resolve("root/direct"), outside);
        tree.deleteTree("/gone");
        tree.deleteTree("/direct");
        tree.deleteTree("/never/was");
        assertThat(tree.list("/")).isEmpty();
    }

    @Test
    void deletingCrossesNoMount() throws Exception {
        tree.mkdirs("/gone/mounted", 0755, 0, 0).close();
        Path mountPoint = place.resolve("root/gone/mounted");
        try (var mount = Mounts.cloneTree(outside, false)) {
            Mounts.move(mount, mountPoint);
        }
        try {
            assertThat(mountPoint.resolve("secret")).exists();
            assertThatThrownBy(() -> tree.deleteTree("/gone")).isInstanceOfSatisfying(KernelException.class,
                    e -> assertThat(e.errno()).isIn(Errno.EBUSY, Errno.EXDEV));
        } finally {
            Mounts.detach(mountPoint);
        }
        tree.deleteTree("/gone");
        assertThat(tree.list("/")).isEmpty();
    }

    @Test
    void deletesTenThousandLevelsWithAHandfulOfDescriptors() throws Exception {
        var levels = new Directory[] {tree.directory("/")};
        for (int i = 0; i < 10_000; i++) {
            levels[0].mkdir("d", 0755);
            if (i % 1000 == 0) {
                levels[0].create("file", 0644).close();
            }
            var below = levels[0].directory("d");
            levels[0].close();
            levels[0] = below;
        }
        levels[0].close();
        tree.deleteTree("/d");
        assertThat(tree.list("/")).extracting(DirectoryEntry::name).containsExactly("file");
    }

    @Test
    void aRacingRenameNeverLeadsOutside() throws Exception {
        Files.createDirectories(place.resolve("root/a/b"));
        Files.createSymbolicLink(place.resolve("root/evil"), outside);
        var done = new AtomicBoolean();
        var attacker = Thread.ofVirtual().start(() -> {
            while (!done.get()) {
                swap("a/b", "evil");
            }
        });
        try {
            for (int i = 0; i < 3000; i++) {
                try {
                    tree.writeFile("a/b/made", SECRET, 0644, 0, 0);
                } catch (KernelException lostTheRace) {
                    assertThat(lostTheRace.errno()).isIn(Errno.ENOENT, Errno.ENOTDIR, Errno.EEXIST, Errno.EAGAIN);
                }
            }
        } finally {
            done.set(true);
            attacker.join();
        }
    }

    private void swap(String one, String other) {
        try (var from = tree.parent(one); var to = tree.parent(other)) {
            from.rename(FileTree.nameOf(one), to, FileTree.nameOf(other), Linux.RENAME_EXCHANGE);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
