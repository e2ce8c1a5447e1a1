package carafe.engine.store;

import carafe.spec.EngineException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/// The database's versions: step N brings a database of version N to N+1. Steps are never changed once released.
final class Schema {
    private static final List<List<String>> STEPS = List.of(
            List.of(
                    """
                    CREATE TABLE containers (
                        id TEXT PRIMARY KEY,
                        name TEXT NOT NULL UNIQUE,
                        state TEXT NOT NULL,
                        created INTEGER NOT NULL,
                        document TEXT NOT NULL,
                        status TEXT NOT NULL
                    )""",
                    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)"),
            List.of("CREATE TABLE networks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, document TEXT NOT NULL)"),
            List.of("""
                    CREATE TABLE volumes (
                        name TEXT PRIMARY KEY,
                        created INTEGER NOT NULL,
                        document TEXT NOT NULL
                    )"""),
            List.of("CREATE TABLE projects (project INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL)"));

    /// The version this program writes.
    static final int VERSION = STEPS.size();

    private Schema() {}

    /// Brings the database to [#VERSION], each step in its own transaction.
    static void migrate(Connection connection) throws SQLException, EngineException {
        int version;
        try (var statement = connection.createStatement();
                var result = statement.executeQuery("PRAGMA user_version")) {
            version = result.getInt(1);
        }
        connection.commit();
        if (version > VERSION) {
            throw new EngineException.Unsupported("the database was written by a newer version (its schema is "
                    + version + ", this program knows " + VERSION + "); start that version, or use another data root");
        }
        for (int step = version; step < VERSION; step++) {
            try (var statement = connection.createStatement()) {
                for (var sql : STEPS.get(step)) {
                    statement.execute(sql);
                }
                statement.execute("PRAGMA user_version = " + (step + 1));
            }
            connection.commit();
        }
    }
}
