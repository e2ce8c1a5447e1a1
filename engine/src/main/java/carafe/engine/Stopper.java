package carafe.engine;

import carafe.engine.volume.VolumeMounts;
import carafe.spec.EngineException;
import carafe.spec.docker.RestartPolicy;
import carafe.spec.docker.Signals;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Ends containers: asks with a signal, waits outside the container's queue, then kills. While one waits, others may
/// signal, inspect or attach.
final class Stopper {
    private static final Logger LOG = LoggerFactory.getLogger(Stopper.class);
    private static final int DEFAULT_SECONDS = 10;
    private static final Set<Integer> ENDING = Set.of(Signals.SIGINT, Signals.SIGQUIT, Signals.SIGTERM);
    private static final Duration KILL_WAIT = Duration.ofSeconds(10);

    private final Book book;
    private final Lifecycle lifecycle;
    private final VolumeMounts mounts;

    Stopper(Book book, Lifecycle lifecycle, VolumeMounts mounts) {
        this.book = book;
        this.lifecycle = lifecycle;
        this.mounts = mounts;
    }

    /// Nobody wants its start any more: one that waits for another machine, or comes to that before the answer is closed,
    /// fails.
    VolumeMounts.GiveUp giveUpStart(Container container) {
        return mounts.giveUp(container.id());
    }

    /// Does `work` in the container's turn; the starts before it are given up.
    private <T> T insteadOfStart(Container container, Mailbox.Work<T> work) throws EngineException, InterruptedException {
        var unwanted = giveUpStart(container);
        return container.mailbox().ask(() -> {
            unwanted.close(); // what queues behind this is wanted
            return work.run();
        });
    }

    /// Stops it and returns when it has ended. NotModified when it does not run.
    void stop(Container container, StopRequest request) throws EngineException, InterruptedException {
        var config = container.snapshot().config().stop();
        String name = request.signal().filter(text -> !text.isEmpty()).or(config::signal).orElse("SIGTERM");
        int signal = Signals.number(name);
        int seconds = request.timeoutSeconds().or(config::timeoutSeconds).orElse(DEFAULT_SECONDS);
        var ended = insteadOfStart(container, () -> begin(container, signal));
        if (ended.isPresent()) {
            boolean inTime = true;
            if (seconds < 0) {
                ended.get().await();
            } else {
                inTime = ended.get().await(Duration.ofSeconds(seconds));
            }
            if (!inTime) {
                killAndWait(container, ended.get());
            }
        }
        book.tell(container.snapshot(), "stop");
    }

    /// Confined: sends the signal; empty when nothing has to be waited for.
    private Optional<Waits.Wait> begin(Container container, int signal) throws EngineException {
        switch (container.state()) {
            case State.Restarting pending -> {
                container.cancelRestart(true);
                lifecycle.settle(container, pending);
                return Optional.empty();
            }
            case State.Running _, State.Paused _ -> {
                container.cancelRestart(true);
                var wait = container.waits().register(WaitCondition.NEXT_EXIT, Optional::empty);
                send(container, signal);
                return Optional.of(wait);
            }
            case State.Created _, State.Exited _, State.Removing _ ->
                throw new EngineException.NotModified("Container is already stopped");
        }
    }

    /// Sends a signal because a user says so. SIGKILL returns when the container has ended. A start that
    /// waits for another machine is given up by the signals that people and terminals end programs with, and by its own.
    void kill(Container container, String signalName) throws EngineException, InterruptedException {
        int signal = signalName.isEmpty() ? Signals.SIGKILL : Signals.number(signalName);
        var config = container.snapshot().config().stop();
        int stopSignal = Signals.number(config.signal().orElse("SIGTERM"));
        boolean forGood = signal == Signals.SIGKILL || signal == stopSignal;
        Mailbox.Work<Waits.Wait> sending = () -> {
            if (!container.state().alive()) {
                throw new EngineException.Conflict("cannot kill container: " + container.snapshot().name()
                        + ": container " + container.id() + " is not running");
            }
            if (forGood) {
                container.cancelRestart(true);
            }
            var wait = container.waits().register(WaitCondition.NEXT_EXIT, Optional::empty);
            send(container, signal);
            return wait;
        };
        var ended = forGood || ENDING.contains(signal) ? insteadOfStart(container, sending) : container.mailbox().ask(sending);
        if (signal != Signals.SIGKILL) {
            ended.close();
        } else if (!ended.await(KILL_WAIT)) {
            ended.close();
            throw stuck(container);
        }
    }

    /// Kills it if it runs, and returns when it has ended.
    void killForRemoval(Container container) throws EngineException, InterruptedException {
        var ended = insteadOfStart(container, () -> {
            container.cancelRestart(true);
            if (container.state() instanceof State.Restarting pending) {
                lifecycle.settle(container, pending);
            }
            if (container.state().alive() && container.running().isEmpty()) {
                lifecycle.giveUp(container);
            }
            if (!container.state().alive()) {
                return Optional.<Waits.Wait>empty();
            }
            var wait = container.waits().register(WaitCondition.NEXT_EXIT, Optional::empty);
            send(container, Signals.SIGKILL);
            return Optional.of(wait);
        });
        if (ended.isPresent() && !ended.get().await(KILL_WAIT)) {
            ended.get().close();
            throw stuck(container);
        }
    }

    private void killAndWait(Container container, Waits.Wait ended) throws EngineException, InterruptedException {
        container.mailbox().perform(() -> {
            if (container.state().alive()) {
                send(container, Signals.SIGKILL);
            }
        });
        if (!ended.await(KILL_WAIT)) {
            ended.close();
            throw stuck(container);
        }
    }

    /// Confined. Frozen processes get the signal when they thaw, so a paused container is thawed if it is to end.
    private void send(Container container, int signal) throws EngineException {
        var process = container.process();
        var before = container.snapshot();
        if (!before.restarts().stoppedByUser()) {
            var stopped = before.with(new ContainerSnapshot.Restarts(before.restarts().count(), true));
            container.show(stopped);
            writeDown(stopped);
        }
        try {
            process.signal(signal);
            if (container.state() instanceof State.Paused(var running)
                    && (signal == Signals.SIGKILL || container.restartCancelled())) {
                process.resume();
                container.show(container.snapshot().with(running));
            }
        } catch (EngineException.Conflict e) {
            return; // it ended by itself just now; its end is already queued behind us
        }
        book.tell(before, "kill", List.of(Map.entry("signal", Integer.toString(signal))));
    }

    /// That a user ends it must be known before it ends: another life of the engine would start it again.
    private void writeDown(ContainerSnapshot stopped) {
        if (stopped.host().restart().kind() == RestartPolicy.Kind.NO) {
            return; // nobody would ask
        }
        try {
            book.saveState(stopped).await();
        } catch (EngineException e) {
            LOG.warn("that container {} is stopped by a user could not be written down", stopped.id(), e);
        }
    }

    private static EngineException stuck(Container container) {
        return new EngineException.Internal("tried to kill container " + container.id()
                + ", but it did not end within 10 s: one of its processes may be stuck in the kernel");
    }
}
