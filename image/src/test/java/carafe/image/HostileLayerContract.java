package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.tar.UnpackBounds;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The attacks of SECURITY.md's list, one test each. Whatever happens, the file beside the store stays what it was and
/// a refused layer leaves nothing behind.
abstract class HostileLayerContract {

    private final UnpackedLayer.Form form;

    HostileLayerContract(UnpackedLayer.Form form) {
        this.form = form;
    }

    @TempDir
    private Path directory;
    private Path outside;
    private UnpackedLayer store;

    @BeforeEach
    void open() throws Exception {
        outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("secret"), "untouched");
        store = new UnpackedLayer(directory.resolve("layers"), form);
    }

    @AfterEach
    void nothingOutsideChanged() throws Exception {
        assertThat(outside.resolve("secret")).hasContent("untouched");
        try (var files = Files.list(outside)) {
            assertThat(files).hasSize(1);
        }
        try (var files = Files.list(directory)) {
            assertThat(files).hasSize(2);
        }
        assertThat(store.isClean()).isTrue();
        store.close();
        try (var tree = FileTree.open(directory)) {
            tree.deleteTree("layers"); // JUnit needs a minute for the deep ones
        }
    }

    private void refused(TestTar tar, String words) {
        assertThatThrownBy(() -> store.unpack(tar)).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining(words);
    }

    @Test
    void namesThatClimbAreRefused() {
        refused(new TestTar().add(TestTar.file("../outside/secret", "evil")), "outside of the layer");
        refused(new TestTar().add(TestTar.file("a/../../../outside/secret", "evil")), "outside of the layer");
        refused(new TestTar().add(TestTar.directory("..")), "outside of the layer");
    }

    @Test
    void absoluteNamesBeginAtTheLayersRoot() throws Exception {
        Path files = store.unpack(new TestTar().add(TestTar.file(outside + "/secret", "mine")));
        assertThat(files.resolve(outside.toString().substring(1)).resolve("secret")).hasContent("mine");
    }

    @Test
    void symlinksAsParentsLeadInsideTheLayerOnly() throws Exception {
        String climb = "../".repeat(40) + outside.toString().substring(1);
        Path files = store.unpack(new TestTar()
                .add(TestTar.directory("inside")).add(TestTar.symlink("good", "inside"))
                .add(TestTar.file("good/file", "kept"))
                .add(TestTar.symlink("absolute", outside.toString())).add(TestTar.file("absolute/secret", "evil"))
                .add(TestTar.symlink("relative", climb)).add(TestTar.file("relative/other", "evil")));
        assertThat(files.resolve("inside/file")).hasContent("kept");
        assertThat(files.resolve(outside.toString().substring(1)).resolve("secret")).hasContent("evil");
        assertThat(Files.isSymbolicLink(files.resolve("absolute"))).isTrue();
    }

    @Test
    void aSymlinkIsReplacedNotFollowed() throws Exception {
        Path files = store.unpack(new TestTar()
                .add(TestTar.symlink("f", outside.resolve("secret").toString())).add(TestTar.file("f", "mine"))
                .add(TestTar.symlink("d", outside.toString())).add(TestTar.directory("d").mode(0700).owner(5, 5)));
        assertThat(files.resolve("f")).isRegularFile().hasContent("mine");
        assertThat(Files.isDirectory(files.resolve("d"), LinkOption.NOFOLLOW_LINKS)).isTrue();
        assertThat(Files.getAttribute(outside, "unix:uid")).isEqualTo(0);
    }

    @Test
    void symlinkLoopsAreRefused() {
        refused(new TestTar().add(TestTar.symlink("a", "b")).add(TestTar.symlink("b", "a"))
                .add(TestTar.file("a/f", "x")), "too many levels of symbolic links");
    }

    @Test
    void hardLinksToOutsideAreRefused() {
        refused(new TestTar().add(TestTar.hardLink("h", "../outside/secret")), "outside of the layer");
        refused(new TestTar().add(TestTar.hardLink("h", outside.resolve("secret").toString())),
                "no such file or directory");
        refused(new TestTar().add(TestTar.symlink("s", outside.toString())).add(TestTar.hardLink("h", "s/secret")),
                "no such file or directory");
        refused(new TestTar().add(TestTar.directory("d")).add(TestTar.hardLink("h", "d")), "not permitted");
        refused(new TestTar().add(TestTar.hardLink("h", "/")), "a hard link to the root");
    }

    @Test
    void hardLinksToSymlinksLinkTheLinkItself() throws Exception {
        Path files = store.unpack(new TestTar().add(TestTar.symlink("s", outside.resolve("secret").toString()))
                .add(TestTar.hardLink("h", "s")));
        assertThat(Files.isSymbolicLink(files.resolve("h"))).isTrue();
        assertThat(Files.getAttribute(outside.resolve("secret"), "unix:nlink")).isEqualTo(1);
    }

    @Test
    void whiteoutsOfDotNamesAreRefused() {
        refused(new TestTar().add(TestTar.file(".wh...", "")), "a whiteout of \"..\"");
        refused(new TestTar().add(TestTar.file("d/.wh..", "")), "a whiteout of \".\"");
        refused(new TestTar().add(TestTar.file(".wh.", "")), "a whiteout of \"\"");
    }

    @Test
    void opaqueMarksThroughSymlinksStayInside() throws Exception {
        Path files = store.unpack(new TestTar().add(TestTar.directory("real")).add(TestTar.symlink("s", "/real"))
                .add(TestTar.file("s/.wh..wh..opq", "")).add(TestTar.symlink("evil", outside.toString()))
                .add(TestTar.file("evil/.wh..wh..opq", "")).add(TestTar.file("evil/.wh.secret", "")));
        assertThat(opaque(files.resolve("real"))).isTrue();
        assertThat(opaque(outside)).isFalse();
    }

    private static boolean opaque(Path path) throws Exception {
        try (var tree = FileTree.open(path)) {
            return Inodes.xattr(tree.root(), "trusted.overlay.opaque").isPresent();
        }
    }

    @Test
    void deviceNodesAreMadeButNeverOpened() throws Exception {
        Path files = store.unpack(new TestTar().add(TestTar.special("mem", '3').device(1, 1))
                .add(TestTar.special("disk", '4').device(8, 0)).add(TestTar.special("pipe", '6'))
                .add(TestTar.file("pipe", "a file in place of the pipe"))
                .add(TestTar.file("mem", "a file in place of the device")));
        assertThat(files.resolve("pipe")).isRegularFile();
        assertThat(files.resolve("mem")).isRegularFile();
        assertThat(Files.getAttribute(files.resolve("disk"), "unix:rdev")).isEqualTo(8L << 8);
        refused(new TestTar().add(TestTar.special("mem", '3').device(1, 1)).add(TestTar.file("mem/x", "y")),
                "not a directory");
    }

    @Test
    void aSparseFileOfFourGigabytesCostsNothing() throws Exception {
        var map = "1\n4294967291\n5\n".getBytes();
        byte[] stored = Arrays.copyOf(map, 512 + 5);
        System.arraycopy("tail!".getBytes(), 0, stored, 512, 5);
        Path files = store.unpack(new TestTar().add(TestTar.file("s", stored).pax("GNU.sparse.major", "1")
                .pax("GNU.sparse.minor", "0").pax("GNU.sparse.name", "sparse")
                .pax("GNU.sparse.realsize", "4294967296")));
        Path sparse = files.resolve("sparse");
        assertThat(Files.size(sparse)).isEqualTo(1L << 32);
        try (var tree = FileTree.open(files)) {
            try (var file = tree.openRegular("sparse", 0)) {
                assertThat(FdStream.seek(file, 0, Linux.SEEK_DATA)).isGreaterThan((1L << 32) - (1 << 20));
            }
            assertThat(new String(tail(sparse))).isEqualTo("tail!");
        }
        var disk = new ProcessBuilder("du", "-sk", directory.resolve("layers").toString()).start();
        assertThat(Long.parseLong(new String(disk.getInputStream().readAllBytes()).split("\t")[0])).isLessThan(200);
    }

    private static byte[] tail(Path file) throws Exception {
        try (var channel = Files.newByteChannel(file)) {
            channel.position(channel.size() - 5);
            var bytes = java.nio.ByteBuffer.allocate(5);
            channel.read(bytes);
            return bytes.array();
        }
    }

    @Test
    void lyingSparseMapsAreRefused() {
        for (String map : new String[] {"1\n0\n9\n", "2\n5\n5\n0\n5\n", "1\n-1\n5\n", "1\n99999999999999999\n5\n",
            "999999999\n", "x\n"}) {
            byte[] stored = Arrays.copyOf(map.getBytes(), 512 + 5);
            refused(new TestTar().add(TestTar.file("s", stored).pax("GNU.sparse.major", "1")
                    .pax("GNU.sparse.realsize", "100")), "tar header");
        }
    }

    @Test
    void aDecompressionBombIsStopped() throws Exception {
        var bounds = new LayerBounds(new UnpackBounds(1L << 40, 1 << 20, 100), 1000);
        var tar = new TestTar().add(TestTar.file("zeros", new byte[16 << 20]));
        try (var small = new UnpackedLayer(directory.resolve("layers"), form, bounds)) {
            byte[] bomb = TestImage.gzip(tar.bytes());
            assertThatThrownBy(() -> small.unpack(bomb)).isInstanceOf(EngineException.Invalid.class)
                    .hasMessage("layer unpacks to more than 100 times its size");
            byte[] zstd = com.github.luben.zstd.Zstd.compress(tar.bytes());
            assertThatThrownBy(() -> small.unpack(zstd)).hasMessage("layer unpacks to more than 100 times its size");
            byte[] bzip2 = TestImage.bzip2(tar.bytes());
            assertThatThrownBy(() -> small.unpack(bzip2)).hasMessage("layer unpacks to more than 100 times its size");
            byte[] xz = TestImage.xz(tar.bytes());
            assertThatThrownBy(() -> small.unpack(xz)).hasMessage("layer unpacks to more than 100 times its size");
        }
        var tiny = new LayerBounds(new UnpackBounds(1 << 20, 1 << 20, 100), 1000);
        try (var small = new UnpackedLayer(directory.resolve("layers"), form, tiny)) {
            assertThatThrownBy(() -> small.unpack(tar)).hasMessage("layer is larger than 1048576 bytes");
        }
    }

    @Test
    void ofDuplicateMembersTheLastStays() throws Exception {
        Path files = store.unpack(new TestTar()
                .add(TestTar.file("f", "first")).add(TestTar.file("f", "second"))
                .add(TestTar.directory("d")).add(TestTar.file("d/kept", "kept")).add(TestTar.directory("d").mode(0700))
                .add(TestTar.directory("x")).add(TestTar.file("x/gone", "")).add(TestTar.file("x", "now a file"))
                .add(TestTar.file("y", "")).add(TestTar.directory("y")).add(TestTar.file("y/in", "in")));
        assertThat(files.resolve("f")).hasContent("second");
        assertThat(files.resolve("d/kept")).hasContent("kept");
        assertThat(files.resolve("x")).hasContent("now a file");
        assertThat(files.resolve("y/in")).hasContent("in");
    }

    @Test
    void paxPathsAreJudgedLikeOthers() {
        refused(new TestTar().add(TestTar.file("harmless", "evil").pax("path", "../outside/secret")),
                "outside of the layer");
        refused(new TestTar().add(TestTar.hardLink("h", "harmless").pax("linkpath", "../outside/secret")),
                "outside of the layer");
        refused(new TestTar().add(TestTar.file("x", "e").pax("GNU.sparse.major", "1")
                .pax("GNU.sparse.name", "../outside/secret")), "tar header");
    }

    @Test
    void sizesThatLieAreRefused() {
        refused(new TestTar().add(TestTar.file("f", "abc").claims(1L << 33)), "unexpected EOF");
        byte[] negative = new TestTar().add(TestTar.file("f", "abc")).bytes();
        TestTar.number(negative, 124, 12, -512);
        TestTar.checksum(negative);
        assertThatThrownBy(() -> store.unpack(negative)).hasMessageContaining("negative size");
    }

    @Test
    void ownersAboveTwoToThe31AreRefused() {
        for (String id : new String[] {"2147483648", "4294967295"}) { // the kernel takes the last for "leave it"
            refused(new TestTar().add(TestTar.file("f", "").pax("uid", id)), "owner " + id);
            refused(new TestTar().add(TestTar.file("f", "").pax("gid", id)), "owner " + id);
        }
    }

    @Test
    void aPathOfTenThousandDirectoriesIsRefused() {
        refused(new TestTar().add(TestTar.file("d/".repeat(10_000) + "f", "deep")), "file name too long");
    }

    @Test
    void aThousandDirectoriesNeedFewDescriptors() throws Exception {
        String deep = "d/".repeat(1500);
        Path files = store.unpack(new TestTar().add(TestTar.file(deep + "f", "deep"))
                .add(TestTar.file(deep.substring(0, 1000) + "g", "half way"))
                .add(TestTar.file("h", "top")));
        assertThat(files.resolve(deep.substring(0, 1000) + "g")).hasContent("half way");
        try (var tree = FileTree.open(files)) {
            assertThat(new String(tree.readFile(deep + "f", 10))).isEqualTo("deep");
        }
    }

    @Test
    void aMillionMembersNeedNoMemoryAndAreCounted() throws Exception {
        byte[] member = new TestTar().add(TestTar.hardLink("same", "./same")).unfinished();
        var bounds = new LayerBounds(UnpackBounds.DEFAULT, 999_999);
        try (var limited = new UnpackedLayer(directory.resolve("layers"), form, bounds)) {
            assertThatThrownBy(() -> limited.unpack(repeated(member, 1_000_000)))
                    .isInstanceOf(EngineException.Invalid.class).hasMessage("layer has more than 999999 files");
        }
    }

    /// `bytes` over and over.
    private static InputStream repeated(byte[] bytes, int times) {
        return new InputStream() {
            private long at;

            @Override
            public int read() {
                return at == (long) bytes.length * times ? -1 : bytes[(int) (at++ % bytes.length)] & 0xFF;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) {
                int from = (int) (at % bytes.length);
                int count = Math.min(length, bytes.length - from);
                if (at == (long) bytes.length * times) {
                    return -1;
                }
                System.arraycopy(bytes, from, buffer, offset, count);
                at += count;
                return count;
            }
        };
    }

    @Test
    void attributesThatSteerOverlayfsAreDropped() throws Exception {
        Path files = store.unpack(new TestTar().add(TestTar.directory("d")
                .xattr("trusted.overlay.redirect", "/etc".getBytes()).xattr("trusted.overlay.opaque", (byte) 'y')
                .xattr("user.kept", (byte) 1)));
        try (var tree = FileTree.open(files); var d = tree.directory("d")) {
            assertThat(Inodes.xattrs(d.fd())).containsExactly("user.kept");
        }
    }

    @Test
    void digestAndSizeMismatchesOfAnArchiveAreRefused() throws Exception {
        try (var images = Images.open(directory.resolve("layers"))) {
            var image = TestImage.of("docker.io/library/x:1", new TestTar().add(TestTar.file("f", "x")).bytes());
            byte[] archive = image.ociArchive();
            for (var change : Map.of("\"size\":", "\"size\":1", "sha256:", "sha256:00").entrySet()) {
                byte[] bad = replaceFirstIn(archive, change.getKey(), change.getValue());
                assertThatThrownBy(() -> images.load(new ByteArrayInputStream(bad), LoadProgress.SILENT))
                        .isInstanceOf(EngineException.Invalid.class);
                assertThat(images.list()).isEmpty();
            }
            images.awaitDeletion();
        }
    }

    /// Overwrites what follows `text` so that lengths stay.
    private static byte[] replaceFirstIn(byte[] bytes, String text, String by) {
        String all = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
        int at = all.indexOf(text);
        byte[] changed = bytes.clone();
        byte[] replacement = by.getBytes();
        System.arraycopy(replacement, 0, changed, at, replacement.length);
        return changed;
    }

    @Test
    void truncatedCompressionIsRefused() throws Exception {
        var out = new java.io.ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(new TestTar().add(TestTar.file("f", new byte[100_000])).bytes());
        }
        byte[] cut = Arrays.copyOf(out.toByteArray(), out.size() - 20);
        assertThatThrownBy(() -> store.unpack(cut)).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("unexpected EOF");
        byte[] zstd = com.github.luben.zstd.Zstd.compress(new TestTar().add(TestTar.file("f", "x")).bytes());
        assertThatThrownBy(() -> store.unpack(Arrays.copyOf(zstd, zstd.length - 4)))
                .isInstanceOf(EngineException.Invalid.class);
        assertThatThrownBy(() -> store.unpack("<html>not a layer</html>".getBytes()))
                .isInstanceOf(EngineException.Invalid.class);
    }
}
