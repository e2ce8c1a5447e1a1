package carafe.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Pattern;

/// How a process ended. `code` is its exit code, 128 plus the signal's number if `signal` (else 0) killed it, as a
/// shell counts. `lostLines` of its output could not be written to the log.
///
/// As a file, made by the monitor (temporary name, rename, fsync) when the process has ended and all its output is
/// written, one line of `key=value` words:
///
///     carafe-exit 1 pid=4711 code=137 signal=9 started=1763900000.000000001 finished=1763900001.500000000 lost=0
///
/// Instants are seconds since the epoch with nine digits of fraction. The file is whole or not there; only a power cut
/// in the very moment can leave one that is empty or zeros, which counts as not there.
public record ExitRecord(int pid, int code, int signal, Instant started, Instant finished, long lostLines) {

    private static final int MAX_BYTES = 512;
    private static final Pattern LINE = Pattern.compile("carafe-exit 1 pid=(?<pid>\\d{1,9}) code=(?<code>\\d{1,9})"
            + " signal=(?<signal>\\d{1,3}) started=(?<started>\\d{1,12}\\.\\d{9})"
            + " finished=(?<finished>\\d{1,12}\\.\\d{9}) lost=(?<lost>\\d{1,18})\n");

    /// The record `name` in `directory`; empty if there is none.
    /// @throws IOException it is not one, or cannot be read
    public static Optional<ExitRecord> read(Path directory, String name) throws IOException {
        byte[] bytes;
        try (var in = Files.newInputStream(directory.resolve(name))) {
            bytes = in.readNBytes(MAX_BYTES);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        return bytes.length == 0 || bytes[0] == 0
                ? Optional.empty()
                : Optional.of(parse(new String(bytes, StandardCharsets.US_ASCII)));
    }

    static ExitRecord parse(String line) throws IOException {
        var match = LINE.matcher(line);
        if (!match.matches()) {
            throw new IOException("not an exit record: " + line.substring(0, Math.min(80, line.length())).strip());
        }
        return new ExitRecord(
                Integer.parseInt(match.group("pid")),
                Integer.parseInt(match.group("code")),
                Integer.parseInt(match.group("signal")),
                instant(match.group("started")),
                instant(match.group("finished")),
                Long.parseLong(match.group("lost")));
    }

    private static Instant instant(String seconds) {
        int point = seconds.indexOf('.');
        return Instant.ofEpochSecond(
                Long.parseLong(seconds.substring(0, point)), Long.parseLong(seconds.substring(point + 1)));
    }

    /// Reads a `struct tape_exit`.
    static ExitRecord of(ByteBuffer exit) {
        return new ExitRecord(
                exit.getInt(TapeFormat.EXIT_PID),
                exit.getInt(TapeFormat.EXIT_CODE),
                exit.getInt(TapeFormat.EXIT_SIGNAL),
                Instant.ofEpochSecond(
                        exit.getLong(TapeFormat.EXIT_STARTED_SECONDS), exit.getInt(TapeFormat.EXIT_STARTED_NANOS)),
                Instant.ofEpochSecond(
                        exit.getLong(TapeFormat.EXIT_FINISHED_SECONDS), exit.getInt(TapeFormat.EXIT_FINISHED_NANOS)),
                exit.getLong(TapeFormat.EXIT_LOST_LINES));
    }
}
