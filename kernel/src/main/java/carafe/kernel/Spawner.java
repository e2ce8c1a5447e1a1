package carafe.kernel;

import java.nio.file.Path;
import java.time.Duration;

/// The link to `carafe-spawner`, the small native process that forks a monitor for every process we start. Safe for any
/// thread, virtual ones too: sending is quick, and answers come through one platform thread.
///
/// If the spawner dies, launches under way fail with EPIPE and the next launch starts another one; running monitors do
/// not notice. If the daemon dies, the spawner ends and the monitors go on.
public final class Spawner implements AutoCloseable {

    private Spawner() {}

    /// Starts the program at `binary`. It runs from a read-only mount made for it alone, so that no process in a
    /// container can reach the file (CVE-2019-5736).
    /// @throws KernelException ENOENT no such program; EPERM no CAP_SYS_ADMIN
    public static Spawner start(Path binary) throws KernelException {
        throw new KernelException("posix_spawn", binary, Errno.ENOSYS);
    }

    /// Plays a tape; returns when the program runs (execve(2) succeeded).
    /// @throws TapeFailure a step failed; nothing is left of the process
    /// @throws KernelException ETIMEDOUT the deadline passed, and the process was killed; EPIPE the spawner died;
    /// ENOEXEC the player refused the tape
    public Launched launch(Launch launch, Duration deadline)
            throws TapeFailure, KernelException, InterruptedException {
        throw new KernelException("launch", launch.monitor().title(), Errno.ENOSYS);
    }

    /// Ends the spawner; monitors go on. Waiting launches fail.
    @Override
    public void close() {}
}
