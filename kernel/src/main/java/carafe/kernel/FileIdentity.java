package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;

/// Makes files and mounts as another user, with all rights kept: an [OwnThread] with that file-system identity. An
/// overlay of id-mapped layers takes new files only from ids that the mapping knows, and root of the host is none of
/// them. Costs two threads for its life.
/// Source: setfsuid(2), capabilities(7) "Effect of user ID changes on capabilities".
public final class FileIdentity implements AutoCloseable {

    private static final int HEADER_BYTES = 8;
    private static final int DATA_BYTES = 24;

    private final OwnThread thread = new OwnThread("carafe-files");

    private FileIdentity() {}

    /// What is done as the other user.
    @FunctionalInterface
    public interface Task<T> {
        T run() throws IOException;
    }

    /// Starts the thread as `uid` and `gid` of the host.
    /// @throws KernelException EPERM no CAP_SETUID
    public static FileIdentity open(long uid, long gid) throws KernelException {
        var identity = new FileIdentity();
        boolean become = false;
        try {
            identity.call(() -> {
                become(uid, gid);
                return true;
            });
            become = true;
            return identity;
        } catch (KernelException e) {
            throw e;
        } catch (IOException e) {
            throw new AssertionError(e);
        } finally {
            if (!become) {
                identity.close();
            }
        }
    }

    private static void become(long uid, long gid) throws KernelException {
        try (var frame = new Frame()) {
            frame.attempt(Syscall.SETFSGID, gid);
            frame.attempt(Syscall.SETFSUID, uid);
            // neither call tells of failure; asked for no change they tell what is
            if (frame.attempt(Syscall.SETFSUID, -1) != uid || frame.attempt(Syscall.SETFSGID, -1) != gid) {
                throw new KernelException("setfsuid", uid + ":" + gid, Errno.EPERM);
            }
            var header = frame.allocate(HEADER_BYTES, 8);
            header.set(JAVA_INT, 0, Linux._LINUX_CAPABILITY_VERSION_3);
            var data = frame.allocate(DATA_BYTES, 8);
            long got = frame.attempt(Syscall.CAPGET, header.address(), data.address());
            Frame.checked(got, Syscall.CAPGET, "own rights");
            for (int word = 0; word < DATA_BYTES; word += 12) { // {effective, permitted, inheritable} twice
                data.set(JAVA_INT, word, data.get(JAVA_INT, word + 4));
            }
            long set = frame.attempt(Syscall.CAPSET, header.address(), data.address());
            Frame.checked(set, Syscall.CAPSET, "own rights");
        }
    }

    /// Runs `task` as that user and waits for its answer; not interruptible.
    public <T> T call(Task<T> task) throws IOException {
        return thread.call(task::run);
    }

    /// Ends the thread.
    @Override
    public void close() {
        thread.close();
    }
}
