package carafe.kernel;

import java.io.IOException;
import java.nio.file.Path;

/// A mount namespace, for a moment or two: one of our own ([#open]), for putting trees together that nobody else shall
/// see, a copy of the host's that the host never hears of; or that of another process ([#of]), to take a mount from. It
/// belongs to one [OwnThread], which does all that is asked of it one after the other and ends with [#close]; so do a
/// namespace of our own and all mounts in it, also when the process is killed. A descriptor opened in it sees the mounts
/// below as long as the namespace lives, from any thread.
/// Source: unshare(2), setns(2), open_tree(2), mount_namespaces(7).
public final class MountNamespace implements AutoCloseable {

    private final OwnThread thread = new OwnThread("carafe-mounts");

    private MountNamespace() {}

    /// What is done inside.
    @FunctionalInterface
    public interface Task<T> {
        T run() throws KernelException;
    }

    /// Makes one. Needs CAP_SYS_ADMIN.
    public static MountNamespace open() throws KernelException {
        var namespace = new MountNamespace();
        try {
            namespace.call(() -> {
                try (var frame = new Frame()) {
                    Frame.checked(frame.attempt(Syscall.UNSHARE, Linux.CLONE_NEWNS), Syscall.UNSHARE, "mounts");
                }
                Mounts.mount("", Path.of("/"), "", Linux.MS_REC | Linux.MS_SLAVE, "");
                return true;
            });
            return namespace;
        } catch (KernelException e) {
            namespace.close();
            throw e;
        }
    }

    /// That of `process`, borrowed, a pidfd: its number cannot become somebody else's.
    /// @throws KernelException ESRCH the process has ended
    public static MountNamespace of(Fd process) throws KernelException {
        var namespace = new MountNamespace();
        try {
            namespace.call(() -> {
                try (var frame = new Frame()) {
                    long alone = frame.attempt(Syscall.UNSHARE, Linux.CLONE_FS); // who shares its root may not leave
                    Frame.checked(alone, Syscall.UNSHARE, "root and working directory");
                    long joined = frame.attempt(Syscall.SETNS, process.number(), Linux.CLONE_NEWNS);
                    Frame.checked(joined, Syscall.SETNS, process.subject());
                }
                return true;
            });
            return namespace;
        } catch (KernelException e) {
            namespace.close();
            throw e;
        }
    }

    /// A detached copy of the mount at `path` as it is seen inside; what it is made of is shared. No link in `path` is
    /// followed, and only a place where something is mounted is taken: what else lies there is part of a root.
    /// @throws KernelException ENOENT, ELOOP, ENOTDIR there is no such place; EINVAL nothing is mounted there
    public Fd copyMount(String path) throws KernelException {
        return call(() -> {
            try (var place = Opening.withoutLinks(Linux.O_PATH | Linux.O_DIRECTORY).open(Linux.AT_FDCWD, path)) {
                if (!Inodes.isMountRoot(place)) {
                    throw new KernelException("open_tree", path, Errno.EINVAL, "nothing is mounted there");
                }
                return Mounts.cloneTree(place, false);
            }
        });
    }

    /// Runs `task` inside and waits for its answer; not interruptible, for mounting takes no time to speak of.
    public <T> T call(Task<T> task) throws KernelException {
        try {
            return thread.call(task::run);
        } catch (KernelException e) {
            throw e;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// Ends the thread, and with it the namespace; waits until it is gone.
    @Override
    public void close() {
        thread.close();
    }
}
