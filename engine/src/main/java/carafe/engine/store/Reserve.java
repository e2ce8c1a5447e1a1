package carafe.engine.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Room on the disk that is kept for the day it is full: erasing a row takes pages in the write-ahead log, and without
/// them nobody could remove anything to make room. Confined to the database's writer.
final class Reserve {
    private static final Logger LOG = LoggerFactory.getLogger(Reserve.class);
    private static final int BYTES = 512 << 10;
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final Path file;
    private boolean held;
    private long notBefore = System.nanoTime();

    /// Kept as `reserve` in `directory`.
    Reserve(Path directory) {
        this.file = directory.resolve("reserve");
    }

    /// Takes the room unless it is there; on a full disk nothing happens, and it is tried again later.
    void hold() {
        if (held || System.nanoTime() - notBefore < 0) {
            return;
        }
        try {
            if (Files.notExists(file) || Files.size(file) != BYTES) {
                Files.write(file, new byte[BYTES]);
            }
            held = true;
        } catch (IOException e) {
            LOG.debug("no room for {}", file, e);
            spend();
            notBefore = System.nanoTime() + PAUSE.toNanos();
        }
    }

    /// Gives the room away.
    /// @return whether there was any
    boolean spend() {
        held = false;
        try {
            return Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("cannot delete {}", file, e);
            return false;
        }
    }
}
