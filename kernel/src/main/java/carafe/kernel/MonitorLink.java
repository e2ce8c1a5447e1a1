package carafe.kernel;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Set;

/// A running monitor as seen through its socket; the way to a process after the daemon was restarted. Holds no
/// connection: each call makes one. All calls block; a monitor that is gone answers with [java.net.ConnectException].
public final class MonitorLink {

    private final Path socket;

    private MonitorLink(Path socket) {
        this.socket = socket;
    }

    /// The monitor that listens at `socket`; nothing is tried yet. The path may be longer than 107 bytes.
    public static MonitorLink at(Path socket) {
        return new MonitorLink(socket);
    }

    /// What a monitor says of itself and its process.
    public record State(int monitorPid, int pid, Instant started, long lostBytes) {}

    /// Asks the monitor how it is.
    public State state() throws IOException {
        throw new KernelException("connect", socket, Errno.ENOSYS);
    }

    /// Waits for the end of the process, however long that takes.
    /// @throws java.io.EOFException the monitor died before it could tell
    public ExitRecord watch() throws IOException {
        throw new KernelException("connect", socket, Errno.ENOSYS);
    }

    /// Sets the size of the process's terminal.
    /// @throws KernelException ENOTTY it has none
    public void resize(int rows, int columns) throws IOException {
        throw new KernelException("connect", socket, Errno.ENOSYS);
    }

    /// Connects to streams of the process from now on. Output arrives in Docker's frames (8 bytes: 1 stdout or 2 stderr,
    /// 0, 0, 0, big-endian length), with a terminal as it is; input is written as it is, shutting it down ends it. The
    /// channel is closed by the monitor when the process has ended and everything was read. The caller closes it.
    public SocketChannel attach(Set<MonitorStream> streams) throws IOException {
        throw new KernelException("connect", socket, Errno.ENOSYS);
    }
}
