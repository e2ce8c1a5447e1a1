package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.util.Map;

/// A terminal in a devpts instance of its own, which is mounted nowhere yet: a tape moves `mount` to the container's
/// /dev/pts, so that /dev/pts/0 there is this terminal.
public record Pty(Fd mount, Fd master, Fd slave) implements AutoCloseable {

    private static final int FLAGS = Linux.O_RDWR | Linux.O_NOCTTY | Linux.O_CLOEXEC;
    private static final long DEVPTS_SUPER_MAGIC = 0x1cd1;
    private static final int TTYAUX_MAJOR = 5;
    private static final int PTMX_MINOR = 2;
    private static final int ATTRIBUTES = Linux.MOUNT_ATTR_NOSUID | Linux.MOUNT_ATTR_NOEXEC;

    /// Makes the instance (ptmxmode=0666, mode=0620, gid=5) and its first terminal, unlocked.
    /// @throws KernelException EPERM no CAP_SYS_ADMIN; ENOSPC the host has no terminals left
    public static Pty open() throws KernelException {
        var options = Map.of("ptmxmode", "0666", "mode", "0620", "gid", "5");
        var mount = FsContext.mount("devpts", options, ATTRIBUTES);
        try {
            var master = openAt(mount);
            try {
                return new Pty(mount, master, peer(master));
            } catch (KernelException e) {
                master.close();
                throw e;
            }
        } catch (KernelException e) {
            mount.close();
            throw e;
        }
    }

    /// Opens a further terminal of the devpts that a container has at /dev/pts; `mount` is that directory then. The
    /// directory is proven to be a devpts and the multiplexer to be the kernel's, whatever the container put in the way
    /// (CVE-2025-52565).
    /// @throws KernelException ENOENT there is none; EXDEV it is something else
    public static Pty openIn(FileTree root) throws KernelException {
        var directory = root.open("/dev/pts", Linux.O_PATH | Linux.O_DIRECTORY, 0);
        try {
            requireDevpts(directory);
            var master = openAt(directory);
            try {
                var stat = Inodes.stat(master);
                if (stat.type() != FileType.CHARACTER_DEVICE || stat.rdevMajor() != TTYAUX_MAJOR
                        || stat.rdevMinor() != PTMX_MINOR) {
                    throw new KernelException("open", "/dev/pts/ptmx", Errno.EXDEV, "not the terminal multiplexer");
                }
                return new Pty(directory, master, peer(master));
            } catch (KernelException e) {
                master.close();
                throw e;
            }
        } catch (KernelException e) {
            directory.close();
            throw e;
        }
    }

    private static void requireDevpts(Fd directory) throws KernelException {
        try (var frame = new Frame()) {
            var statfs = frame.allocate(120, 8);
            long rc = frame.attempt(Syscall.FSTATFS, directory.number(), statfs.address());
            Frame.checked(rc, Syscall.FSTATFS, directory.subject());
            if (statfs.get(JAVA_LONG, 0) != DEVPTS_SUPER_MAGIC) {
                throw new KernelException("open", "/dev/pts", Errno.EXDEV, "not a devpts");
            }
        }
    }

    private static Fd openAt(Fd mount) throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.OPENAT, mount.number(), frame.text("ptmx").address(), FLAGS, 0);
            return Fd.adopt((int) Frame.checked(fd, Syscall.OPENAT, "ptmx of a new devpts"), "terminal's master");
        }
    }

    /// Unlocks the other side and opens it without any path.
    private static Fd peer(Fd master) throws KernelException {
        try (var frame = new Frame()) {
            var unlocked = frame.allocate(Integer.BYTES, Integer.BYTES);
            long rc = frame.attempt(Syscall.IOCTL, master.number(), Linux.TIOCSPTLCK, unlocked.address());
            Frame.checked(rc, Syscall.IOCTL, "TIOCSPTLCK");
            long fd = frame.attempt(Syscall.IOCTL, master.number(), Linux.TIOCGPTPEER, FLAGS);
            return Fd.adopt((int) Frame.checked(fd, Syscall.IOCTL, "TIOCGPTPEER"), "terminal");
        }
    }

    /// Sets the terminal's size in characters.
    public void size(int rows, int columns) throws KernelException {
        try (var frame = new Frame()) {
            var winsize = frame.allocate(8, 2);
            winsize.set(JAVA_SHORT, 0, (short) rows);
            winsize.set(JAVA_SHORT, 2, (short) columns);
            long rc = frame.attempt(Syscall.IOCTL, master.number(), Linux.TIOCSWINSZ, winsize.address());
            Frame.checked(rc, Syscall.IOCTL, "TIOCSWINSZ");
        }
    }

    @Override
    public void close() {
        mount.close();
        master.close();
        slave.close();
    }
}
