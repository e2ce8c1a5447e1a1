package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.ImageMount;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Debian's `fsck.erofs` and `dump.erofs` judge the images that [ErofsImage] writes.
class ErofsJudgesTest {

    private static final Path TOOLS = Path.of(System.getProperty("carafe.root"), "e2e/target/tools/erofs-utils");

    @TempDir
    private Path directory;
    private final Trash trash = new Trash();
    private ErofsLayers layers;

    @BeforeEach
    void open() throws Exception {
        layers = ErofsLayers.open(directory.resolve("layers"), ImageMount.Way.FILE, trash, LayerBounds.DEFAULT,
                CommitSteps.REAL);
    }

    @AfterEach
    void close() {
        layers.close();
        trash.close();
    }

    private Path layer(byte[] tar) throws Exception {
        try (var staged = layers.stage(new ByteArrayInputStream(tar))) {
            staged.commit();
            return directory.resolve("layers").resolve(staged.hashes().diffId().hex());
        }
    }

    private static String run(String tool, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(TOOLS.resolve("lib64/ld-linux-x86-64.so.2").toString(), "--library-path",
                TOOLS.resolve("usr/lib/x86_64-linux-gnu").toString(), TOOLS.resolve("usr/bin/" + tool).toString()));
        command.addAll(Arrays.asList(arguments));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    private static TestTar everything() {
        byte[] map = Arrays.copyOf("1\n1048576\n5\n".getBytes(), 512 + 5);
        System.arraycopy("tail!".getBytes(), 0, map, 512, 5);
        var tar = new TestTar().add(TestTar.directory("d").mode(01777)).add(TestTar.file("d/empty", ""))
                .add(TestTar.file("plain", "x".repeat(100_000)).owner(70_000, 80_000).pax("mtime", "7.5"))
                .add(TestTar.hardLink("d/hard", "plain")).add(TestTar.symlink("short", "d"))
                .add(TestTar.symlink("long", "x/".repeat(700))).add(TestTar.file(".wh.gone", ""))
                .add(TestTar.directory("opaque")).add(TestTar.file("opaque/.wh..wh..opq", ""))
                .add(TestTar.special("tty", '3').device(4, 5)).add(TestTar.special("disk", '4').device(8, 1))
                .add(TestTar.special("pipe", '6'))
                .add(TestTar.file("s", map).pax("GNU.sparse.major", "1").pax("GNU.sparse.minor", "0")
                        .pax("GNU.sparse.name", "sparse").pax("GNU.sparse.realsize", "1048581"));
        for (int i = 0; i < 500; i++) {
            tar.add(TestTar.file("many/file-" + i, "content " + i).xattr("user.same", (byte) 1)
                    .xattr("user.own", (byte) i, (byte) (i >> 8)));
        }
        return tar;
    }

    @Test
    void fsckFindsNoFault() throws Exception {
        Path extracted = directory.resolve("extracted");
        run("fsck.erofs", "--extract=" + extracted, "--xattrs", layer(everything().bytes()).toString());
        assertThat(extracted.resolve("many/file-77")).hasContent("content 77");
        assertThat(Files.size(extracted.resolve("sparse"))).isEqualTo(1_048_581);
        assertThat(extracted.resolve("d/hard")).hasContent("x".repeat(100_000));
        assertThat(Files.getAttribute(extracted.resolve("plain"), "unix:uid")).isEqualTo(70_000);
        assertThat(Files.isSymbolicLink(extracted.resolve("long"))).isTrue();
    }

    @Test
    void fsckFindsNoFaultInAnEmptyLayer() throws Exception {
        run("fsck.erofs", layer(new byte[1024]).toString());
    }

    @Test
    void dumpSeesWhatWasWritten() throws Exception {
        Path file = layer(everything().bytes());
        assertThat(run("dump.erofs", "-s", file.toString()))
                .containsPattern("Filesystem blocksize: +512").containsPattern("Filesystem inode count: +513")
                .contains("sb_csum");
        assertThat(run("dump.erofs", "--path=/plain", file.toString()))
                .contains("Links: 2").contains("70000").contains("100000").contains("1970-01-01 00:00:07.5");
        assertThat(run("dump.erofs", "--ls", "--path=/opaque", file.toString())).contains("Xattr size");
    }
}
