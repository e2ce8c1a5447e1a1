package carafe.engine;

import carafe.runtime.AttachEndpoint;
import carafe.runtime.RunningContainer;
import carafe.spec.EngineException;
import carafe.spec.oci.RootfsPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One container alive in this engine: the snapshot readers see, the queue that alone changes it, the process it has
/// now, and those who wait for it. Fields under "confined" are touched by the queue's thread only.
final class Container {
    private final String id;
    private final Mailbox mailbox;
    private final Deliveries deliveries = new Deliveries(Deliveries.PATIENCE);
    private final Waits waits = new Waits(deliveries);
    private final RestartDelay delay = new RestartDelay();

    private volatile ContainerSnapshot snapshot;
    private volatile @Nullable RunningContainer process;
    private volatile RootfsPlan.@Nullable Overlay root;
    private volatile boolean removed;
    private final AtomicInteger restartsByHand = new AtomicInteger();

    // confined
    private final List<AttachEndpoint> clients = new ArrayList<>();
    private boolean restartCancelled;
    private Endings.@Nullable Ending ending;

    Container(ContainerSnapshot snapshot) {
        this.id = snapshot.id();
        this.mailbox = new Mailbox("container " + id.substring(0, 12));
        this.snapshot = snapshot;
    }

    String id() {
        return id;
    }

    Mailbox mailbox() {
        return mailbox;
    }

    Waits waits() {
        return waits;
    }

    Deliveries deliveries() {
        return deliveries;
    }

    RestartDelay delay() {
        return delay;
    }

    ContainerSnapshot snapshot() {
        return snapshot;
    }

    State state() {
        return snapshot.state();
    }

    boolean removed() {
        return removed;
    }

    /// Whether a user is restarting it now: whatever its state is, it is about to be started.
    boolean isComingBack() {
        return restartsByHand.get() > 0;
    }

    /// A user restarts it, from now until it is closed.
    Comeback comeBack() {
        restartsByHand.incrementAndGet();
        return restartsByHand::decrementAndGet;
    }

    /// Closed once, when it was started or could not be.
    interface Comeback extends AutoCloseable {
        @Override
        void close();
    }

    /// The running process; Conflict in Docker's words when there is none.
    RunningContainer process() throws EngineException.Conflict {
        var running = process;
        if (running == null || !state().alive()) {
            throw notRunning();
        }
        return running;
    }

    /// The running process, if there is one.
    Optional<RunningContainer> running() {
        return Optional.ofNullable(process);
    }

    /// Where its root's layers lie, once that was asked for.
    Optional<RootfsPlan.Overlay> root() {
        return Optional.ofNullable(root);
    }

    /// Confined, or before anybody else knows this.
    void root(RootfsPlan.Overlay plan) {
        root = plan;
    }

    EngineException.Conflict notRunning() {
        return new EngineException.Conflict("container " + id + " is not running");
    }

    /// Confined: the clients that joined before there was a process.
    List<AttachEndpoint> clients() {
        return clients;
    }

    /// Confined: whether the restart policy is off for this life, because a user stopped it.
    boolean restartCancelled() {
        return restartCancelled;
    }

    /// Confined.
    void cancelRestart(boolean cancelled) {
        restartCancelled = cancelled;
    }

    /// Confined: what is still being done after its last end.
    Optional<Endings.Ending> ending() {
        return Optional.ofNullable(ending);
    }

    /// Confined.
    void ending(Endings.Ending begun) {
        ending = begun;
    }

    /// Confined: nothing is left of its last process.
    void ended() {
        ending = null;
    }

    /// Confined: shows readers another snapshot.
    void show(ContainerSnapshot next) {
        snapshot = next;
    }

    /// Confined: shows that it runs as `running`.
    void showRunning(RunningContainer running, ContainerSnapshot next) {
        process = running;
        snapshot = next;
    }

    /// Confined: shows that its process ended and answers those who wait for that. A pending restart is no end for
    /// those who wait until it does not run.
    void showEnded(ContainerSnapshot next, int exitCode) {
        var conditions = next.state() instanceof State.Restarting
                ? List.of(WaitCondition.NEXT_EXIT)
                : List.of(WaitCondition.NEXT_EXIT, WaitCondition.NOT_RUNNING);
        if (process != null) {
            deliveries.end();
        }
        waits.change(
                () -> {
                    process = null;
                    snapshot = next;
                },
                conditions,
                new Waiting.Result(exitCode, ""));
    }

    /// Confined: it is gone; everybody who waits is answered with the last exit code.
    void showRemoved() {
        waits.change(
                () -> removed = true, List.of(WaitCondition.values()), new Waiting.Result(lastExitCode(), ""));
    }

    /// The exit code it ended with, 0 if it never ran.
    int lastExitCode() {
        State state = snapshot.state();
        if (state instanceof State.Removing(var last)) {
            state = last;
        }
        return switch (state) {
            case State.Created(var failure) -> failure.map(State.Failure::exitCode).orElse(0);
            case State.Exited exited -> exited.failure().map(State.Failure::exitCode).orElse(exited.exitCode());
            case State.Restarting(var last, var next) -> last.exitCode();
            case State.Running _, State.Paused _, State.Removing _ -> 0;
        };
    }
}
