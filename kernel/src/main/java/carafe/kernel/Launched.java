package carafe.kernel;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/// A process that runs its program, under its monitor. Owns the pidfd; closing this disturbs neither of them.
public final class Launched implements AutoCloseable {

    private final int pid;
    private final int monitorPid;
    private final Fd pidfd;
    private final List<StepTime> times;
    private final CompletableFuture<ExitRecord> exit;

    Launched(int pid, int monitorPid, Fd pidfd, List<StepTime> times, CompletableFuture<ExitRecord> exit) {
        this.pid = pid;
        this.monitorPid = monitorPid;
        this.pidfd = pidfd;
        this.times = List.copyOf(times);
        this.exit = exit;
    }

    /// The process id as the daemon sees it.
    public int pid() {
        return pid;
    }

    /// The process id of its monitor.
    public int monitorPid() {
        return monitorPid;
    }

    /// The process as a descriptor, for signals; borrowed.
    public Fd pidfd() {
        return pidfd;
    }

    /// How long each step of the tape took, in the tape's order with `clone` and `exec` where they happened. Steps after
    /// the exec that worked (of a search along PATH) are missing.
    public List<StepTime> times() {
        return times;
    }

    /// Waits until the process has ended and its output is in the log and with the clients.
    /// @throws KernelException ECHILD its monitor died before it could tell; [MonitorLink] and [ExitRecord] may know more
    public ExitRecord awaitExit() throws KernelException, InterruptedException {
        try {
            return exit.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KernelException cause) {
                throw cause;
            }
            throw new AssertionError(e.getCause());
        }
    }

    /// Whether [#awaitExit] would answer at once.
    public boolean isDone() {
        return exit.isDone();
    }

    @Override
    public void close() {
        pidfd.close();
    }
}
