package carafe.engine.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.Mounts;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

final class DatabaseTest {
    @TempDir
    private Path directory;

    private static Row row(String id, long created) {
        return new Row(id, "name-" + id, "created", created, "{\"Id\":\"" + id + "\"}", "{}");
    }

    @Test
    void rowsSurviveReopeningInTheOrderOfTheirCreation() throws Exception {
        try (var database = Database.open(directory)) {
            database.write(new Change.Insert(row("b", 2)));
            database.write(new Change.Insert(row("a", 1)));
            database.write(new Change.SetStatus("b", "running", "{\"Pid\":7}"));
        }
        try (var database = Database.open(directory)) {
            assertThat(database.rows())
                    .containsExactly(
                            row("a", 1), new Row("b", "name-b", "running", 2, "{\"Id\":\"b\"}", "{\"Pid\":7}"));
        }
    }

    @Test
    void aRowCanBeReplacedAndDeleted() throws Exception {
        try (var database = Database.open(directory)) {
            database.write(new Change.Insert(row("a", 1)));
            var other = new Row("a", "new", "exited", 1, "{}", "{}");
            database.write(new Change.Replace(other));
            assertThat(database.rows()).containsExactly(other);
            database.write(new Change.Delete("a"));
            assertThat(database.rows()).isEmpty();
        }
    }

    @Test
    void onAFullDiskRowsCanStillBeErased() throws Exception {
        Path disk = Files.createDirectory(directory.resolve("disk"));
        Mounts.mount("tmpfs", disk, "tmpfs", 0, "size=8m");
        try {
            try (var database = Database.open(disk.resolve("db"))) {
                database.write(new Change.Insert(row("a", 1)));
            }
            Path filler = disk.resolve("filler");
            try (var database = Database.open(disk.resolve("db"))) {
                fill(filler);
                assertThatThrownBy(() -> {
                    for (int i = 0; i < 1000; i++) {
                        database.write(new Change.Insert(row("more" + i, 2)));
                    }
                }).isInstanceOf(EngineException.Unavailable.class)
                        .hasMessage("write to the database: no space left on device;"
                                + " system prune removes what nothing uses, then try again");
                database.write(new Change.Delete("a"));
                assertThat(database.rows()).doesNotContain(row("a", 1));
                assertThat(disk.resolve("db/reserve")).doesNotExist();
                Files.delete(filler);
            }
            try (var database = Database.open(disk.resolve("db"))) {
                assertThat(database.rows()).doesNotContain(row("a", 1));
                database.write(new Change.Insert(row("b", 3)));
                assertThat(disk.resolve("db/reserve")).exists();
            }
        } finally {
            Mounts.detach(disk);
        }
    }

    private static void fill(Path file) throws IOException {
        try (var out = Files.newOutputStream(file)) {
            for (int bytes = 1 << 16; bytes > 0; ) {
                try {
                    out.write(new byte[bytes]);
                } catch (IOException e) {
                    bytes /= 2;
                }
            }
        }
    }

    @Test
    void aFailingChangeFailsAloneAmongParallelOnes() throws Exception {
        try (var database = Database.open(directory)) {
            database.write(new Change.Insert(row("x", 0)));
            try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
                var results = IntStream.range(0, 200)
                        .mapToObj(number -> pool.submit(() -> {
                            try {
                                database.write(new Change.Insert(row(number % 10 == 0 ? "x" : "c" + number, number)));
                                return true;
                            } catch (EngineException.Internal e) {
                                return false;
                            }
                        }))
                        .toList();
                int failed = 0;
                for (var result : results) {
                    failed += result.get() ? 0 : 1;
                }
                assertThat(failed).isEqualTo(20);
            }
            assertThat(database.rows()).hasSize(181);
        }
    }

    @Test
    void changesOfOneWriteAreMadeTogetherOrNotAtAll() throws Exception {
        try (var database = Database.open(directory)) {
            database.write(new Change.Insert(row("a", 1)));
            assertThatThrownBy(() -> database.write(new Change.Put("k", "v"), new Change.Insert(row("a", 1))))
                    .isInstanceOf(EngineException.Internal.class)
                    .hasMessageContaining("UNIQUE");
            assertThat(database.setting("k")).isEmpty();
        }
    }

    @Test
    void settingsAreKept() throws Exception {
        try (var database = Database.open(directory)) {
            database.write(new Change.Put("boot", "1"));
            database.write(new Change.Put("boot", "2"));
        }
        try (var database = Database.open(directory)) {
            assertThat(database.setting("boot")).contains("2");
            assertThat(database.setting("other")).isEmpty();
        }
    }

    @Test
    void aDatabaseOfANewerVersionIsRefusedInOneSentence() throws Exception {
        Database.open(directory).close();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("carafe.sqlite"));
                var statement = connection.createStatement()) {
            statement.execute("PRAGMA user_version = 99");
        }
        assertThatThrownBy(() -> Database.open(directory))
                .isInstanceOf(EngineException.Unsupported.class)
                .hasMessageContaining("newer version");
    }

    @Test
    void writingAfterTheEndIsRefused() throws Exception {
        var database = Database.open(directory);
        database.close();
        assertThatThrownBy(() -> database.write(new Change.Put("k", "v")))
                .isInstanceOf(EngineException.Unavailable.class);
    }

    /// As an error of the JVM would end it; nobody waits for a thread that is gone.
    @Test
    @Timeout(60)
    void whenTheWriterIsGoneNobodyWaitsForIt() throws Exception {
        try (var database = Database.open(directory)) {
            database.write(new Change.Insert(row("a", 1)));
            var told = new CountDownLatch(1);
            var ended = new CountDownLatch(1);
            database.beginUnawaited(failure -> {
                told.countDown();
                try {
                    ended.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                throw new OutOfMemoryError("for the test");
            }, new Change.Insert(row("a", 1)));
            told.await();
            var late = database.begin(new Change.Insert(row("b", 2)));
            ended.countDown();
            assertThatThrownBy(late::await).isInstanceOf(EngineException.class)
                    .hasMessageContaining("the thread that writes has ended");
            assertThatThrownBy(() -> database.write(new Change.Insert(row("c", 3)))).isInstanceOf(EngineException.class)
                    .hasMessageContaining("the thread that writes has ended");
        }
    }

    /// The transactions in the write-ahead log: its frames that say how large the database is after them.
    /// Source: SQLite, "WAL-mode File Format".
    private int transactions() throws IOException {
        var log = ByteBuffer.wrap(Files.readAllBytes(directory.resolve("carafe.sqlite-wal")));
        int count = 0;
        for (int frame = 32; frame < log.capacity(); frame += 24 + log.getInt(8)) {
            count += log.getInt(frame + 4) == 0 ? 0 : 1;
        }
        return count;
    }

    @Test
    @Timeout(60)
    void whatNobodyWaitsForSharesTheNextTransaction() throws Exception {
        try (var database = Database.open(directory, Duration.ofDays(1))) {
            database.write(new Change.Insert(row("a", 1)), new Change.Insert(row("b", 2)));
            int before = transactions();
            for (String id : List.of("a", "b")) {
                database.beginUnawaited(failure -> {
                    throw new AssertionError(failure);
                }, new Change.SetStatus(id, "running", "{\"Pid\":7}"));
            }
            database.write(new Change.Delete("a"));
            assertThat(transactions()).isEqualTo(before + 1);
            assertThat(database.rows()).containsExactly(new Row("b", "name-b", "running", 2, "{\"Id\":\"b\"}", "{\"Pid\":7}"));
            database.beginUnawaited(_ -> { }, new Change.Put("late", "yes"));
        }
        try (var database = Database.open(directory, Duration.ofMillis(1))) {
            assertThat(database.setting("late")).hasValue("yes");
            database.beginUnawaited(_ -> { }, new Change.Put("alone", "yes"));
            while (database.setting("alone").isEmpty()) { // nobody else comes
                Thread.sleep(5);
            }
        }
    }

    @Test
    void nothingIsUnpackedIntoTheTemporaryDirectory() throws Exception {
        Database.open(directory).close();
        try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            assertThat(files).noneMatch(file -> file.getFileName().toString().startsWith("sqlite-"));
        }
    }

    @Test
    void aSecondDaemonOnTheSameDataRootIsRefused() throws Exception {
        try (var lock = DataRootLock.take(directory)) {
            assertThat(lock).isNotNull();
            assertThatThrownBy(() -> DataRootLock.take(directory))
                    .isInstanceOf(EngineException.Conflict.class)
                    .hasMessageContaining("in use by another daemon");
        }
        DataRootLock.take(directory).close();
    }
}
