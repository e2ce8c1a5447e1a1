package carafe.runtime;

import java.nio.file.Path;

/// Where the monitor writes what the process prints, in Docker's json-file format, rotated at `maxSizeBytes` into at
/// most `maxFiles` files (`file`, `file.1`, …). Not `enabled`: output goes to attached clients only.
public record LogOptions(boolean enabled, Path file, long maxSizeBytes, int maxFiles) {

    /// Docker's shape with our defaults: 5 files of 20 MB.
    public static LogOptions jsonFile(Path file) {
        return new LogOptions(true, file, 20_000_000, 5);
    }

    /// No log; `file` is never touched.
    public static LogOptions none(Path file) {
        return new LogOptions(false, file, 0, 0);
    }
}
