package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

/// openat2(2): the one way to open anything here. `resolve` says what names may do on the way.
record Opening(long flags, int mode, long resolve) {

    private static final int HOW_BYTES = 24;

    /// The kernel answers EAGAIN when a rename or mount raced a `..`; that often in a row is an attack, not luck.
    private static final int RACES = 64;

    /// Inside a tree that others wrote: nothing leads above its root, nothing through /proc's magic links.
    static final long IN_ROOT = Linux.RESOLVE_IN_ROOT | Linux.RESOLVE_NO_MAGICLINKS;

    /// Exactly the one name.
    static final long NAME_ONLY = Linux.RESOLVE_BENEATH | Linux.RESOLVE_NO_SYMLINKS;

    static Opening inRoot(int flags, int mode) {
        return new Opening(flags, mode, IN_ROOT);
    }

    static Opening nameOnly(int flags, int mode) {
        return new Opening(flags, mode, NAME_ONLY);
    }

    /// A path of somebody else's in which no name leads elsewhere.
    static Opening withoutLinks(int flags) {
        return new Opening(flags, 0, Linux.RESOLVE_NO_SYMLINKS);
    }

    /// A path of our own making, or a caller's with no more rights than ours, resolved as the kernel pleases.
    static Opening trusted(int flags) {
        return new Opening(flags, 0, 0);
    }

    Fd open(int directory, String path) throws KernelException {
        try (var frame = new Frame()) {
            return Fd.adopt((int) Frame.checked(attempt(frame, directory, path), Syscall.OPENAT2, path), path);
        }
    }

    /// @return the descriptor's number or the negative errno
    long attempt(Frame frame, int directory, String path) throws KernelException {
        var how = frame.allocate(HOW_BYTES, 8);
        how.set(JAVA_LONG, 0, flags | Linux.O_CLOEXEC);
        how.set(JAVA_LONG, 8, mode);
        how.set(JAVA_LONG, 16, resolve);
        var text = frame.text(path.isEmpty() ? "." : path);
        long result;
        int tries = 0;
        do {
            result = frame.attempt(Syscall.OPENAT2, directory, text.address(), how.address(), HOW_BYTES);
        } while (result == -Errno.EAGAIN && ++tries < RACES);
        return result;
    }
}
