package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostDirectoryTest {

    @TempDir
    Path place;

    private static int of(Path path, String attribute) throws IOException {
        return ((Number) Files.getAttribute(path, "unix:" + attribute, LinkOption.NOFOLLOW_LINKS)).intValue();
    }

    @Test
    void whatIsMissingIsMadeAndGiven() throws Exception {
        HostDirectory.make(place.resolve("a/b"), 1234, 1235);
        for (String made : new String[] {"a", "a/b"}) {
            assertThat(of(place.resolve(made), "uid")).isEqualTo(1234);
            assertThat(of(place.resolve(made), "gid")).isEqualTo(1235);
            assertThat(of(place.resolve(made), "mode") & 07777).isEqualTo(0755);
        }
        assertThat(of(place, "uid")).isZero();
        HostDirectory.make(place.resolve("a/b"), 1, 1);
        assertThat(of(place.resolve("a/b"), "uid")).as("it was there").isEqualTo(1234);
    }

    @Test
    void whatIsInTheWayIsNamed() throws Exception {
        Files.createFile(place.resolve("file"));
        Files.createSymbolicLink(place.resolve("link"), place.resolve("nowhere"));
        assertThatThrownBy(() -> HostDirectory.make(place.resolve("file/a"), 0, 0))
                .isInstanceOf(KernelException.class).hasMessageContaining("not a directory");
        assertThatThrownBy(() -> HostDirectory.make(place.resolve("link/a"), 0, 0))
                .isInstanceOf(FileSystemException.class).hasMessageEndingWith("is a link that leads nowhere");
        assertThat(place.resolve("nowhere")).doesNotExist();
    }

    /// A container that has the directory above puts a link into the place of what was just made.
    @Test
    void nothingIsMadeOrGivenElsewhere() throws Exception {
        Path victim = Files.createDirectory(place.resolve("victim"));
        Path shared = Files.createDirectory(place.resolve("shared"));
        Path made = shared.resolve("new");
        for (int round = 0; round < 1000; round++) {
            var swapper = Thread.ofPlatform().start(() -> swap(made, shared.resolve("old"), victim));
            try {
                HostDirectory.make(made.resolve("a/b/c"), 1234, 1234);
            } catch (IOException swapped) {
                // on its way: what counts is where it led
            }
            swapper.join();
            assertThat(victim).isEmptyDirectory();
            assertThat(of(victim, "uid")).isZero();
            try (var tree = FileTree.open(shared)) {
                for (var entry : tree.list("/")) {
                    tree.deleteTree(entry.name());
                }
            }
        }
    }

    private static void swap(Path made, Path old, Path victim) {
        try {
            while (!Files.exists(made, LinkOption.NOFOLLOW_LINKS)) {
                Thread.onSpinWait();
            }
            Files.move(made, old, StandardCopyOption.ATOMIC_MOVE);
            Files.createSymbolicLink(made, victim);
        } catch (FileAlreadyExistsException madeAgain) {
            // between the two
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
