package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.FileTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is made whole where an earlier copy did not come to its end, and others have written since.
final class TreeCopyTest {

    @TempDir
    Path place;

    private Path from;
    private Path into;

    @BeforeEach
    void make() throws Exception {
        from = Files.createDirectory(place.resolve("from"));
        into = Files.createDirectory(place.resolve("into"));
        try (var tree = FileTree.open(from); var top = tree.directory("/")) {
            tree.writeFile("shadow", "image".getBytes(), 0, 0, 42);
            tree.writeFile("conf", "image".getBytes(), 0640, 0, 42);
            tree.writeFile("drop", "image".getBytes(), 0200, 0, 42);
            top.mkdir("home", 0755);
            top.chown("home", 7, 8);
            tree.writeFile("home/file", "image".getBytes(), 0600, 7, 8);
        }
    }

    private void fillUp() throws Exception {
        try (var source = FileTree.open(from); var top = source.directory("/"); var target = FileTree.open(into)) {
            TreeCopy.missing(top, target);
        }
    }

    @Test
    void whatOthersChangedStaysThoughNobodyMayReadIt() throws Exception {
        try (var tree = FileTree.open(into); var top = tree.directory("/")) {
            tree.writeFile("shadow", "theirs".getBytes(), 0, 0, 42);
            tree.writeFile("conf", "theirs".getBytes(), 0, 0, 42);
            tree.writeFile("drop", "theirs".getBytes(), 0200, 0, 42);
            for (var name : List.of("shadow", "conf", "drop")) {
                top.setModified(name, 1_000_000_000, 0);
            }
            top.mkdir("home", 0700);
            top.chown("home", 5, 6);
            fillUp();
            assertThat(into.resolve("shadow")).hasContent("theirs");
            assertThat(into.resolve("conf")).hasContent("theirs");
            assertThat(into.resolve("drop")).hasContent("theirs");
            assertThat(top.stat("home").uid()).isEqualTo(5);
            assertThat(top.stat("home").mode()).isEqualTo(0700);
            assertThat(into.resolve("home/file")).as("what is missing comes all the same").hasContent("image");
        }
    }

    @Test
    void whatTheCopyLeftHalfIsMadeWhole() throws Exception {
        try (var tree = FileTree.open(into); var top = tree.directory("/")) {
            tree.writeFile("shadow", "im".getBytes(), 0200, 0, 0);
            tree.writeFile("conf", "im".getBytes(), 0200, 0, 0);
            top.mkdir("home", 01700);
            fillUp();
            assertThat(into.resolve("shadow")).hasContent("image");
            assertThat(top.stat("shadow").mode()).isZero();
            assertThat(into.resolve("conf")).hasContent("image");
            assertThat(top.stat("conf").mode()).isEqualTo(0640);
            assertThat(top.stat("home").uid()).isEqualTo(7);
            assertThat(top.stat("home").mode()).isEqualTo(0755);
            assertThat(into.resolve("home/file")).hasContent("image");
            fillUp();
            assertThat(into.resolve("drop")).hasContent("image");
        }
    }
}
