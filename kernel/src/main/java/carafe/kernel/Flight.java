package carafe.kernel;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One launch as its link sees it, from the request to the end of its monitor. Futures are completed by the link's
/// reader and waited for by whoever launched. The lock of this object guards `monitor`, `monitorPid` and `abandoned`.
final class Flight {

    private final Launch launch;
    private final CompletableFuture<Process> cloned = new CompletableFuture<>();
    private final CompletableFuture<Running> running = new CompletableFuture<>();
    private final CompletableFuture<ExitRecord> exit = new CompletableFuture<>();
    private @Nullable Fd monitor;
    private int monitorPid;
    private boolean abandoned;

    /// A process whose tape still plays.
    record Process(int pid, Fd pidfd) {}

    /// A process that runs its program.
    record Running(int pid, Optional<Fd> pidfd, Instant started, List<StepTime> times) {}

    Flight(Launch launch) {
        this.launch = launch;
    }

    CompletableFuture<Process> cloned() {
        return cloned;
    }

    CompletableFuture<Running> running() {
        return running;
    }

    CompletableFuture<ExitRecord> exit() {
        return exit;
    }

    String title() {
        return launch.monitor().title();
    }

    synchronized int monitorPid() {
        return monitorPid;
    }

    /// Takes the monitor's pidfd. False: nobody waits any more, and the monitor was told to cancel.
    synchronized void forked(int pid, Fd pidfd) {
        monitor = pidfd;
        monitorPid = pid;
        if (abandoned) {
            signalMonitor(Linux.SIGTERM);
        }
    }

    /// Nobody waits for this launch any more; its monitor is told to cancel it, now or as soon as there is one.
    synchronized void abandon() {
        abandoned = true;
        signalMonitor(Linux.SIGTERM);
    }

    /// Ends a monitor that does not even react to being told to cancel; before the program runs, its process goes too.
    synchronized void kill() {
        signalMonitor(Linux.SIGKILL);
    }

    private void signalMonitor(int signal) {
        if (monitor != null && monitor.isOpen()) {
            signal(monitor, signal);
        }
    }

    static void signal(Fd pidfd, int signal) {
        try {
            Processes.signal(pidfd, signal);
        } catch (KernelException e) {
            throw new AssertionError(e); // root may signal its own children
        }
    }

    /// Takes the descriptor of the monitor back, to be closed.
    synchronized Optional<Fd> monitorEnded() {
        var fd = Optional.ofNullable(monitor);
        monitor = null;
        return fd;
    }

    /// Closes what was handed over for a rendezvous, after the process failed.
    void forgetClone() {
        if (cloned.isDone() && !cloned.isCompletedExceptionally()) {
            cloned.join().pidfd().close();
        }
    }

    /// Fails everything that somebody still waits for.
    void fail(int errno) {
        if (!running.isDone()) {
            running.completeExceptionally(new KernelException("launch", title(), errno));
        }
        if (!exit.isDone()) { // the usual end of a monitor: nobody waits any more
            exit.completeExceptionally(new KernelException("wait for", title(), errno));
        }
    }

    // ---- what monitors say ----

    void onCloned(ByteBuffer report, Fd pidfd) {
        if (!cloned.complete(new Process(report.getInt(TapeFormat.REPORT_PID), pidfd))) {
            pidfd.close();
        }
    }

    void onRunning(ByteBuffer report, Optional<Fd> pidfd) {
        var started = Instant.ofEpochSecond(
                report.getLong(TapeFormat.REPORT_SECONDS), report.getInt(TapeFormat.REPORT_NANOS));
        var result = new Running(report.getInt(TapeFormat.REPORT_PID), pidfd, started, times(report));
        running.complete(result); // it is the first to be said, or nobody is left to hear it
    }

    void onFailed(ByteBuffer report) {
        int at = report.getInt(TapeFormat.REPORT_STEP);
        int errno = report.getInt(TapeFormat.REPORT_ERROR);
        var steps = launch.tape().steps();
        Exception failure = at >= 0 && at < steps.size()
                ? new TapeFailure(steps.get(at), errno, report.getInt(TapeFormat.REPORT_SIGNAL))
                : new KernelException(
                        switch (at) {
                            case TapeFormat.AT_FORK -> "fork a monitor for";
                            case TapeFormat.AT_CLONE -> "clone3";
                            default -> "play the tape of";
                        },
                        title(),
                        errno);
        running.completeExceptionally(failure);
        exit.completeExceptionally(new KernelException("wait for", title(), Errno.ECHILD));
    }

    void onExited(ByteBuffer report) {
        exit.complete(ExitRecord.of(report.slice(TapeFormat.REPORT_BYTES, TapeFormat.EXIT_BYTES)
                .order(report.order())));
    }

    private List<StepTime> times(ByteBuffer report) {
        var steps = launch.tape().steps();
        var times = new ArrayList<StepTime>(steps.size() + 1);
        long before = 0;
        long end = mark(report, steps.size() + TapeFormat.MARK_RUNNING);
        boolean cloned = false;
        for (int i = 0; i < steps.size(); i++) {
            var step = steps.get(i);
            if (step.part() == Part.CHILD && !cloned) {
                cloned = true;
                long child = mark(report, steps.size() + TapeFormat.MARK_CHILD);
                times.add(time("clone", Part.MONITOR, mark(report, steps.size() + TapeFormat.MARK_CLONE), child));
                before = child;
            }
            long after = mark(report, i);
            times.add(time(step.id(), step.part(), before, after == 0 ? end : after));
            if (after == 0) {
                break; // the exec that worked: it never came back to say so
            }
            before = after;
        }
        return times;
    }

    private static long mark(ByteBuffer report, int index) {
        return report.getLong(TapeFormat.REPORT_BYTES + index * Long.BYTES);
    }

    private static StepTime time(String id, Part part, long start, long end) {
        return new StepTime(id, part, Duration.ofNanos(start), Duration.ofNanos(end - start));
    }
}
