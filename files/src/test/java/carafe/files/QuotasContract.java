package carafe.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What limits of directories do, whoever keeps them.
abstract class QuotasContract {

    final int project = 0x7a000000 + ThreadLocalRandom.current().nextInt(1 << 20);
    Path root;
    DirectoryQuotas quotas;

    /// A directory where there are quotas.
    abstract Path place() throws Exception;

    abstract DirectoryQuotas quotas(Path root);

    @BeforeEach
    void open() throws Exception {
        root = Files.createTempDirectory(place(), "quotas");
        quotas = quotas(root);
    }

    @Test
    void aNumberThatNobodyHasIsUnused() throws Exception {
        assertThat(quotas.enforced()).isTrue();
        assertThat(quotas.usage(project)).isEqualTo(new DirectoryQuotas.Usage(0, 0, 0));
        assertThat(quotas.exceeded(project)).isFalse();
        assertThat(quotas.project(root)).isZero();
    }

    @Test
    void aDirectoryCountsWithAllThatIsMadeBelowIt() throws Exception {
        var directory = Files.createDirectory(root.resolve("limited"));
        quotas.assign(directory, project);
        assertThat(quotas.project(directory)).isEqualTo(project);
        assertThat(quotas.usage(project).files()).isEqualTo(1);
        Files.write(Files.createDirectories(directory.resolve("a/b")).resolve("file"), new byte[100_000]);
        assertThat(quotas.usage(project).files()).isEqualTo(4);
        assertThat(quotas.usage(project).bytes()).isBetween(100_000L, 150_000L);
    }

    @Test
    void aLimitIsRoundedUpToWholeBlocksAndCanBeTakenBack() throws Exception {
        quotas.assign(Files.createDirectory(root.resolve("limited")), project);
        quotas.limit(project, 1_000_001);
        assertThat(quotas.usage(project).limitBytes()).isBetween(1_000_001L, 1_000_001L + 4096);
        quotas.limit(project, 0);
        assertThat(quotas.usage(project).limitBytes()).isZero();
    }

    @Test
    void whoMayWriteMoreIsToldOf() throws Exception {
        var directory = Files.createDirectory(root.resolve("limited"));
        quotas.assign(directory, project);
        Files.write(directory.resolve("file"), new byte[300_000]);
        quotas.limit(project, 200_000);
        assertThat(quotas.exceeded(project)).isTrue();
        quotas.limit(project, 400_000);
        assertThat(quotas.exceeded(project)).isFalse();
    }

    @Test
    void twoDirectoriesOfANumberCountTogetherAndADirectoryCanChangeIt() throws Exception {
        var one = Files.createDirectory(root.resolve("one"));
        var two = Files.createDirectory(root.resolve("two"));
        quotas.assign(one, project);
        quotas.assign(two, project);
        assertThat(quotas.usage(project).files()).isEqualTo(2);
        quotas.assign(two, project + 1);
        assertThat(quotas.usage(project).files()).isEqualTo(1);
        assertThat(quotas.usage(project + 1).files()).isEqualTo(1);
    }

    @Test
    void aDirectoryKeepsItsNumberUnderAnotherName() throws Exception {
        var directory = Files.createDirectory(root.resolve("limited"));
        quotas.assign(directory, project);
        var renamed = Files.move(directory, root.resolve("renamed"));
        assertThat(quotas.project(renamed)).isEqualTo(project);
        assertThat(quotas.usage(project).files()).isEqualTo(1);
    }

    @Test
    void aNumberIsUnusedAgainWhenItsFilesAreGone() throws Exception {
        var directory = Files.createDirectory(root.resolve("limited"));
        quotas.assign(directory, project);
        Files.write(directory.resolve("file"), new byte[10]);
        Files.delete(directory.resolve("file"));
        Files.delete(directory);
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (quotas.usage(project).files() > 0 && System.nanoTime() < deadline) {
            LockSupport.parkNanos(10_000_000); // XFS lets go of inodes in the background
        }
        assertThat(quotas.usage(project)).isEqualTo(new DirectoryQuotas.Usage(0, 0, 0));
    }
}
