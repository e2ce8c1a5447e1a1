package carafe.kernel;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/// A process that runs its program, under its monitor. Owns the pidfd; closing this disturbs neither of them.
public final class Launched implements AutoCloseable {

    private final Flight.Running running;
    private final int monitorPid;
    private final Fd pidfd;
    private final CompletableFuture<ExitRecord> exit;

    Launched(Flight.Running running, int monitorPid, Fd pidfd, CompletableFuture<ExitRecord> exit) {
        this.running = running;
        this.monitorPid = monitorPid;
        this.pidfd = pidfd;
        this.exit = exit;
    }

    /// The process id as the daemon sees it.
    public int pid() {
        return running.pid();
    }

    /// The process id of its monitor.
    public int monitorPid() {
        return monitorPid;
    }

    /// When its program began to run.
    public Instant started() {
        return running.started();
    }

    /// The process as a descriptor, for signals; borrowed.
    public Fd pidfd() {
        return pidfd;
    }

    /// How long each step of the tape took, in the tape's order and the clone as a step of its own, named `clone`. The
    /// last is the exec that worked, until the monitor knew of it.
    public List<StepTime> times() {
        return running.times();
    }

    /// Waits until the process has ended and its output is in the log and with the clients.
    /// @throws KernelException ECHILD its monitor died before it could tell, and [ExitRecord] may know more; ECANCELED
    /// the spawner link was closed
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
