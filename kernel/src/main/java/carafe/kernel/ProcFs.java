package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

/// The daemon's own /proc, checked once to be a procfs before any path below it is trusted to name an inode.
final class ProcFs {

    private static final boolean GENUINE = isProcfs();

    private ProcFs() {}

    /// The path by which the kernel finds the inode of `fd` again.
    /// @throws KernelException EXDEV /proc is something else than procfs
    static String path(Fd fd) throws KernelException {
        if (!GENUINE) {
            throw new KernelException("open", "/proc/self/fd", Errno.EXDEV, "/proc is no procfs");
        }
        return fd.path();
    }

    private static boolean isProcfs() {
        try (var frame = new Frame()) {
            var statfs = frame.allocate(120, 8);
            long rc = frame.attempt(Syscall.STATFS, frame.text("/proc/self/fd").address(), statfs.address());
            return rc == 0 && statfs.get(JAVA_LONG, 0) == Linux.PROC_SUPER_MAGIC;
        } catch (KernelException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
