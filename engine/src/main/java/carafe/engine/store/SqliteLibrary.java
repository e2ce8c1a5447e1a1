package carafe.engine.store;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.util.LibraryLoaderUtil;

/// Where SQLite's native library is loaded from. Left alone, the driver unpacks it into the temporary directory at
/// every start (a megabyte, and a race in a shared directory); here it is unpacked once, beside the database.
final class SqliteLibrary {
    private static final String PATH_PROPERTY = "org.sqlite.lib.path";
    private static final String NAME_PROPERTY = "org.sqlite.lib.name";

    private SqliteLibrary() {}

    /// Points the driver to a library in `directory`, unpacking it if this version is not there. Does nothing when the
    /// start script already said where it is.
    static synchronized void provide(Path directory) throws IOException {
        if (System.getProperty(PATH_PROPERTY) != null) {
            return;
        }
        String resource = LibraryLoaderUtil.getNativeLibResourcePath() + "/"
                + LibraryLoaderUtil.getNativeLibName();
        String name = "libsqlitejdbc-" + SQLiteJDBCLoader.getVersion() + ".so";
        Path library = directory.resolve(name);
        if (!Files.exists(library)) {
            Path unfinished = directory.resolve(name + ".tmp");
            try (var in = SQLiteJDBCLoader.class.getResourceAsStream(resource)) {
                if (in == null) {
                    return; // an architecture without a packed library: the driver says so itself
                }
                Files.copy(in, unfinished, StandardCopyOption.REPLACE_EXISTING);
            }
            try {
                Files.move(unfinished, library, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                throw new AssertionError(e); // same directory
            }
        }
        System.setProperty(PATH_PROPERTY, directory.toString());
        System.setProperty(NAME_PROPERTY, name);
    }
}
