package carafe.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// How a process ended. `code` is its exit code, 128 plus the signal's number if `signal` (else 0) killed it, as a
/// shell counts. `lostBytes` of its output could not be written to the log.
///
/// As a file, made by the monitor (temporary name, fsync, rename) when the process has ended and all its output is
/// written, one line of `key=value` words:
///
///     carafe-exit 1 pid=4711 code=137 signal=9 started=1763900000.000000001 finished=1763900001.5 lost=0
///
/// Instants are seconds since the epoch with nine digits of fraction. The file is whole or not there.
public record ExitRecord(int pid, int code, int signal, Instant started, Instant finished, long lostBytes) {

    private static final int MAX_BYTES = 512;

    /// The record `name` in `directory`; empty if there is none (or one of another version, or not ours).
    public static Optional<ExitRecord> read(Path directory, String name) throws IOException {
        var file = directory.resolve(name);
        if (!Files.exists(file) || Files.size(file) > MAX_BYTES) {
            return Optional.empty();
        }
        return parse(Files.readString(file));
    }

    /// Reads the line; empty if it is not one.
    static Optional<ExitRecord> parse(String line) {
        return Optional.empty();
    }
}
