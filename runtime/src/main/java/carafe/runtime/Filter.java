package carafe.runtime;

import java.nio.file.Path;
import java.util.Optional;

/// A compiled system-call filter: a BPF program (8 bytes per instruction) and SECCOMP_FILTER_FLAG_* bits. An empty
/// program is no filter. `file` is where the program is kept for those who come after this daemon.
@SuppressWarnings("ArrayRecordComponent") // never compared, never changed
record Filter(byte[] program, long flags, Optional<Path> file) {

    /// Every system call is allowed.
    static final Filter NONE = new Filter(new byte[0], 0, Optional.empty());

    boolean isEmpty() {
        return program.length == 0;
    }

    int instructions() {
        return program.length / 8;
    }
}
