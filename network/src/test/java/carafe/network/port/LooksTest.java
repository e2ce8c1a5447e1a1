package carafe.network.port;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Descriptors;
import carafe.kernel.Linux;
import carafe.kernel.Mounts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Looks at data roots of other engines.
final class LooksTest {

    @TempDir
    private Path root;

    private static List<Thread> looking(Path place) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("look at " + place)).toList();
    }

    /// As of an NFS server that is gone: a file system whose program never answers.
    @Test
    void aFileSystemThatNeverAnswersKeepsNobodyWaiting() throws Exception {
        Path dead = Files.createDirectory(root.resolve("dead"));
        var owner = TableOwner.parse("engine 1/1, data root 1/1 " + dead + "/engine").orElseThrow();
        var looks = new Looks();
        var left = List.<Thread>of();
        try (var program = Descriptors.open(Path.of("/dev/fuse"), Linux.O_RDWR, 0)) {
            String fd = program.path().substring(program.path().lastIndexOf('/') + 1);
            Mounts.mount("dead", dead, "fuse", 0, "fd=" + fd + ",rootmode=40000,user_id=0,group_id=0");
            try {
                assertThat(owner.isGone(Optional.empty(), looks)).isFalse();
                left = looking(owner.dataRoot());
                assertThat(left).hasSize(1);
                assertThat(owner.isGone(Optional.empty(), looks)).isFalse();
                assertThat(looking(owner.dataRoot())).as("nobody looks again").isEqualTo(left);
            } finally {
                Mounts.detach(dead);
            }
        }
        left.getFirst().join(); // no program, no waiting
        assertThat(looking(owner.dataRoot())).isEmpty();
    }

    @Test
    void whatAnswersIsBelieved() throws Exception {
        var gone = TableOwner.here(Files.createDirectory(root.resolve("engine")));
        var looks = new Looks();
        assertThat(gone.isGone(Optional.empty(), looks)).isFalse();
        Files.delete(root.resolve("engine"));
        assertThat(new TableOwner(1, 1, TableOwner.here(root).where(), gone.dataRoot()).isGone(Optional.empty(), looks)).isTrue();
    }
}
