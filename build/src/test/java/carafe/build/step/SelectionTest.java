package carafe.build.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.plan.Operation;
import carafe.build.plan.Origin;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.FileSource;
import carafe.build.tree.IndexMemory;
import carafe.build.tree.Node;
import carafe.build.tree.Scratch;
import carafe.build.tree.TarText;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelectionTest {

    @TempDir
    Path directory;

    /// A root that lists one file, whose path is long, as often as is asked for; it is one object however often.
    private record Many(int count, Node file) implements FileSource {

        static Many of(int count, int pathLength) {
            return new Many(count, new Node("d/".repeat(pathLength / 2) + "f", Node.Type.FILE, Node.Owner.ROOT, 0644, 0,
                    new Node.Time(0, 0), "", Map.of()));
        }

        @Override
        public Optional<Node> follow(String path) {
            return Optional.of(Node.directory("", Node.Owner.ROOT, 0755, new Node.Time(0, 0)));
        }

        @Override
        public Optional<Node> find(String path) {
            return follow(path);
        }

        @Override
        public List<Node> list(String directory) {
            return Collections.nCopies(count, file);
        }

        @Override
        public InputStream open(Node node) {
            return new ByteArrayInputStream(new byte[0]);
        }

        @Override
        public Digest content(Node node) {
            return Digest.sha256(new byte[0]);
        }

        @Override
        public void close() {
            // nothing is open
        }
    }

    private static Selection select(FileSource source) throws Exception {
        return select(source, "", false, IndexMemory.ofHeap());
    }

    private static Selection select(FileSource source, String pattern, boolean parents, IndexMemory memory)
            throws Exception {
        return Selection.of(source, new Operation.Copy(false, new Origin.Context(), List.of(pattern), List.of(), "/",
                new Operation.Options(Optional.empty(), Optional.empty(), false, parents, List.of(), Optional.empty(), false,
                        Optional.empty())), false, memory);
    }

    @Test
    void moreThanTheMemoryHoldsIsRefused() throws Exception {
        int length = (int) Math.min(Runtime.getRuntime().maxMemory() / 400, 10_000_000); // three hundred are too much
        assertThat(select(Many.of(10, 1000)).files()).isEqualTo(11);
        assertThatThrownBy(() -> select(Many.of(100_000, length))).isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("COPY failed: more files than the engine's memory holds: ")
                .hasMessageEndingWith("; copy fewer in one step");
    }

    @Test
    void selectionsHaveOneMemoryTogether() throws Exception {
        var memory = new IndexMemory(1 << 20);
        var some = Many.of(800, 10);
        try (var _ = select(some, "", false, memory); var _ = select(some, "", false, memory)) {
            long both = memory.heldBytes();
            assertThatThrownBy(() -> select(some, "", false, memory)).isInstanceOf(EngineException.Invalid.class)
                    .hasMessageMatching("COPY failed: more files than the engine's memory holds: \\d+ until (d/)+f, while other "
                            + "contexts and steps hold 0 MiB of it; copy fewer in one step");
            assertThat(memory.heldBytes()).isEqualTo(both);
        }
        assertThat(memory.heldBytes()).isZero();
    }

    @Test
    void directoriesAboveManyFilesAreSelectedAndCountedOnce() throws Exception {
        String deep = "d/".repeat(300);
        var tar = new TarText();
        for (int i = 0; i < 500; i++) {
            tar.file(deep + "f" + i, "");
        }
        try (var context = ContextArchive.read(new ByteArrayInputStream(tar.file("d/g", "").bytes()),
                Scratch.of(directory))) {
            var selection = select(context, "**/[fg]*", true, IndexMemory.ofHeap());
            assertThat(selection.found()).hasSize(501);
            assertThat(selection.found().stream().flatMap(found -> found.above().stream()).map(Selection.Relative::path))
                    .hasSize(300).doesNotHaveDuplicates().startsWith("d", "d/d").endsWith(deep.substring(0, 599));
            assertThat(selection.files()).isEqualTo(801);
        }
    }

    @Test
    void namesThatDifferInBytesThatAreNoUtf8DifferInTheDigest() throws Exception {
        assertThat(digestOf("a\uDCFE")).isNotEqualTo(digestOf("a\uDCFF")).isNotEqualTo(digestOf("a?"));
        assertThat(digestOf("a?")).isEqualTo(digestOf("a?"));
    }

    /// Results of builds lie under these digests: with another, an update would forget them all.
    @Test
    void theDigestIsThatOfEarlierVersions() throws Exception {
        var tar = new TarText();
        for (int i = 0; i < 600; i++) { // more than is hashed at once
            tar.file("src/größe/" + i, "file " + i);
        }
        try (var context = ContextArchive.read(new ByteArrayInputStream(tar.link("src/link", "größe/1").bytes()),
                Scratch.of(directory)); var selection = select(context)) {
            assertThat(selection.digest().hex()).isEqualTo("ce89ff488857249857c9a717b5a25f1f9f87662140545951dc24175905b28c6c");
        }
    }

    @Test
    void filesThatDifferInBytesThatAreNoUtf8HaveTwoFingerprints() throws Exception {
        var tar = new TarText().file("a\uDCFE", "1").file("a\uDCFF", "2");
        try (var context = ContextArchive.read(new ByteArrayInputStream(tar.bytes()), Scratch.of(directory));
                var selection = select(context)) {
            assertThat(selection.fingerprints()).containsOnlyKeys("", "a\\xfe", "a\\xff");
        }
    }

    private static Digest digestOf(String name) throws Exception {
        var file = new Node(name, Node.Type.FILE, Node.Owner.ROOT, 0644, 0, new Node.Time(0, 0), "", Map.of());
        try (var selection = select(new Many(1, file))) {
            return selection.digest();
        }
    }
}
