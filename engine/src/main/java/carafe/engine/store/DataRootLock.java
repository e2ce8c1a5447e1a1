package carafe.engine.store;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/// Keeps a data root for one daemon: an advisory lock on `carafe.lock` in it, which the kernel releases when the
/// process dies however it dies.
public final class DataRootLock implements AutoCloseable {
    private final Path dataRoot;
    private final FileChannel channel;

    private DataRootLock(Path dataRoot, FileChannel channel) {
        this.dataRoot = dataRoot;
        this.channel = channel;
    }

    /// The directory that is locked.
    public Path dataRoot() {
        return dataRoot;
    }

    /// Takes the lock, making the directory (0700) if it is missing. Conflict when another daemon has it.
    public static DataRootLock take(Path dataRoot) throws EngineException {
        try {
            Files.createDirectories(
                    dataRoot, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            var channel = FileChannel.open(
                    dataRoot.resolve("carafe.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            boolean locked = false;
            try {
                locked = channel.tryLock() != null;
            } catch (OverlappingFileLockException e) {
                locked = false; // another engine of this very process
            } finally {
                if (!locked) {
                    channel.close();
                }
            }
            if (!locked) {
                throw new EngineException.Conflict("the data root " + dataRoot
                        + " is in use by another daemon; stop that one, or give this one another --data-root");
            }
            return new DataRootLock(dataRoot, channel);
        } catch (IOException e) {
            throw new EngineException.Internal("cannot use the data root " + dataRoot + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new AssertionError("closing a lock file failed", e);
        }
    }
}
