package carafe.build.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Descriptors;
import carafe.kernel.Inodes;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContextArchiveTest {

    @TempDir
    Path directory;

    private ContextArchive read(TarText tar) throws Exception {
        return ContextArchive.read(new ByteArrayInputStream(tar.bytes()), Scratch.of(directory));
    }

    private static String text(FileSource source, String path) throws Exception {
        try (var in = source.open(source.follow(path).orElseThrow())) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void filesAreFoundByPathAndKnownByDigest() throws Exception {
        try (var context = read(new TarText().file("a", "one").file("d/b", "two"))) {
            assertThat(text(context, "a")).isEqualTo("one");
            assertThat(text(context, "d/../d/./b")).isEqualTo("two");
            assertThat(context.content(context.follow("a").orElseThrow()))
                    .isEqualTo(Digest.sha256("one".getBytes(StandardCharsets.UTF_8)));
            assertThat(context.list("")).extracting(Node::path).containsExactly("a", "d");
        }
    }

    @Test
    void nothingOfTheContextHasANameOnTheHost() throws Exception {
        try (var _ = read(new TarText().file("a", "one").link("l", "/etc"))) {
            assertThat(directory).isEmptyDirectory();
        }
    }

    @Test
    void linksLeadNowhereOutside() throws Exception {
        try (var context = read(new TarText().file("etc/passwd", "inside").link("l", "/etc/passwd")
                .link("up", "../../../../etc/passwd").link("loop", "loop").link("out", "/proc/self/root"))) {
            assertThat(text(context, "l")).isEqualTo("inside");
            assertThat(text(context, "up")).isEqualTo("inside");
            assertThat(context.follow("loop")).isEmpty();
            assertThat(context.follow("out")).isEmpty();
        }
    }

    @Test
    void aPathThatLeadsOutIsRefused() {
        assertThatThrownBy(() -> read(new TarText().file("../x", "x"))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("leads out of it");
        assertThatThrownBy(() -> read(new TarText().file("a/../../x", "x"))).isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void aHardLinkToNothingIsRefused() {
        assertThatThrownBy(() -> read(new TarText().hardLink("x", "/etc/shadow")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("not in it");
    }

    @Test
    void theRootIsNoFile() {
        assertThatThrownBy(() -> read(new TarText().link("./", "/"))).isInstanceOf(EngineException.Invalid.class);
    }

    @Test
    void tooDeepATreeIsRefused() {
        assertThatThrownBy(() -> read(new TarText().file("d/".repeat(600) + "x", "x")))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("deeper");
    }

    @Test
    void namesThatImplyAWoodOfDirectoriesAreRefused() throws Exception {
        try (var context = bounded(8 << 20)) {
            assertThatThrownBy(() -> {
                for (int i = 0; i < 2000; i++) {
                    context.addDirectory(i + "/a".repeat(400));
                }
            }).isInstanceOf(EngineException.Invalid.class)
                    .hasMessageContaining("the context has too many files for the engine's memory: 0 files and ");
        }
    }

    private ContextArchive bounded(long maxMemoryBytes) throws Exception {
        return ContextArchive.empty(new Scratch(directory, new IndexMemory(2 * maxMemoryBytes)));
    }

    @Test
    void aMillionFilesAreRefusedWhereTheMemoryDoesNotHoldThem() throws Exception {
        try (var context = bounded(100 << 20)) {
            context.add(many(1_000, "node_modules/a", Map.of()));
            assertThat(context.list("node_modules")).hasSize(1_000);
            assertThatThrownBy(() -> context.add(many(1_000_000, "node_modules/b", Map.of())))
                    .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("too many files for the engine's memory: 2")
                    .hasMessageEndingWith("leave out what the build does not need with a .dockerignore file");
        }
    }

    @Test
    void attributesNeedMemoryToo() throws Exception {
        try (var context = bounded(100 << 20)) {
            assertThatThrownBy(() -> context.add(many(1_000_000, "f", Map.of("user.a", new byte[20_000]))))
                    .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("too many files for the engine's memory: 5");
        }
    }

    @Test
    void contextsHaveOneMemoryTogether() throws Exception {
        var memory = new IndexMemory(8 << 20);
        var scratch = new Scratch(directory, memory);
        try (var first = ContextArchive.empty(scratch)) {
            try (var second = ContextArchive.empty(scratch); var third = ContextArchive.empty(scratch)) {
                first.add(many(7_000, "f", Map.of()));
                second.add(many(7_000, "f", Map.of()));
                assertThatThrownBy(() -> third.add(many(7_000, "f", Map.of()))).isInstanceOf(EngineException.Invalid.class)
                        .hasMessageMatching("the context has too many files for the engine's memory: \\d+ files and 1 directories"
                                + " until f\\d+, while other contexts and steps hold 6 MiB of it; leave out what the build"
                                + " does not need with a .dockerignore file");
            }
            long alone = memory.heldBytes();
            try (var fourth = ContextArchive.empty(scratch)) {
                fourth.add(many(7_000, "f", Map.of()));
                assertThat(memory.heldBytes()).isEqualTo(2 * alone);
            }
        }
        assertThat(memory.heldBytes()).isZero();
    }

    @Test
    void aContextThatIsRefusedHoldsNothing() {
        var scratch = new Scratch(directory, new IndexMemory(2 << 20));
        assertThatThrownBy(() -> ContextArchive.read(many(5_000, "f", Map.of()), scratch))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("too many files for the engine's memory: 2")
                .hasMessageNotContaining("other");
        assertThat(scratch.memory().heldBytes()).isZero();
    }

    /// A tar of `count` empty files, made while it is read.
    private static LayerTar many(int count, String prefix, Map<String, byte[]> xattrs) {
        return new LayerTar(IntStream.range(0, count).mapToObj(number -> LayerMember.of(new Node(prefix + number,
                Node.Type.FILE, Node.Owner.ROOT, 0644, 0, new Node.Time(1, 0), "", xattrs), LayerMember.Content.NONE)).iterator());
    }

    @Test
    void whatIsCutIsRefused() throws Exception {
        byte[] whole = new TarText().file("a", "x".repeat(5000)).bytes();
        assertThatThrownBy(() -> ContextArchive.read(new ByteArrayInputStream(whole, 0, 2000), Scratch.of(directory)))
                .isInstanceOf(EngineException.Invalid.class).hasMessage("unexpected EOF");
    }

    /// A tar whose file `hole` has `bytes` zeros that are not stored, and `end` behind them.
    private byte[] sparse(long bytes) throws Exception {
        Path hole = directory.resolve("hole");
        Path tar = directory.resolve("hole.tar");
        try (var file = new RandomAccessFile(hole.toFile(), "rw")) {
            file.seek(bytes);
            file.writeBytes("end");
        }
        var process = new ProcessBuilder("tar", "-S", "-C", directory.toString(), "-cf", tar.toString(), "hole").start();
        assertThat(process.waitFor()).isZero();
        byte[] whole = Files.readAllBytes(tar);
        Files.delete(hole);
        Files.delete(tar);
        return whole;
    }

    private long spooledBytes() throws Exception {
        long bytes = 0;
        try (var open = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : open) {
                if (Files.isSymbolicLink(descriptor)
                        && Files.readSymbolicLink(descriptor).toString().startsWith(directory + "/context-")) {
                    try (var file = Descriptors.open(descriptor, Linux.O_RDONLY, 0)) {
                        bytes += Inodes.stat(file).blocks() * 512;
                    }
                }
            }
        }
        return bytes;
    }

    @Test
    void holesStayHoles() throws Exception {
        byte[] tar = sparse(20 << 20);
        assertThat(tar.length).isLessThan(64 << 10);
        try (var context = ContextArchive.read(new ByteArrayInputStream(tar), Scratch.of(directory))) {
            assertThat(spooledBytes()).isBetween(1L, 1L << 20);
            var node = context.follow("hole").orElseThrow();
            assertThat(node.size()).isEqualTo((20 << 20) + 3);
            byte[] content = new byte[(20 << 20) + 3];
            System.arraycopy("end".getBytes(StandardCharsets.UTF_8), 0, content, 20 << 20, 3);
            try (var in = context.open(node)) {
                assertThat(Arrays.equals(in.readAllBytes(), content)).isTrue();
            }
            assertThat(context.content(node)).isEqualTo(Digest.sha256(content));
        }
    }

    @Test
    void zerosAtTheEndAreRead() throws Exception {
        try (var context = read(new TarText().file("a", new byte[600_000], 0644).file("b", "x"))) {
            assertThat(text(context, "a")).isEqualTo("\0".repeat(600_000));
            assertThat(text(context, "b")).isEqualTo("x");
        }
        try (var context = read(new TarText().file("a", new byte[600_000], 0644))) {
            assertThat(text(context, "a")).isEqualTo("\0".repeat(600_000));
        }
    }

    @Test
    void aFileOfHolesIsRefusedAsTheBombItIs() throws Exception {
        byte[] tar = sparse(4L << 30);
        assertThatThrownBy(() -> ContextArchive.read(new ByteArrayInputStream(tar), Scratch.of(directory)))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("the archive, with the holes of hole, unpacks to more than 200 times its size");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aCompressedBombIsCalledAnArchive() throws Exception {
        var member = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(member)) {
            gzip.write(new TarText().file("a", new byte[1 << 20], 0644).bytes(), 0, 512 + (1 << 20));
        }
        var bomb = new ByteArrayOutputStream();
        for (int i = 0; i < 1100; i++) {
            member.writeTo(bomb);
        }
        assertThatThrownBy(() -> ContextArchive.read(new ByteArrayInputStream(bomb.toByteArray()), Scratch.of(directory)))
                .isInstanceOf(EngineException.Invalid.class)
                .hasMessage("the archive unpacks to more than 200 times its size");
    }

    @Test
    void ignoredFilesGo() throws Exception {
        try (var context = read(new TarText().file("a.log", "").file("d/b.log", "").file("d/c", "").file("e/f.log", ""))) {
            context.remove(IgnorePatterns.of(List.of("**/*.log", "!d/b.log")));
            assertThat(context.find("a.log")).isEmpty();
            assertThat(context.find("d/b.log")).isPresent();
            assertThat(context.find("e/f.log")).isEmpty();
        }
    }
}
