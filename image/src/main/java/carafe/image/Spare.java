package carafe.image;

import carafe.kernel.Descriptors;
import carafe.kernel.FdStream;
import carafe.kernel.Linux;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file of a megabyte that is there to be given up: on a full disk, removing an image must first write the index that
/// no longer names it.
final class Spare {

    private static final System.Logger LOG = System.getLogger("carafe.image");
    private static final int BYTES = 1 << 20;

    private final Path file;

    Spare(Path file) {
        this.file = file;
    }

    /// Makes the file if there is room for it.
    void keep() {
        try {
            if (!Files.exists(file) || Files.size(file) < BYTES) {
                try (var out = Descriptors.open(file, Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC, 0600)) {
                    FdStream.write(out, new byte[BYTES]);
                }
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "no room for a spare file: " + e.getMessage());
            release();
        }
    }

    /// Gives the room back.
    void release() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot remove " + file + ": " + e.getMessage());
        }
    }
}
