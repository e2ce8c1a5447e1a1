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

    /// Stops it and returns when it has ended; it is then to start again if it is `comingBack`. NotModified when it does
    /// not run.
    void stop(Container container, StopRequest request, boolean comingBack) throws EngineException, InterruptedException {
        var config = container.snapshot().config().stop();
        String name = request.signal().filter(text -> !text.isEmpty()).or(config::signal).orElse("SIGTERM");
        int signal = Signals.number(name);
        int seconds = request.timeoutSeconds().or(config::timeoutSeconds).orElse(DEFAULT_SECONDS);
        var ended = insteadOfStart(container, () -> begin(container, signal, comingBack));
        if (ended.isPresent()) {
            var patience = seconds < 0 ? Optional.<Duration>empty() : Optional.of(Duration.ofSeconds(seconds));
            if (!isOver(ended.get(), patience)) {
                killAndWait(container, ended.get(), comingBack);
            }
        }
        book.tell(container.snapshot(), "stop");
    }

    /// Whether it ended in time.
    /// @throws EngineException.Unavailable it is not known, because the engine closes
    private static boolean isOver(Waits.Wait ended, Optional<Duration> most) throws EngineException, InterruptedException {
        if (most.isPresent() && !ended.await(most.get())) {
            return false;
        }
        String error = ended.ended().error();
        if (!error.isEmpty()) {
            throw new EngineException.Unavailable(error);
        }
        return true;
    }

    /// Confined: sends the signal; empty when nothing has to be waited for.
    private Optional<Waits.Wait> begin(Container container, int signal, boolean comingBack) throws EngineException {
        switch (container.state()) {
            case State.Restarting pending -> {
                container.cancelRestart(true);
                lifecycle.settle(container, pending, comingBack);
                return Optional.empty();
            }
            case State.Running _, State.Paused _ -> {
                container.cancelRestart(true);
                var wait = container.waits().register(WaitCondition.NEXT_EXIT, Optional::empty);
                send(container, signal, comingBack);
                return Optional.of(wait);
            }
            case State.Exited _ -> {
                if (!comingBack) {
                    stayStopped(container);
                }
            }
            case State.Created _, State.Removing _ -> { }
        }
        throw new EngineException.NotModified("Container is already stopped");
    }

    /// Confined: its policy's start was given up, failed or is pending, and a user does not want it.
    private void stayStopped(Container container) {
        container.cancelRestart(true);
        lifecycle.endingWritten(container);
        remember(container, container.snapshot().restarts().ended(false));
        if (container.snapshot().host().autoRemove()) {
            lifecycle.removeLater(container);
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
            send(container, signal, !forGood && container.snapshot().restarts().comingBack());
            return wait;
        };
        var ended = forGood || ENDING.contains(signal) ? insteadOfStart(container, sending) : container.mailbox().ask(sending);
        if (signal != Signals.SIGKILL) {
            ended.close();
        } else if (!isOver(ended, Optional.of(KILL_WAIT))) {
            ended.close();
            throw stuck(container);
        }
    }

    /// Kills it if it runs, and returns when it has ended.
    void killForRemoval(Container container) throws EngineException, InterruptedException {
        var ended = insteadOfStart(container, () -> {
            container.cancelRestart(true);
            if (container.state() instanceof State.Restarting pending) {
                lifecycle.settle(container, pending, false);
            }
            if (container.state().alive() && container.running().isEmpty()) {
                lifecycle.giveUp(container);
            }
            if (!container.state().alive()) {
                return Optional.<Waits.Wait>empty();
            }
            var wait = container.waits().register(WaitCondition.NEXT_EXIT, Optional::empty);
            send(container, Signals.SIGKILL, false);
            return Optional.of(wait);
        });
        if (ended.isPresent() && !isOver(ended.get(), Optional.of(KILL_WAIT))) {
            ended.get().close();
            throw stuck(container);
        }
    }

    private void killAndWait(Container container, Waits.Wait ended, boolean comingBack)
            throws EngineException, InterruptedException {
        container.mailbox().perform(() -> {
            if (container.state().alive()) {
                send(container, Signals.SIGKILL, comingBack);
            }
        });
        if (!isOver(ended, Optional.of(KILL_WAIT))) {
            ended.close();
            throw stuck(container);
        }
    }

    /// Confined. Frozen processes get the signal when they thaw, so a paused container is thawed if it is to end.
    private void send(Container container, int signal, boolean comingBack) throws EngineException {
        var process = container.process();
        var before = container.snapshot();
        remember(container, before.restarts().ended(comingBack));
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

    /// Confined. That a user ends or restarts it must be known before it ends: another life of the engine would start it
    /// again, or would not.
    private void remember(Container container, ContainerSnapshot.Restarts restarts) {
        var before = container.snapshot();
        if (before.restarts().equals(restarts)) {
            return;
        }
        var stopped = before.with(restarts);
        container.show(stopped);
        boolean asked = before.restarts().comingBack() || restarts.comingBack();
        if (!asked && stopped.host().restart().kind() == RestartPolicy.Kind.NO) {
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
