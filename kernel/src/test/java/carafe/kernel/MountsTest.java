package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NothingLeft.class)
class MountsTest {

    @TempDir
    Path place;

    private static Optional<MountEntry> at(Path target) throws IOException {
        return Mounts.list().stream().filter(mount -> mount.target().equals(target.toString())).findFirst();
    }

    @Test
    void aDetachedMountIsSeenByItsDescriptorOnly() throws Exception {
        try (var mount = FsContext.mount("tmpfs", Map.of("size", "1m", "mode", "0750"), Linux.MOUNT_ATTR_NOSUID);
                var tree = FileTree.adopt(mount.duplicate())) {
            tree.writeFile("file", new byte[] {1}, 0600, 0, 0);
            assertThat(tree.stat("/").mode()).isEqualTo(0750);
            assertThat(Mounts.list()).noneMatch(entry -> entry.superOptions().contains("size=1024k,mode=750"));
        }
    }

    @Test
    void movesADetachedMountOntoAPlaceAndTakesItOff() throws Exception {
        var target = Files.createDirectory(place.resolve("with blank and \\"));
        try (var mount = FsContext.mount("tmpfs", Map.of(), Linux.MOUNT_ATTR_NODEV)) {
            Mounts.move(mount, target);
            assertThat(at(target)).hasValueSatisfying(entry -> {
                assertThat(entry.fsType()).isEqualTo("tmpfs");
                assertThat(entry.options()).contains("nodev");
            });
            Mounts.change(mount, new MountChange(Linux.MOUNT_ATTR_RDONLY | Linux.MOUNT_ATTR_NOEXEC,
                    Linux.MOUNT_ATTR_NODEV, Optional.of(MountChange.Propagation.SHARED)), true);
            assertThat(at(target)).hasValueSatisfying(entry -> {
                assertThat(entry.options()).contains("ro").contains("noexec").doesNotContain("nodev");
                assertThat(entry.optionalFields()).contains("shared:");
            });
            assertThatThrownBy(() -> Files.write(target.resolve("x"), new byte[1])).isInstanceOf(IOException.class);
        } finally {
            Mounts.detach(target);
        }
        assertThatThrownBy(() -> Mounts.detach(target)).hasMessage("umount2 " + target + ": invalid argument");
    }

    @Test
    void clonesATreeWithOrWithoutWhatIsMountedInIt() throws Exception {
        var source = Files.createDirectories(place.resolve("source/inner"));
        Files.createDirectory(place.resolve("target"));
        try (var inner = FsContext.mount("tmpfs", Map.of(), 0)) {
            Mounts.move(inner, source);
        }
        try {
            Files.write(source.resolve("file"), new byte[1]);
            try (var all = Mounts.cloneTree(place.resolve("source"), true);
                    var one = Mounts.cloneTree(place.resolve("source"), false);
                    var target = Descriptors.open(place.resolve("target"), Linux.O_PATH, 0);
                    var allTree = FileTree.adopt(all.duplicate());
                    var oneTree = FileTree.adopt(one.duplicate())) {
                assertThat(allTree.find("inner/file")).isPresent();
                assertThat(oneTree.find("inner/file")).isEmpty();
                Mounts.move(one, target);
                assertThat(place.resolve("target/inner")).isDirectory();
            }
        } finally {
            Mounts.detach(source);
            Mounts.detach(place.resolve("target"));
        }
    }

    @Test
    void theOldWayWorksToo() throws Exception {
        Mounts.mount("none", place, "tmpfs", Linux.MS_NOEXEC, "size=1m");
        try {
            assertThat(at(place)).hasValueSatisfying(entry -> assertThat(entry.options()).contains("noexec"));
        } finally {
            Mounts.unmount(place);
        }
        assertThatThrownBy(() -> Mounts.mount("none", place, "nosuchfs", 0, "")).hasMessage(
                "mount " + place + ": no such device");
    }

    @Test
    void aFailureHasTheFilesystemsOwnWords() {
        assertThatThrownBy(() -> FsContext.mount("tmpfs", Map.of("size", "nonsense"), 0))
                .isInstanceOfSatisfying(KernelException.class, e -> {
                    assertThat(e.errno()).isEqualTo(Errno.EINVAL);
                    assertThat(e.getMessage()).startsWith("fsconfig tmpfs size: invalid argument (tmpfs: Bad value");
                });
    }

    @Test
    void readsMountinfoWithEscapesAndOptionalFields() throws Exception {
        var entries = Mounts.parse("""
                36 35 98:0 /mnt1 /a\\040b\\134c rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue
                37 36 0:5 / /proc rw - proc proc rw
                """);
        assertThat(entries).hasSize(2);
        assertThat(entries.getFirst()).isEqualTo(new MountEntry(36, 35, "98:0", "/mnt1", "/a b\\c", "rw,noatime",
                "master:1 shared:2", "ext3", "/dev/root", "rw,errors=continue"));
    }

    @Test
    void anyOtherTextIsNoMountinfoButNeverACrash() {
        long seed = Long.getLong("seed", 7);
        var random = new Random(seed);
        for (int round = 0; round < 5000; round++) {
            var text = new StringBuilder();
            for (int i = random.nextInt(80); i > 0; i--) {
                text.append("19 -/\\0:a\n".charAt(random.nextInt(10)));
            }
            try {
                Mounts.parse(text.toString());
            } catch (IOException refused) {
                assertThat(refused).as("seed " + seed).hasMessageStartingWith("not a line of mountinfo");
            }
        }
    }
}
