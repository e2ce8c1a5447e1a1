package carafe.kernel;

/// A terminal in a devpts instance of its own, which is mounted nowhere yet: a tape moves `mount` to the container's
/// /dev/pts, so that /dev/pts/0 there is this terminal.
public record Pty(Fd mount, Fd master, Fd slave) implements AutoCloseable {

    /// Makes the instance (ptmxmode=0666, mode=0620, gid=5) and its first terminal, unlocked.
    /// @throws KernelException EPERM no CAP_SYS_ADMIN
    public static Pty open() throws KernelException {
        throw new KernelException("fsopen", "devpts", Errno.ENOSYS);
    }

    /// Sets the terminal's size in characters.
    public void size(int rows, int columns) throws KernelException {
        throw new KernelException("ioctl TIOCSWINSZ", master.subject(), Errno.ENOSYS);
    }

    @Override
    public void close() {
        mount.close();
        master.close();
        slave.close();
    }
}
