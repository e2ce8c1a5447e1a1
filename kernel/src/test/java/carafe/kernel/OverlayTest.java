package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(NothingLeft.class)
class OverlayTest {

    @TempDir
    Path place;

    private Path disk;
    private final List<Fd> open = new ArrayList<>();

    /// Upper directories on a tmpfs of our own: overlay on overlay, as some build machines have it, is refused.
    @BeforeEach
    void mountDisk() throws Exception {
        disk = Files.createDirectory(place.resolve("disk"));
        try (var tmpfs = FsContext.mount("tmpfs", Map.of(), 0)) {
            Mounts.move(tmpfs, disk);
        }
    }

    @AfterEach
    void close() throws Exception {
        open.forEach(Fd::close);
        Mounts.detach(disk);
    }

    private Fd directory(String name, String file) throws Exception {
        var path = Files.createDirectories(disk.resolve(name));
        if (!file.isEmpty()) {
            Files.writeString(path.resolve(file), name);
        }
        var fd = Descriptors.open(path, Linux.O_PATH | Linux.O_DIRECTORY, 0);
        open.add(fd);
        return fd;
    }

    private Overlay overlay(int lowers) throws Exception {
        var all = new ArrayList<Fd>();
        for (int i = 0; i < lowers; i++) {
            all.add(directory("lower" + i, i == 0 ? "top" : i == lowers - 1 ? "bottom" : ""));
            Files.writeString(disk.resolve("lower" + i + "/same"), "lower" + i);
        }
        return new Overlay(all, Optional.of(new Overlay.Upper(directory("upper", ""), directory("work", ""))), false);
    }

    private static String content(FileTree tree, String path) throws Exception {
        return new String(tree.readFile(path, 100), StandardCharsets.US_ASCII);
    }

    @ParameterizedTest
    @EnumSource
    void everyWayThisKernelTakesMakesTheSameTree(Overlay.Way way) throws Exception {
        Fd mount;
        try {
            mount = overlay(5).mount(way, Linux.MOUNT_ATTR_NODEV);
        } catch (KernelException e) {
            assertThat(way).as("every kernel has the older ways").isLessThan(Overlay.Way.LOWERDIR);
            assertThat(e.errno()).isIn(Errno.EINVAL, Errno.EBADF, Errno.EOPNOTSUPP);
            return;
        }
        try (var tree = FileTree.adopt(mount)) {
            assertThat(content(tree, "same")).isEqualTo("lower0");
            assertThat(content(tree, "top")).isEqualTo("lower0");
            assertThat(content(tree, "bottom")).isEqualTo("lower4");
            tree.writeFile("same", "changed".getBytes(StandardCharsets.US_ASCII), 0600, 0, 0);
            tree.unlink("bottom");
            assertThat(disk.resolve("upper/same")).hasContent("changed");
            assertThat(disk.resolve("lower0/same")).hasContent("lower0");
            assertThat(tree.find("bottom")).isEmpty();
            assertThat(tree.stat("/").mountId()).isNotEqualTo(tree.stat("/").deviceId());
        }
    }

    @Test
    void manyLowersFindAWayByThemselves() throws Exception {
        try (var tree = FileTree.adopt(overlay(120).mount(0))) {
            assertThat(content(tree, "bottom")).isEqualTo("lower119");
        }
    }

    @Test
    void theOldWayTakesMoreThanAStringOfFsconfig() throws Exception {
        var overlay = overlay(100);
        assertThatThrownBy(() -> overlay.mount(Overlay.Way.LOWERDIR, 0)).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.E2BIG));
        try (var tree = FileTree.adopt(overlay.mount(Overlay.Way.MOUNT, 0))) {
            assertThat(content(tree, "bottom")).isEqualTo("lower99");
        }
    }

    @Test
    void withoutUpperItIsReadOnlyEvenOfOneDirectory() throws Exception {
        var one = directory("one", "file");
        var two = directory("two", "other");
        for (var overlay : List.of(new Overlay(List.of(one), Optional.empty(), false),
                new Overlay(List.of(one, two), Optional.empty(), false))) {
            try (var tree = FileTree.adopt(overlay.mount(0))) {
                assertThat(content(tree, "file")).isEqualTo("one");
                assertThatThrownBy(() -> tree.writeFile("new", new byte[1], 0600, 0, 0))
                        .isInstanceOfSatisfying(KernelException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.EROFS));
            }
        }
    }

    @Test
    void aDiscardableOneIsVolatile() throws Exception {
        var overlay = overlay(2);
        try (var mount = new Overlay(overlay.lowers(), overlay.upper(), true).mount(0)) {
            assertThat(disk.resolve("work/work/incompat/volatile")).isDirectory();
            assertThat(mount.isOpen()).isTrue();
        }
    }

    @Test
    void anUpperOnAnotherFilesystemIsAnErrorInTheKernelsWords() throws Exception {
        var overlay = overlay(2);
        try (var elsewhere = FsContext.mount("tmpfs", Map.of(), 0)) {
            var upper = new Overlay.Upper(overlay.upper().orElseThrow().directory(), elsewhere);
            assertThatThrownBy(() -> new Overlay(overlay.lowers(), Optional.of(upper), false).mount(0))
                    .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }

    @Test
    void theSameUpperCanBeUsedAgain() throws Exception {
        var overlay = overlay(2);
        for (int i = 0; i < 3; i++) {
            try (var tree = FileTree.adopt(overlay.mount(0))) {
                tree.writeFile("round" + i, new byte[1], 0600, 0, 0);
                assertThat(tree.find("round0")).isPresent();
            }
        }
    }
}
