package carafe.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/// A compiled system-call filter: a BPF program (8 bytes per instruction) and SECCOMP_FILTER_FLAG_* bits. An empty
/// program without `trouble` is no filter; with it, there is a filter that could not be read, and nothing may be run
/// under it. `file` is where the program is kept for those who come after this daemon.
@SuppressWarnings("ArrayRecordComponent") // never compared, never changed
record Filter(byte[] program, long flags, Optional<Path> file, String trouble) {

    /// Every system call is allowed.
    static final Filter NONE = new Filter(new byte[0], 0, Optional.empty());

    private static final String SUFFIX = ".bpf";

    Filter(byte[] program, long flags, Optional<Path> file) {
        this(program, flags, file, "");
    }

    /// The file of `program` in `directory`, named by its content.
    static Path fileOf(byte[] program, Path directory) {
        return directory.resolve(digest(program) + SUFFIX);
    }

    /// Reads what an earlier life kept in `file`; what is not there or is not what it was becomes trouble.
    static Filter read(Path file, long flags) {
        try {
            byte[] program = Files.readAllBytes(file);
            if (String.valueOf(file.getFileName()).equals(digest(program) + SUFFIX)) {
                return new Filter(program, flags, Optional.of(file));
            }
            return new Filter(new byte[0], flags, Optional.of(file), file + " was changed or cut short");
        } catch (NoSuchFileException e) {
            return new Filter(new byte[0], flags, Optional.of(file), file + " is not there any more");
        } catch (IOException e) {
            return new Filter(new byte[0], flags, Optional.of(file), "cannot read " + file + ": " + e.getMessage());
        }
    }

    private static String digest(byte[] program) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(program));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e); // every JDK has it
        }
    }

    boolean isEmpty() {
        return program.length == 0;
    }

    int instructions() {
        return program.length / 8;
    }
}
