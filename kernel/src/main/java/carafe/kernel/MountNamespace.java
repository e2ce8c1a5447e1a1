package carafe.kernel;

import java.io.IOException;
import java.nio.file.Path;

/// A mount namespace of our own, for putting trees together that nobody else shall see: a copy of the host's that the
/// host never hears of. It belongs to one [OwnThread], which does all that is asked of it one after the other and
/// ends with [#close]; so do the namespace and all mounts in it, also when the process is killed. A descriptor opened
/// in it sees the mounts below as long as the namespace lives, from any thread.
/// Source: unshare(2), mount_namespaces(7).
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
