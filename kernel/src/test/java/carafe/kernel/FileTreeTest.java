package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NothingLeft.class)
class FileTreeTest {

    @TempDir
    Path place;

    private FileTree tree;

    @BeforeEach
    void openTree() throws Exception {
        Files.createDirectory(place.resolve("root"));
        tree = FileTree.open(place.resolve("root"));
    }

    @AfterEach
    void closeTree() {
        tree.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private String content(String path) throws Exception {
        return new String(tree.readFile(path, 1000), StandardCharsets.UTF_8);
    }

    @Test
    void writesAndReadsFilesWithModeAndOwner() throws Exception {
        tree.mkdirs("/a/b", 0750, 12, 34).close();
        tree.writeFile("/a/b/file", bytes("one"), 04755, 1000, 1001);
        assertThat(content("a/b/file")).isEqualTo("one");
        var stat = tree.lstat("/a/b/file");
        assertThat(stat.mode()).isEqualTo(04755);
        assertThat(stat.uid()).isEqualTo(1000);
        assertThat(stat.gid()).isEqualTo(1001);
        assertThat(stat.sizeBytes()).isEqualTo(3);
        var directory = tree.stat("/a");
        assertThat(directory.isDirectory()).isTrue();
        assertThat(directory.mode()).isEqualTo(0750);
        assertThat(directory.uid()).isEqualTo(12);
        assertThat(directory.gid()).isEqualTo(34);
    }

    @Test
    void rewritesAFileInPlaceSoThatWhatIsBoundToItStays() throws Exception {
        tree.writeFile("hosts", bytes("first and long"), 0644, 0, 0);
        long inode = tree.stat("hosts").inode();
        tree.writeFile("hosts", bytes("second"), 0600, 0, 0);
        assertThat(content("hosts")).isEqualTo("second");
        assertThat(tree.stat("hosts").inode()).isEqualTo(inode);
        assertThat(tree.stat("hosts").mode()).isEqualTo(0600);
    }

    @Test
    void modesAreExactWhateverTheUmaskIs() throws Exception {
        try (var root = tree.directory("/")) {
            root.mkdir("open", 01777);
            root.mkdir("setgid", 02775);
            root.create("all", 0666).close();
            root.mknod("fifo", FileType.FIFO, 0666, 0, 0);
            assertThat(root.stat("open").mode()).isEqualTo(01777);
            assertThat(root.stat("setgid").mode()).isEqualTo(02775);
            assertThat(root.stat("all").mode()).isEqualTo(0666);
            assertThat(root.stat("fifo").mode()).isEqualTo(0666);
        }
    }

    @Test
    void changesModesOnKernelsWithoutFchmodat2Too() throws Exception {
        tree.writeFile("file", bytes(""), 0600, 0, 0);
        tree.symlink("link", "file");
        Features.without(Features.FCHMODAT2, () -> {
            try (var root = tree.directory("/")) {
                root.chmod("file", 02711);
                assertThatThrownBy(() -> root.chmod("link", 0777)).isInstanceOfSatisfying(KernelException.class,
                        e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
            }
        });
        assertThat(tree.stat("file").mode()).isEqualTo(02711);
        try (var root = tree.directory("/")) {
            assertThatThrownBy(() -> root.chmod("link", 0777)).isInstanceOfSatisfying(KernelException.class,
                    e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
        }
    }

    @Test
    void makesNodesLinksAndTimes() throws Exception {
        try (var root = tree.directory("/")) {
            root.mknod("null", FileType.CHARACTER_DEVICE, 0666, 1, 3);
            root.mknod("big", FileType.BLOCK_DEVICE, 0600, 259, 70_000);
            root.mknod("socket", FileType.SOCKET, 0600, 0, 0);
            root.create("file", 0644).close();
            root.link("again", root, "file");
            root.symlink("link", "file");
            root.link("linkagain", root, "link");
            root.setModified("link", 1_000_000_000, 123_456_789);
            root.setModified("file", -5, 0);
            root.chown("link", 7, 8);
            assertThat(root.stat("null").rdevMajor()).isEqualTo(1);
            assertThat(root.stat("null").rdevMinor()).isEqualTo(3);
            assertThat(root.stat("null").type()).isEqualTo(FileType.CHARACTER_DEVICE);
            assertThat(root.stat("big").rdevMajor()).isEqualTo(259);
            assertThat(root.stat("big").rdevMinor()).isEqualTo(70_000);
            assertThat(root.stat("socket").type()).isEqualTo(FileType.SOCKET);
            assertThat(root.stat("again").links()).isEqualTo(2);
            assertThat(root.stat("linkagain").isSymlink()).isTrue();
            assertThat(root.stat("link").uid()).isEqualTo(7);
            assertThat(root.stat("file").uid()).isZero();
            assertThat(root.stat("link").modified()).hasToString("2001-09-09T01:46:40.123456789Z");
            assertThat(root.stat("file").modified()).hasToString("1969-12-31T23:59:55Z");
        }
    }

    @Test
    void extendedAttributesOfFilesAndLinks() throws Exception {
        byte[] capability = {1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; // ping's CAP_NET_RAW
        try (var root = tree.directory("/"); var file = root.create("file", 0755)) {
            Inodes.setXattr(file, "security.capability", capability);
            Inodes.setXattr(file, "user.note", bytes("text"));
            Inodes.setXattr(file, "user.empty", new byte[0]);
            root.symlink("link", "file");
            root.setXattr("link", "trusted.overlay.opaque", bytes("y"));
            assertThat(Inodes.xattrs(file)).contains("security.capability", "user.note", "user.empty")
                    .doesNotContain("trusted.overlay.opaque");
            assertThat(Inodes.xattr(file, "security.capability")).contains(capability);
            assertThat(Inodes.xattr(file, "user.empty")).contains(new byte[0]);
            assertThat(Inodes.xattr(file, "user.other")).isEmpty();
            Inodes.removeXattr(file, "user.note");
            Inodes.removeXattr(file, "user.note");
            assertThat(Inodes.xattr(file, "user.note")).isEmpty();
            try (var link = root.node("link")) {
                assertThat(Inodes.xattr(link, "trusted.overlay.opaque")).contains(bytes("y"));
                assertThat(Inodes.xattrs(link)).contains("trusted.overlay.opaque");
            }
        }
    }

    @Test
    void listsHugeDirectoriesInBatches() throws Exception {
        try (var root = tree.directory("/")) {
            for (int i = 0; i < 3000; i++) {
                root.create("a rather long name to fill the buffer of one call sooner " + i, 0600).close();
            }
            root.mkdir("directory", 0700);
            var names = root.list();
            assertThat(names).hasSize(3001);
            assertThat(names).contains(new DirectoryEntry("directory", FileType.DIRECTORY,
                    root.stat("directory").inode()));
        }
    }

    @Test
    void namesThatAreNotUtf8KeepTheirBytes() throws Exception {
        String name = NativeText.decode(new byte[] {'x', (byte) 0xFF, (byte) 0xC3});
        tree.writeFile(name, bytes("odd"), 0600, 0, 0);
        assertThat(tree.list("/").getFirst().name()).isEqualTo(name);
        assertThat(content(name)).isEqualTo("odd");
        tree.symlink("link", name);
        assertThat(tree.readLink("link")).isEqualTo(name);
        assertThat(content("link")).isEqualTo("odd");
    }

    @Test
    void makesTheDirectoriesThatDanglingLinksName() throws Exception {
        tree.mkdirs("/var", 0755, 0, 0).close();
        tree.symlink("/var/run", "/run");
        tree.mkdirs("/var/run/lock", 0755, 0, 0).close();
        assertThat(tree.stat("/run/lock").isDirectory()).isTrue();
        tree.symlink("/loop", "loop");
        assertThatThrownBy(() -> tree.mkdirs("/loop/x", 0755, 0, 0)).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.ELOOP));
        tree.writeFile("/file", bytes(""), 0644, 0, 0);
        assertThatThrownBy(() -> tree.mkdirs("/file/x", 0755, 0, 0)).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.ENOTDIR));
    }

    @Test
    void saysWhereAPathLeads() throws Exception {
        tree.mkdirs("/data/real", 0755, 0, 0).close();
        tree.symlink("/link", "/data/../data/real");
        assertThat(tree.resolve("/link")).isEqualTo("/data/real");
        assertThat(tree.resolve("/")).isEqualTo("/");
        assertThat(tree.resolve("../../../link/..")).isEqualTo("/data");
    }

    @Test
    void looksOnceAtWhatAPathLeadsToAndWhere() throws Exception {
        tree.mkdirs("/data/real", 0755, 0, 0).close();
        tree.writeFile("/data/file", bytes("x"), 0640, 0, 0);
        tree.symlink("/link", "/data/../data/real");
        tree.symlink("/nowhere", "gone");
        var directory = tree.look("/link").orElseThrow();
        assertThat(directory.path()).isEqualTo("/data/real");
        assertThat(directory.stat().isDirectory()).isTrue();
        var file = tree.look("link/../file").orElseThrow();
        assertThat(file.path()).isEqualTo("/data/file");
        assertThat(file.stat().mode() & 07777).isEqualTo(0640);
        assertThat(tree.look("/nowhere")).isEmpty();
        assertThat(tree.look("/data/file/below")).isEmpty();
    }

    @Test
    void readingIsBounded() throws Exception {
        tree.writeFile("big", new byte[5000], 0600, 0, 0);
        assertThat(tree.readFile("big", 5000)).hasSize(5000);
        assertThatThrownBy(() -> tree.readFile("big", 4999)).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EFBIG));
    }

    @Test
    void whatIsNotThereIsNoFailureToWhoeverExpectsThat() throws Exception {
        tree.mkdirs("dir", 0755, 0, 0).close();
        tree.writeFile("dir/file", bytes("content"), 0600, 0, 0);
        assertThat(tree.readIfThere("dir/file", 100)).contains(bytes("content"));
        assertThat(tree.readIfThere("absent", 100)).isEmpty();
        assertThat(tree.readIfThere("absent/below", 100)).isEmpty();
        assertThatThrownBy(() -> tree.readIfThere("dir", 100)).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EISDIR));
        assertThatThrownBy(() -> tree.readIfThere("dir/file", 6)).isInstanceOfSatisfying(KernelException.class,
                e -> assertThat(e.errno()).isEqualTo(Errno.EFBIG));
    }

    @Test
    void findsOnlyWhatIsThere() throws Exception {
        tree.writeFile("there", bytes(""), 0600, 0, 0);
        assertThat(tree.find("there")).isPresent();
        assertThat(tree.find("absent")).isEmpty();
        assertThat(tree.find("there/below")).isEmpty();
        assertThatThrownBy(() -> tree.stat("absent")).hasMessage("openat2 absent: no such file or directory");
    }

    @Test
    void aVisitShowsAllNamesThemselvesWithWhatIsKnownOfEach() throws Exception {
        for (int i = 0; i < 5000; i++) { // more than the kernel tells at once
            tree.writeFile("" + i, bytes("x".repeat(i % 7)), 0640, 5, 6);
        }
        try (var root = tree.directory("/")) {
            root.mkdir("directory", 0711);
            root.symlink("link", "nowhere");
            root.mknod("pipe", FileType.FIFO, 0600, 0, 0);
            root.link("second", root, "6");
            var seen = new HashMap<String, FileStat>();
            root.visit((name, stat) -> assertThat(seen.put(name, stat)).as(name).isNull());
            assertThat(seen).hasSize(5004);
            for (var entry : seen.entrySet()) {
                assertThat(entry.getValue()).as(entry.getKey()).isEqualTo(root.stat(entry.getKey()));
            }
            assertThat(seen).hasEntrySatisfying("link", stat -> assertThat(stat.isSymlink()).isTrue());
            assertThat(seen).hasEntrySatisfying("second", stat -> assertThat(stat.links()).isEqualTo(2));
        }
    }

    @Test
    void whatIsGoneDuringAVisitIsLeftOut() throws Exception {
        tree.writeFile("a", bytes("1"), 0640, 0, 0);
        tree.writeFile("b", bytes("2"), 0640, 0, 0);
        try (var root = tree.directory("/")) {
            var seen = new ArrayList<String>();
            root.visit((name, _) -> {
                seen.add(name);
                root.unlink(name.equals("a") ? "b" : "a");
            });
            assertThat(seen).hasSize(1);
        }
    }
}
