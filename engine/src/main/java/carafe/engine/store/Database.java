package carafe.engine.store;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// The records that outlive the daemon, in one SQLite file with a write-ahead log and full synchronisation.
///
/// One platform thread owns the connection's writes (a call into SQLite would pin a virtual thread's carrier while the
/// disk works). Writers queue and wait; what has queued up meanwhile goes into one transaction and shares its one
/// fsync, so parallel work costs less than one durable write each; what nobody waits for stays a moment in the queue for
/// that. A transaction that fails is repeated change by change, so one bad change does not fail its neighbours. On a full
/// disk rows can still be erased ([Reserve]).
public final class Database implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Database.class);
    private static final int MOST_PER_COMMIT = 128;
    private static final Duration HOLD = Duration.ofMillis(50);
    private static final SQLException BROKEN =
            new SQLException("the thread that writes has ended; see the engine's log, then restart it");

    private final Connection connection;
    private final Reserve reserve;
    private final Duration hold;
    private final BlockingQueue<Writing> queue = new LinkedBlockingQueue<>();
    private final Thread writer;
    private Statements statements;
    private volatile boolean closed; // written under the lock of the queue: nothing comes into it afterwards
    private volatile boolean broken; // the same

    /// The statements of the writer. The driver finalizes one that failed (on a full disk, say), so after a failure there
    /// are new ones.
    private record Statements(PreparedStatement insert, PreparedStatement replace, PreparedStatement status,
            PreparedStatement delete, PreparedStatement put, PreparedStatement putNetwork,
            PreparedStatement deleteNetwork, PreparedStatement putVolume, PreparedStatement deleteVolume,
            PreparedStatement putProject, PreparedStatement deleteProject) {

        static Statements prepare(Connection connection) throws SQLException {
            return new Statements(
                    connection.prepareStatement("INSERT INTO containers (id, name, state, created, document, status)"
                            + " VALUES (?, ?, ?, ?, ?, ?)"),
                    connection.prepareStatement(
                            "UPDATE containers SET name = ?, state = ?, document = ?, status = ? WHERE id = ?"),
                    connection.prepareStatement("UPDATE containers SET state = ?, status = ? WHERE id = ?"),
                    connection.prepareStatement("DELETE FROM containers WHERE id = ?"),
                    connection.prepareStatement("INSERT INTO settings (key, value) VALUES (?, ?)"
                            + " ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
                    connection.prepareStatement("INSERT INTO networks (id, name, document) VALUES (?, ?, ?)"
                            + " ON CONFLICT (id) DO UPDATE SET name = excluded.name, document = excluded.document"),
                    connection.prepareStatement("DELETE FROM networks WHERE id = ?"),
                    connection.prepareStatement(
                            "INSERT OR REPLACE INTO volumes (name, created, document) VALUES (?, ?, ?)"),
                    connection.prepareStatement("DELETE FROM volumes WHERE name = ?"),
                    connection.prepareStatement(
                            "INSERT INTO projects (project, kind, owner) VALUES (?, ?, ?) ON CONFLICT (project)"
                                    + " DO UPDATE SET owner = excluded.owner WHERE kind = excluded.kind"),
                    connection.prepareStatement("DELETE FROM projects WHERE project = ?"));
        }

        void close() throws SQLException {
            for (var statement : List.of(
                    insert, replace, status, delete, put, putNetwork, deleteNetwork, putVolume, deleteVolume,
                    putProject, deleteProject)) {
                statement.close();
            }
        }
    }

    /// Changes on their way to the disk.
    public final class Writing {
        private final List<Change> changes;
        private final boolean awaited;
        private final CountDownLatch done = new CountDownLatch(1);
        private final Consumer<EngineException> whenFailed;
        private volatile @Nullable SQLException failure;

        private Writing(List<Change> changes, boolean awaited, Consumer<EngineException> whenFailed) {
            this.changes = changes;
            this.awaited = awaited;
            this.whenFailed = whenFailed;
        }

        private void over() {
            done.countDown();
            SQLException failed = failure;
            if (failed != null) {
                whenFailed.accept(sentence(failed));
            }
        }

        private void abandoned() {
            failure = BROKEN;
            done.countDown();
        }

        /// Whether the changes only say less, or the same otherwise.
        private boolean growsNothing() {
            return changes.stream()
                    .allMatch(change -> change instanceof Change.Delete || change instanceof Change.SetStatus);
        }

        /// Blocks until the changes are durable; not interruptible, for half a write helps nobody.
        public void await() throws EngineException {
            boolean interrupted = false;
            while (true) {
                try {
                    done.await(); // the writer leaves none behind
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            SQLException failed = failure;
            if (failed != null) {
                throw sentence(failed);
            }
        }
    }

    private Database(Connection connection, Reserve reserve, Duration hold) throws SQLException {
        this.connection = connection;
        this.reserve = reserve;
        this.hold = hold;
        statements = Statements.prepare(connection);
        writer = Thread.ofPlatform().name("carafe-database").daemon().unstarted(this::writeUntilClosed);
    }

    /// Opens (or makes) the database in `directory`, bringing an older one up to date.
    public static Database open(Path directory) throws EngineException {
        return open(directory, HOLD);
    }

    /// The same; what nobody waits for waits for `hold`.
    static Database open(Path directory, Duration hold) throws EngineException {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            SqliteLibrary.provide(directory);
            var config = new SQLiteConfig();
            config.setJournalMode(SQLiteConfig.JournalMode.WAL);
            config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
            config.setLockingMode(SQLiteConfig.LockingMode.EXCLUSIVE);
            config.setBusyTimeout(5000);
            config.setGetGeneratedKeys(false); // else each change is searched for what it is, and asked for its row's number
            var connection = config.createConnection("jdbc:sqlite:" + directory.resolve("carafe.sqlite"));
            try {
                connection.setAutoCommit(false);
                Schema.migrate(connection);
                var database = new Database(connection, new Reserve(directory), hold);
                database.writer.start();
                return database;
            } catch (SQLException | EngineException e) {
                connection.close();
                throw e;
            }
        } catch (SQLException | IOException e) {
            throw new EngineException.Internal("cannot open the database in " + directory + ": " + e.getMessage(), e);
        }
    }

    /// Begins to load what [#open] will need (the driver's classes, the native library) on a thread of its own. Worth
    /// calling as early as there is something else to do meanwhile; what goes wrong here, [#open] says.
    public static void preload(Path directory) {
        Thread.ofPlatform().name("carafe-database-load").daemon().start(() -> {
            try {
                Files.createDirectories(
                        directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
                SqliteLibrary.provide(directory);
                new SQLiteConfig().createConnection("jdbc:sqlite::memory:").close();
            } catch (SQLException | IOException e) {
                LOG.debug("loading the database's library", e);
            }
        });
    }

    /// Makes `changes` together, durably, before it returns.
    public void write(Change... changes) throws EngineException {
        begin(changes).await();
    }

    /// Hands `changes` to the writer; they are made together, after all that was begun before.
    public Writing begin(Change... changes) throws EngineException.Unavailable {
        return enqueue(new Writing(List.of(changes), true, _ -> {}));
    }

    /// As [#begin] for a change that nobody waits for: it is made with the next that somebody does wait for, or in a
    /// twentieth of a second. A failure is told to `failed`, on the writer's thread.
    public void beginUnawaited(Consumer<EngineException> failed, Change... changes)
            throws EngineException.Unavailable {
        enqueue(new Writing(List.of(changes), false, failed));
    }

    private Writing enqueue(Writing writing) throws EngineException.Unavailable {
        synchronized (queue) {
            if (broken) {
                throw new EngineException.Unavailable("write to the database: " + BROKEN.getMessage());
            }
            if (closed) {
                throw new EngineException.Unavailable("the engine is shutting down");
            }
            queue.add(writing);
        }
        return writing;
    }

    /// All rows, oldest first.
    public List<Row> rows() throws EngineException {
        synchronized (connection) {
            try (var statement = connection.createStatement();
                    var result = statement.executeQuery(
                            "SELECT id, name, state, created, document, status FROM containers ORDER BY created, id")) {
                var rows = new ArrayList<Row>();
                while (result.next()) {
                    rows.add(new Row(
                            result.getString(1), result.getString(2), result.getString(3), result.getLong(4),
                            result.getString(5), result.getString(6)));
                }
                connection.commit();
                return rows;
            } catch (SQLException e) {
                throw sentence(e);
            }
        }
    }

    /// The rows of all volumes, oldest first.
    public List<VolumeRow> volumes() throws EngineException {
        synchronized (connection) {
            try (var statement = connection.createStatement();
                    var result = statement.executeQuery(
                            "SELECT name, created, document FROM volumes ORDER BY created, name")) {
                var rows = new ArrayList<VolumeRow>();
                while (result.next()) {
                    rows.add(new VolumeRow(result.getString(1), result.getLong(2), result.getString(3)));
                }
                connection.commit();
                return rows;
            } catch (SQLException e) {
                throw sentence(e);
            }
        }
    }

    /// All projects of quotas that have an owner.
    public List<ProjectRow> projects() throws EngineException {
        synchronized (connection) {
            try (var statement = connection.createStatement();
                    var result = statement.executeQuery("SELECT project, kind, owner FROM projects")) {
                var rows = new ArrayList<ProjectRow>();
                while (result.next()) {
                    rows.add(new ProjectRow(result.getInt(1), result.getString(2), result.getString(3)));
                }
                connection.commit();
                return rows;
            } catch (SQLException e) {
                throw sentence(e);
            }
        }
    }

    /// All networks.
    public List<NetworkRow> networks() throws EngineException {
        synchronized (connection) {
            try (var statement = connection.createStatement();
                    var result = statement.executeQuery("SELECT id, name, document FROM networks")) {
                var rows = new ArrayList<NetworkRow>();
                while (result.next()) {
                    rows.add(new NetworkRow(result.getString(1), result.getString(2), result.getString(3)));
                }
                connection.commit();
                return rows;
            } catch (SQLException e) {
                throw sentence(e);
            }
        }
    }

    /// A setting of the engine.
    public Optional<String> setting(String key) throws EngineException {
        synchronized (connection) {
            try (var statement = connection.prepareStatement("SELECT value FROM settings WHERE key = ?")) {
                statement.setString(1, key);
                try (var result = statement.executeQuery()) {
                    Optional<String> value = result.next() ? Optional.of(result.getString(1)) : Optional.empty();
                    connection.commit();
                    return value;
                }
            } catch (SQLException e) {
                throw sentence(e);
            }
        }
    }

    /// Writes what is queued and closes the file.
    @Override
    public void close() {
        synchronized (queue) {
            closed = true;
            queue.add(new Writing(List.of(), true, _ -> {})); // nobody's comes behind it
        }
        boolean interrupted = false;
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        synchronized (connection) {
            try {
                connection.close();
            } catch (SQLException e) {
                throw new AssertionError("closing the database failed", e);
            }
        }
    }

    private void writeUntilClosed() {
        var batch = new ArrayList<Writing>();
        try {
            while (!closed || !queue.isEmpty()) {
                try {
                    collect(batch);
                } catch (InterruptedException e) {
                    continue; // nobody but close ends this thread
                }
                synchronized (connection) {
                    commit(batch);
                }
                while (!batch.isEmpty()) {
                    batch.removeFirst().over();
                }
            }
        } catch (RuntimeException | Error e) {
            abandon(batch);
            LOG.error("the database's writer has ended", e);
            throw e;
        }
    }

    /// Adds what is queued, at least one.
    private void collect(List<Writing> batch) throws InterruptedException {
        if (batch.isEmpty()) {
            batch.add(queue.take());
        }
        long end = System.nanoTime() + hold.toNanos();
        while (!batch.getLast().awaited && batch.size() < MOST_PER_COMMIT) {
            var next = queue.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (next == null) {
                return;
            }
            batch.add(next);
        }
        queue.drainTo(batch, MOST_PER_COMMIT - batch.size());
    }

    /// An error has ended the writer: its callers must not wait for ever.
    private void abandon(List<Writing> batch) {
        synchronized (queue) {
            broken = true;
            closed = true;
        }
        batch.forEach(Writing::abandoned);
        for (var writing = queue.poll(); writing != null; writing = queue.poll()) {
            writing.abandoned();
        }
    }

    private void commit(List<Writing> batch) {
        SQLException failure = tryCommit(batch);
        if (failure == null) {
            reserve.hold();
            return;
        }
        if (batch.size() > 1) {
            batch.forEach(writing -> commit(List.of(writing)));
            return;
        }
        var writing = batch.getFirst();
        if (isFull(failure) && writing.growsNothing() && reserve.spend()) {
            failure = tryCommit(batch);
        }
        writing.failure = failure;
    }

    private static boolean isFull(SQLException e) {
        return e instanceof SQLiteException lite && lite.getResultCode() == SQLiteErrorCode.SQLITE_FULL;
    }

    private @Nullable SQLException tryCommit(List<Writing> batch) {
        try {
            for (var writing : batch) {
                for (var change : writing.changes) {
                    perform(change);
                }
            }
            connection.commit();
            return null;
        } catch (SQLException e) {
            try {
                beginAnew();
            } catch (SQLException suppressed) {
                e.addSuppressed(suppressed);
            }
            return e;
        }
    }

    /// After a failure. Of some (a full disk) the library has rolled back itself: the driver does not know that, and
    /// would neither roll back nor begin a transaction ever again.
    private void beginAnew() throws SQLException {
        try {
            connection.rollback();
        } catch (SQLException e) {
            LOG.debug("there is no transaction any more", e);
            try {
                connection.setAutoCommit(true);
            } catch (SQLException none) {
                LOG.debug("the driver's commit of no transaction", none); // it has taken the new mode all the same
            }
            connection.setAutoCommit(false);
        }
        statements.close();
        statements = Statements.prepare(connection);
    }

    private void perform(Change change) throws SQLException {
        switch (change) {
            case Change.Insert(var row) -> {
                var insert = statements.insert;
                texts(insert, row.id(), row.name(), row.state());
                insert.setLong(4, row.createdNanos());
                insert.setString(5, row.document());
                insert.setString(6, row.status());
                insert.executeUpdate();
            }
            case Change.Replace(var row) -> {
                texts(statements.replace, row.name(), row.state(), row.document(), row.status(), row.id());
                statements.replace.executeUpdate();
            }
            case Change.SetStatus(var id, var state, var document) -> {
                texts(statements.status, state, document, id);
                statements.status.executeUpdate();
            }
            case Change.Delete(var id) -> {
                texts(statements.delete, id);
                statements.delete.executeUpdate();
            }
            case Change.PutNetwork(var row) -> {
                texts(statements.putNetwork, row.id(), row.name(), row.document());
                statements.putNetwork.executeUpdate();
            }
            case Change.DeleteNetwork(var id) -> {
                texts(statements.deleteNetwork, id);
                statements.deleteNetwork.executeUpdate();
            }
            case Change.Put(var key, var value) -> {
                texts(statements.put, key, value);
                statements.put.executeUpdate();
            }
            case Change.PutVolume(var row) -> {
                statements.putVolume.setString(1, row.name());
                statements.putVolume.setLong(2, row.createdNanos());
                statements.putVolume.setString(3, row.document());
                statements.putVolume.executeUpdate();
            }
            case Change.DeleteVolume(var name) -> {
                texts(statements.deleteVolume, name);
                statements.deleteVolume.executeUpdate();
            }
            case Change.PutProject(var row) -> {
                statements.putProject.setInt(1, row.project());
                statements.putProject.setString(2, row.kind());
                statements.putProject.setString(3, row.owner());
                statements.putProject.executeUpdate();
            }
            case Change.DeleteProject(int project) -> {
                statements.deleteProject.setInt(1, project);
                statements.deleteProject.executeUpdate();
            }
        }
    }

    private static void texts(PreparedStatement statement, String... values) throws SQLException {
        for (int index = 0; index < values.length; index++) {
            statement.setString(index + 1, values[index]);
        }
    }

    private static EngineException sentence(SQLException e) {
        if (isFull(e)) {
            return EngineException.Unavailable.full("write to the database", e);
        }
        return new EngineException.Internal("the database failed: " + e.getMessage(), e);
    }
}
