package carafe.runtime;

/// A compiled system-call filter: a BPF program (8 bytes per instruction) and SECCOMP_FILTER_FLAG_* bits. An empty
/// program is no filter.
@SuppressWarnings("ArrayRecordComponent") // never compared, never changed
record Filter(byte[] program, long flags) {

    /// Every system call is allowed.
    static final Filter NONE = new Filter(new byte[0], 0);

    boolean isEmpty() {
        return program.length == 0;
    }

    int instructions() {
        return program.length / 8;
    }
}
