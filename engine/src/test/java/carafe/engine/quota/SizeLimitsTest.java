package carafe.engine.quota;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.engine.store.Change;
import carafe.engine.store.Database;
import carafe.engine.store.ProjectRow;
import carafe.files.DirectoryQuotas;
import carafe.files.MemoryQuotas;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SizeLimitsTest {

    @TempDir
    private Path root;

    private final MemoryQuotas quotas = new MemoryQuotas();
    private Database database;

    @BeforeEach
    void open() throws Exception {
        database = Database.open(root.resolve("db"));
        quotas.enforce();
    }

    @AfterEach
    void close() {
        database.close();
    }

    private SizeLimits limits(DirectoryQuotas on, int... draws) {
        return new SizeLimits(database, on, "volume", new Draws(draws), Failpoints.none());
    }

    /// Gives these numbers, the last one for ever.
    private static final class Draws implements RandomGenerator {
        private final Queue<Integer> left = new ArrayDeque<>();
        private int last;

        Draws(int... draws) {
            for (int draw : draws) {
                left.add(draw);
            }
        }

        @Override
        public long nextLong() {
            throw new AssertionError("only numbers below a bound are drawn");
        }

        @Override
        public int nextInt(int bound) {
            last = left.isEmpty() ? last : left.remove();
            assertThat(last).isLessThan(bound);
            return last;
        }
    }

    private Path directory(String name) throws IOException {
        return Files.createDirectories(root.resolve("volumes").resolve(name));
    }

    @Test
    void aNumberIsWrittenDownAndGivenBack() throws Exception {
        var limits = limits(quotas, 7);
        limits.place("data", directory("data"), 1 << 20);
        int project = SizeLimits.FIRST + 7;
        assertThat(database.projects()).containsExactly(new ProjectRow(project, "volume", "data"));
        assertThat(quotas.limits()).containsEntry(project, 1L << 20);
        assertThat(quotas.project(directory("data"))).isEqualTo(project);
        limits.release("data");
        assertThat(database.projects()).isEmpty();
        assertThat(quotas.limits()).isEmpty();
    }

    @Test
    void aNumberWhoseFilesAreStillThereIsNotUsedAgain() throws Exception {
        var limits = limits(quotas, 7, 7, 8);
        limits.place("data", directory("data"), 1 << 20);
        limits.release("data"); // its files are in the trash
        limits.place("other", directory("other"), 1 << 20);
        assertThat(database.projects()).containsExactly(new ProjectRow(SizeLimits.FIRST + 8, "volume", "other"));
    }

    @Test
    void aNumberWithSomebodysLimitIsNotTaken() throws Exception {
        quotas.limit(SizeLimits.FIRST + 7, 4096);
        limits(quotas, 7, 8).place("data", directory("data"), 1 << 20);
        assertThat(quotas.limits()).containsEntry(SizeLimits.FIRST + 7, 4096L)
                .containsEntry(SizeLimits.FIRST + 8, 1L << 20);
    }

    @Test
    void whenNoNumberIsFoundTheSentenceSaysWhatToLookAt() throws Exception {
        quotas.limit(SizeLimits.FIRST + 7, 4096);
        assertThatThrownBy(() -> limits(quotas, 7).place("data", directory("data"), 1 << 20))
                .isInstanceOf(EngineException.Unavailable.class)
                .hasMessageContaining("volume data").hasMessageContaining("repquota -P");
        assertThat(database.projects()).isEmpty();
    }

    /// Another engine on the same file system takes the number between this one's look and its own step.
    @Test
    void whoChoseTheSameNumberAtTheSameMomentLeavesItsLimitAlone() throws Exception {
        int project = SizeLimits.FIRST + 7;
        Path theirs = directory("theirs");
        var contended = new Contended(quotas, () -> {
            quotas.assign(theirs, project);
            quotas.limit(project, 4096);
        });
        limits(contended, 7, 8).place("data", directory("data"), 1 << 20);
        assertThat(quotas.project(directory("data"))).isEqualTo(project + 1);
        assertThat(quotas.limits()).containsEntry(project, 4096L).containsEntry(project + 1, 1L << 20);
        assertThat(database.projects()).containsExactly(new ProjectRow(project + 1, "volume", "data"));
    }

    private interface Move {
        void make() throws EngineException;
    }

    /// Quotas where `move` is made before the first directory gets its number.
    private static class Contended implements DirectoryQuotas {
        private final DirectoryQuotas to;
        private final Queue<Move> moves;

        Contended(DirectoryQuotas to, Move move) {
            this.to = to;
            this.moves = new ArrayDeque<>(List.of(move));
        }

        @Override
        public boolean enforced() throws EngineException {
            return to.enforced();
        }

        @Override
        public String advice() {
            return to.advice();
        }

        @Override
        public Usage usage(int project) throws EngineException {
            return to.usage(project);
        }

        @Override
        public void limit(int project, long bytes) throws EngineException {
            to.limit(project, bytes);
        }

        @Override
        public int project(Path directory) throws EngineException {
            return to.project(directory);
        }

        @Override
        public void assign(Path directory, int project) throws EngineException {
            if (!moves.isEmpty()) {
                moves.remove().make();
            }
            to.assign(directory, project);
        }
    }

    @Test
    void aSecondDirectoryOfAnOwnerCountsWithTheFirst() throws Exception {
        var limits = limits(quotas, 7);
        limits.place("data", directory("data"), 1 << 20);
        Files.write(directory("data").resolve("f"), new byte[700_000]);
        limits.place("data", directory("draft"), 1 << 20);
        Files.write(directory("draft").resolve("f"), new byte[700_000]);
        assertThat(limits.excessive("data")).contains(1_400_000L);
        assertThat(limits.excessive("nobody")).isEmpty();
    }

    @Test
    void afterACrashWhatNobodyOwnsIsGivenBackAndTheRestIsKnown() throws Exception {
        database.write(new Change.PutProject(new ProjectRow(SizeLimits.FIRST + 1, "volume", "gone")),
                new Change.PutProject(new ProjectRow(SizeLimits.FIRST + 2, "volume", "there")),
                new Change.PutProject(new ProjectRow(SizeLimits.FIRST + 3, "container", "gone")));
        quotas.limit(SizeLimits.FIRST + 1, 4096);
        quotas.limit(SizeLimits.FIRST + 2, 4096);
        var limits = limits(quotas, 9);
        limits.read();
        limits.settle(Set.of("there"));
        assertThat(quotas.limits()).containsOnlyKeys(SizeLimits.FIRST + 2);
        assertThat(database.projects()).extracting(ProjectRow::project)
                .containsExactlyInAnyOrder(SizeLimits.FIRST + 2, SizeLimits.FIRST + 3);
        limits.place("there", directory("there"), 8192);
        assertThat(quotas.limits()).containsEntry(SizeLimits.FIRST + 2, 8192L);
    }

    @Test
    void whatCannotBeGivenBackNowIsLater() throws Exception {
        var limits = limits(quotas, 7);
        limits.place("data", directory("data"), 1 << 20);
        quotas.forgo();
        limits.release("data");
        assertThat(database.projects()).hasSize(1);
        quotas.enforce();
        var later = limits(quotas, 8);
        later.read();
        later.settle(Set.of());
        assertThat(database.projects()).isEmpty();
        assertThat(quotas.limits()).isEmpty();
    }

    /// As when volumes and containers lie on two file systems, of which neither knows the other's numbers.
    @Test
    void aNumberThatIsNotedForAnotherKindIsLeftToIt() throws Exception {
        var theirs = new ProjectRow(SizeLimits.FIRST + 7, "container", "web");
        database.write(new Change.PutProject(theirs));
        var limits = limits(quotas, 7, 8);
        limits.place("data", directory("data"), 1 << 20);
        assertThat(database.projects())
                .containsExactlyInAnyOrder(theirs, new ProjectRow(SizeLimits.FIRST + 8, "volume", "data"));
        database.write(limits.renaming("data", "next").orElseThrow());
        limits.renamed("data", "next");
        assertThat(database.projects()).contains(new ProjectRow(SizeLimits.FIRST + 8, "volume", "next"));
    }

    /// A disk that does not answer keeps nobody waiting who does not ask it.
    @Test
    void nobodyWaitsForAnothersDisk() throws Exception {
        var asked = new CountDownLatch(1);
        var answer = new CountDownLatch(1);
        var slow = new Contended(quotas, () -> { }) {
            @Override
            public Usage usage(int project) throws EngineException {
                asked.countDown();
                awaitQuietly(answer);
                return super.usage(project);
            }
        };
        var limits = limits(slow, 7);
        var placing = Thread.ofVirtual().start(() -> {
            try {
                limits.place("data", directory("data"), 1 << 20);
            } catch (EngineException | IOException e) {
                throw new AssertionError(e);
            }
        });
        asked.await();
        var other = Thread.ofVirtual().start(() -> limits.renamed("a", "b"));
        assertThat(other.join(Duration.ofSeconds(20))).as("somebody else's change").isTrue();
        answer.countDown();
        placing.join();
        assertThat(database.projects()).hasSize(1);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
