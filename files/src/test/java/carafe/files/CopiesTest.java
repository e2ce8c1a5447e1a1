package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.Linux;
import carafe.files.VolumeDirectories.Limit;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import carafe.spec.tar.SentTar;
import carafe.spec.tar.TarReader;
import carafe.spec.tar.TarWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

final class CopiesTest {

    @TempDir
    Path place;

    private VolumeDirectories volumes() throws EngineException {
        return VolumeDirectories.open(place.resolve("volumes"), Failpoints.none());
    }

    private void fill(Path directory) throws Exception {
        try (var tree = FileTree.open(directory); var top = tree.directory("/")) {
            tree.writeFile("file", "content".getBytes(), 04711, 7, 8);
            tree.link("hard", "file");
            tree.symlink("soft", "../../outside");
            top.chown("soft", 9, 10);
            top.mkdir("sub", 02750);
            top.mknod("pipe", FileType.FIFO, 0600, 0, 0);
            top.mknod("null", FileType.CHARACTER_DEVICE, 0666, 1, 3);
            tree.writeFile("sub/empty", new byte[0], 0600, 0, 0);
            try (var sparse = top.create("holes", 0644)) {
                carafe.kernel.FdStream.seek(sparse, 5 << 20, Linux.SEEK_SET);
                carafe.kernel.FdStream.write(sparse, new byte[] {1});
            }
            top.setXattr("file", "security.capability",
                    new byte[] {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
            top.setModified("file", 1_000_000_000, 0);
            top.chmod("file", 04711);
        }
    }

    private static void check(Path directory) throws Exception {
        try (var tree = FileTree.open(directory); var top = tree.directory("/")) {
            var file = top.stat("file");
            assertThat(file.mode()).isEqualTo(04711);
            assertThat(file.uid()).isEqualTo(7);
            assertThat(file.links()).isEqualTo(2);
            assertThat(file.modifiedSeconds()).isEqualTo(1_000_000_000);
            assertThat(top.stat("hard").isSame(file)).isTrue();
            assertThat(top.readLink("soft")).isEqualTo("../../outside");
            assertThat(top.stat("soft").uid()).isEqualTo(9);
            assertThat(top.stat("sub").mode()).isEqualTo(02750);
            assertThat(top.stat("pipe").type()).isEqualTo(FileType.FIFO);
            assertThat(top.stat("null").rdevMinor()).isEqualTo(3);
            assertThat(top.stat("holes").sizeBytes()).isEqualTo((5 << 20) + 1);
            try (var node = top.node("file")) {
                assertThat(Inodes.xattrs(node)).contains("security.capability");
            }
        }
    }

    @Test
    void aCloneIsTheSameToTheLastAttributeAndKeepsHoles() throws Exception {
        var volumes = volumes();
        volumes.make("one", Limit.NONE);
        fill(volumes.data("one"));
        volumes.make("two", Limit.NONE);
        volumes.clone("one", "two", Limit.NONE);
        check(volumes.data("two"));
        try (var tree = FileTree.open(volumes.data("two"))) {
            assertThat(tree.stat("holes").blocks()).isLessThan(1000);
        }
        assertThat(volumes.sizeBytes("two")).isEqualTo(7 + (5 << 20) + 1);
    }

    @Test
    void packedAndUnpackedIsTheSame() throws Exception {
        var volumes = volumes();
        volumes.make("one", Limit.NONE);
        fill(volumes.data("one"));
        var tar = new ByteArrayOutputStream();
        volumes.pack("one", tar);
        volumes.make("two", Limit.NONE);
        volumes.unpack("two", sent(tar.toByteArray()), Limit.NONE);
        check(volumes.data("two"));
    }

    private static SentTar sent(byte[] archive) {
        return new SentTar(new ByteArrayInputStream(archive), () -> false);
    }

    @Test
    void archivesMayBeCompressed() throws Exception {
        var volumes = volumes();
        volumes.make("one", Limit.NONE);
        fill(volumes.data("one"));
        var tar = new ByteArrayOutputStream();
        volumes.pack("one", tar);
        var gzip = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(gzip)) {
            tar.writeTo(out);
        }
        var bzip2 = new ByteArrayOutputStream();
        try (var out = new BZip2CompressorOutputStream(bzip2)) {
            tar.writeTo(out);
        }
        var xz = new ByteArrayOutputStream();
        try (var out = new XZOutputStream(xz, new LZMA2Options(1))) {
            tar.writeTo(out);
        }
        int number = 0;
        for (byte[] packed : List.of(gzip.toByteArray(), bzip2.toByteArray(), xz.toByteArray())) {
            String name = "packed" + number++;
            volumes.unpack(name, sent(packed), Limit.NONE);
            check(volumes.data(name));
            byte[] cut = Arrays.copyOf(packed, packed.length - 6); // all of the tar is there, not all that proves it
            assertThatThrownBy(() -> volumes.unpack("cut", sent(cut), Limit.NONE)).as(name)
                    .isInstanceOf(EngineException.class);
            assertThat(place.resolve("volumes/cut")).doesNotExist();
        }
        byte[] zstd = {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 0, 0, 0, 0, 0, 0, 0};
        assertThatThrownBy(() -> volumes.unpack("zstd", sent(zstd), Limit.NONE))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("compressed by zstd");
    }

    /// A few hundred bytes that become a gigabyte, many times: behind all members.
    @Test
    void bombsAreRefused() throws Exception {
        var volumes = volumes();
        var empty = new ByteArrayOutputStream();
        new TarWriter(empty).finish();
        byte[] piece = new byte[1 << 20];
        var gzip = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(gzip)) {
            for (int i = 0; i < 100; i++) {
                out.write(piece);
            }
        }
        var bzip2 = new ByteArrayOutputStream();
        try (var out = new BZip2CompressorOutputStream(bzip2)) {
            for (int i = 0; i < 100; i++) {
                out.write(piece);
            }
        }
        for (int form = 0; form < 2; form++) {
            var bomb = new ByteArrayOutputStream();
            try (OutputStream out = form == 0 ? new GZIPOutputStream(bomb) : new BZip2CompressorOutputStream(bomb)) {
                empty.writeTo(out);
            }
            for (int i = 0; i < (form == 0 ? 40 : 20_000); i++) {
                (form == 0 ? gzip : bzip2).writeTo(bomb);
            }
            assertThatThrownBy(() -> volumes.unpack("bomb", sent(bomb.toByteArray()), Limit.NONE))
                    .isInstanceOf(EngineException.Invalid.class)
                    .hasMessage("the archive cannot be read: it unpacks to more than 200 times its size; send it"
                            + " uncompressed if it is what it should be");
            assertThat(place.resolve("volumes/bomb")).doesNotExist();
        }
        volumes.awaitDeletions();
        assertThat(place.resolve("volumes/.trash")).isEmptyDirectory();
    }

    @Test
    void anImportThatNobodyWaitsForEnds() throws Exception {
        var volumes = volumes();
        var asked = new AtomicInteger();
        var zeros = new InputStream() { // what a tar may end with, without end
            @Override
            public int read() {
                return 0;
            }

            @Override
            public int read(byte[] to, int offset, int length) {
                Arrays.fill(to, offset, offset + length, (byte) 0);
                return length;
            }
        };
        assertThatThrownBy(() -> volumes.unpack("left", new SentTar(zeros, () -> asked.incrementAndGet() > 100), Limit.NONE))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessage("the archive was not read to its end: nobody waits for it any more");
        volumes.awaitDeletions();
        assertThat(place.resolve("volumes/left")).doesNotExist();
        assertThat(place.resolve("volumes/.trash")).isEmptyDirectory();
    }

    @Test
    void aTornArchiveLeavesNoVolumeBehind() throws Exception {
        var volumes = volumes();
        volumes.make("one", Limit.NONE);
        fill(volumes.data("one"));
        var tar = new ByteArrayOutputStream();
        volumes.pack("one", tar);
        byte[] torn = Arrays.copyOf(tar.toByteArray(), tar.size() / 2);
        assertThatThrownBy(() -> volumes.unpack("two", sent(torn), Limit.NONE))
                .isInstanceOf(EngineException.class);
        volumes.awaitDeletions();
        assertThat(place.resolve("volumes/two")).doesNotExist();
        assertThat(place.resolve("volumes/.trash")).isEmptyDirectory();
    }

    @Test
    void halfACopyIsTakenBackAndTrashGoesWithTheNextTidying() throws Exception {
        var volumes = volumes();
        volumes.make("one", Limit.NONE);
        Files.writeString(volumes.data("one").resolve("half"), "x");
        Files.createFile(place.resolve("volumes/one/copying"));
        Files.createDirectories(place.resolve("volumes/.trash/grave"));
        volumes = volumes();
        volumes.awaitDeletions();
        assertThat(place.resolve("volumes/.trash/grave")).as("it may be another's directory").exists();
        assertThat(volumes.data("one").resolve("half")).exists();
        volumes.tidy();
        volumes.awaitDeletions();
        assertThat(place.resolve("volumes/.trash")).isEmptyDirectory();
        assertThat(volumes.data("one")).isEmptyDirectory();
        assertThat(place.resolve("volumes/one/copying")).doesNotExist();
    }

    @Test
    void nobodyElseEntersTheVolumes() throws Exception {
        var volumes = volumes();
        volumes.make("one", Limit.NONE);
        try (var tree = FileTree.open(place.resolve("volumes"))) {
            assertThat(tree.stat("one").mode()).isEqualTo(0700);
            assertThat(tree.stat("one/_data").mode()).isEqualTo(0755);
        }
    }

    @Test
    void insidePathsAreCleanedButKeepTheirEnd() {
        assertThat(InsidePath.of("/a/../b/./c").toString()).isEqualTo("/b/c");
        assertThat(InsidePath.of("../../x").toString()).isEqualTo("/x");
        assertThat(InsidePath.of("a/b/")).isEqualTo(new InsidePath("/a/b/", ""));
        assertThat(InsidePath.of("/a/.")).isEqualTo(new InsidePath("/a/", "."));
        assertThat(InsidePath.of("/")).isEqualTo(new InsidePath("/", ""));
        assertThat(InsidePath.of("a/b/").name()).isEqualTo("b");
        assertThat(InsidePath.of("/").name()).isEqualTo("/");
    }

    @Test
    void driverOptionsAreSortedByWhatTheyAreFor() throws Exception {
        var options = DriverOptions.parse("v", Map.of(
                "type", "nfs", "device", ":/export", "o", "addr=127.0.0.1,rw,noatime,nfsvers=4,rprivate"));
        assertThat(options.call()).isEqualTo(new DriverOptions.Call(
                Linux.MS_NOATIME, (long) Linux.MS_PRIVATE | Linux.MS_REC, "addr=127.0.0.1,nfsvers=4"));
        assertThat(DriverOptions.parse("v", Map.of("size", "10m")).sizeBytes()).isEqualTo(10 << 20);
        assertThatThrownBy(() -> DriverOptions.parse("v", Map.of("size", "much")))
                .hasMessage("create v: invalid size: 'much'");
    }

    @Test
    void zerosFillWhatAFileLost() throws Exception {
        var volumes = volumes();
        volumes.make("one", Limit.NONE);
        Files.write(volumes.data("one").resolve("f"), new byte[1000]);
        var tar = new ByteArrayOutputStream();
        volumes.pack("one", tar);
        var reader = new TarReader(new ByteArrayInputStream(tar.toByteArray()));
        assertThat(reader.next()).isNotNull();
        var file = reader.next();
        assertThat(file).isNotNull();
        assertThat(reader.data().readAllBytes()).hasSize(1000);
    }
}
