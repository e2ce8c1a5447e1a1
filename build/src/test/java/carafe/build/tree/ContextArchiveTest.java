package carafe.build.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.build.IgnorePatterns;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContextArchiveTest {

    @TempDir
    Path directory;

    private ContextArchive read(TarText tar) throws Exception {
        return ContextArchive.read(new ByteArrayInputStream(tar.bytes()), directory);
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
        return ContextArchive.bounded(directory, number -> {
            throw new AssertionError("nothing is known: " + number);
        }, maxMemoryBytes);
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

    /// A tar of `count` empty files, made while it is read.
    private static LayerTar many(int count, String prefix, Map<String, byte[]> xattrs) {
        return new LayerTar(IntStream.range(0, count).mapToObj(number -> LayerMember.of(new Node(prefix + number,
                Node.Type.FILE, Node.Owner.ROOT, 0644, 0, new Node.Time(1, 0), "", xattrs), LayerMember.Content.NONE)).iterator());
    }

    @Test
    void whatIsCutIsRefused() throws Exception {
        byte[] whole = new TarText().file("a", "x".repeat(5000)).bytes();
        assertThatThrownBy(() -> ContextArchive.read(new ByteArrayInputStream(whole, 0, 2000), directory))
                .isInstanceOf(EngineException.Invalid.class).hasMessage("unexpected EOF");
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
