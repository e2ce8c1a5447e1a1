package carafe.build.tree;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Descriptors;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Linux;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreeCopyTest {

    @TempDir
    Path directory;

    /// Copies `from` of the directory `source` into the directory `copy`.
    private Path copied(String from) throws Exception {
        Path copy = Files.createDirectories(directory.resolve("copy"));
        Path source = directory.resolve("source");
        try (var files = MountedTree.adopt(Descriptors.open(source, Linux.O_PATH | Linux.O_DIRECTORY, 0))) {
            TreeCopy.into(copy, files, files.find(from).orElseThrow());
        }
        return copy;
    }

    @Test
    void fifosAndSocketsAreLeftOut() throws Exception {
        Path source = Files.createDirectories(directory.resolve("source"));
        Files.writeString(source.resolve("z"), "z");
        try (var tree = FileTree.open(source); var root = tree.directory("/")) {
            root.mknod("a", FileType.FIFO, 0600, 0, 0);
        }
        assertThat(copied("").toFile().list()).containsExactly("z");
    }

    @Test
    void aFileOfSeveralNamesIsCopiedOnce() throws Exception {
        Path source = directory.resolve("source/part");
        Files.createDirectories(source.resolve("deep"));
        Files.writeString(source.resolve("a"), "once");
        Files.createLink(source.resolve("b"), source.resolve("a"));
        Files.createLink(source.resolve("deep/c"), source.resolve("a"));
        Files.writeString(source.resolve("d"), "once");
        Path copy = copied("part");
        var key = Files.readAttributes(copy.resolve("a"), BasicFileAttributes.class).fileKey();
        for (String name : new String[] {"b", "deep/c"}) {
            assertThat(copy.resolve(name)).hasContent("once");
            assertThat(Files.readAttributes(copy.resolve(name), BasicFileAttributes.class).fileKey())
                    .as(name).isEqualTo(key);
        }
        assertThat(Files.readAttributes(copy.resolve("d"), BasicFileAttributes.class).fileKey())
                .isNotEqualTo(key);
    }

    @Test
    void oneFileIsCopiedByItsName() throws Exception {
        Path source = Files.createDirectories(directory.resolve("source/part"));
        Files.writeString(source.resolve("a"), "alone");
        assertThat(copied("part/a").resolve("a")).hasContent("alone");
    }
}
