package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.nio.file.Path;

/// Makes descriptors that are no files of a tree: memfds, pipes, socket pairs; and sets what belongs to a descriptor:
/// seals, locks, flags. Everything is close-on-exec at birth.
public final class Descriptors {

    private Descriptors() {}

    /// Two descriptors that belong together; both are owned. For a pipe `first` is the end to read from.
    public record Pair(Fd first, Fd second) implements AutoCloseable {
        @Override
        public void close() {
            first.close();
            second.close();
        }
    }

    /// Opens a file of ours by a trusted path with `O_*` flags; `mode` is for O_CREAT. Source: openat2(2).
    public static Fd open(Path path, int flags, int mode) throws KernelException {
        return new Opening(flags, mode, 0).open(Linux.AT_FDCWD, path.toString());
    }

    /// A file in memory that can be sealed; `name` shows in /proc only. Source: memfd_create(2).
    public static Fd memfd(String name) throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.MEMFD_CREATE, frame.text(name).address(),
                    Linux.MFD_CLOEXEC | Linux.MFD_ALLOW_SEALING);
            return Fd.adopt((int) Frame.checked(fd, Syscall.MEMFD_CREATE, name), "memfd " + name);
        }
    }

    /// A memfd with this content that nobody can change any more, its position at the start.
    public static Fd sealedMemfd(String name, byte[] content) throws KernelException {
        var fd = memfd(name);
        try {
            FdStream.write(fd, content);
            FdStream.seek(fd, 0, Linux.SEEK_SET);
            seal(fd, Linux.F_SEAL_SEAL | Linux.F_SEAL_SHRINK | Linux.F_SEAL_GROW | Linux.F_SEAL_WRITE);
            return fd;
        } catch (KernelException e) {
            fd.close();
            throw e;
        }
    }

    /// Adds `F_SEAL_*` seals for ever.
    public static void seal(Fd memfd, int seals) throws KernelException {
        fcntl(memfd, Linux.F_ADD_SEALS, seals);
    }

    /// A pipe; `flags` are O_NONBLOCK or 0. Source: pipe2(2).
    public static Pair pipe(int flags) throws KernelException {
        try (var frame = new Frame()) {
            var out = frame.allocate(8, 4);
            Frame.checked(frame.attempt(Syscall.PIPE2, out.address(), flags | Linux.O_CLOEXEC), Syscall.PIPE2, null);
            return new Pair(Fd.adopt(out.get(JAVA_INT, 0), "pipe's end to read"),
                    Fd.adopt(out.get(JAVA_INT, 4), "pipe's end to write"));
        }
    }

    /// Lets a pipe hold `bytes`, as far as /proc/sys/fs/pipe-max-size and the user's share of pipe memory go.
    /// @return how much it holds now
    public static int setPipeBytes(Fd pipe, int bytes) throws KernelException {
        try {
            return fcntl(pipe, Linux.F_SETPIPE_SZ, bytes);
        } catch (KernelException e) {
            if (e.is(Errno.EPERM, Errno.EBUSY)) {
                return fcntl(pipe, Linux.F_GETPIPE_SZ, 0);
            }
            throw e;
        }
    }

    /// Two connected unix sockets of `type`, one of `SOCK_*`. Source: socketpair(2).
    public static Pair socketPair(int type) throws KernelException {
        try (var frame = new Frame()) {
            var out = frame.allocate(8, 4);
            long rc = frame.attempt(Syscall.SOCKETPAIR, Linux.AF_UNIX, type | Linux.SOCK_CLOEXEC, 0, out.address());
            Frame.checked(rc, Syscall.SOCKETPAIR, null);
            return new Pair(Fd.adopt(out.get(JAVA_INT, 0), "socket pair"),
                    Fd.adopt(out.get(JAVA_INT, 4), "socket pair"));
        }
    }

    /// Locks the open file for this descriptor and its duplicates until all are closed. Never waits. Source: flock(2).
    /// @return false when somebody else holds it
    public static boolean tryLock(Fd fd, boolean exclusive) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.FLOCK, fd.number(),
                    (exclusive ? Linux.LOCK_EX : Linux.LOCK_SH) | Linux.LOCK_NB);
            if (rc == -Errno.EAGAIN) {
                return false;
            }
            Frame.checked(rc, Syscall.FLOCK, fd.subject());
            return true;
        }
    }

    /// Whether programs that are executed inherit the descriptor.
    public static void setInheritable(Fd fd, boolean inheritable) throws KernelException {
        fcntl(fd, Linux.F_SETFD, inheritable ? 0 : Linux.FD_CLOEXEC);
    }

    private static int fcntl(Fd fd, int command, int argument) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.FCNTL, fd.number(), command, argument);
            return (int) Frame.checked(rc, Syscall.FCNTL, fd.subject());
        }
    }
}
