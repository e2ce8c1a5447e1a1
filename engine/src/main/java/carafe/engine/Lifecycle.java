package carafe.engine;

import carafe.engine.store.Database;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.ExitInfo;
import carafe.runtime.RunningContainer;
import carafe.runtime.StartFailure;
import carafe.spec.EngineException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings containers from created or exited to running and back. Every method named "confined" runs on the container's
/// own queue.
///
/// Order at a start: the process runs, then readers see it, then the row says so; at an exit: waiters are answered, then
/// [Endings] follows. The exit record in the run directory is the truth until the row is durable, so a crash anywhere
/// loses nothing.
final class Lifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);
    private static final int UNKNOWN_EXIT = 255;
    private static final int PATIENT_ATTEMPTS = 9; // with the waits between them 50 seconds

    private final Book book;
    private final ContainerRuntime runtime;
    private final Starts starts;
    private final Remover remover;
    private final Clock clock;
    private volatile boolean closed;

    /// What a start needs beside the runtime.
    record Starts(BundleMaker bundles, EtcFiles etc, MountSources sources, Memberships networks, Sharings sharings,
            Endings endings, RecentStarts recent, Layout layout, Steps steps) {}

    Lifecycle(Book book, ContainerRuntime runtime, Starts starts, Remover remover, Clock clock) {
        this.book = book;
        this.runtime = runtime;
        this.starts = starts;
        this.remover = remover;
        this.clock = clock;
    }

    /// Ends seen from now on are left to the next engine.
    void close() {
        closed = true;
    }

    /// Confined: starts it because a user says so.
    void start(Container container) throws EngineException {
        if (closed) { // it would be cut in its midst
            throw new EngineException.Unavailable("the engine is shutting down");
        }
        switch (container.state()) {
            case State.Running _, State.Restarting _ ->
                throw new EngineException.NotModified("Container is already running");
            case State.Paused _ -> throw new EngineException.Conflict(
                    "cannot start a paused container, try unpause instead");
            case State.Removing _ -> throw new EngineException.Conflict(
                    "container is marked for removal and cannot be started");
            case State.Created _, State.Exited _ -> { }
        }
        container.delay().reset();
        launch(container, ContainerSnapshot.Restarts.NONE);
    }

    /// Confined: starts it; on failure the reason is kept in its state, and a container to be removed at its end goes.
    private void launch(Container container, ContainerSnapshot.Restarts restarts) throws EngineException {
        container.cancelRestart(false);
        try {
            running(container, process(container), restarts.comingBack() ? ContainerSnapshot.Restarts.NONE : restarts);
        } catch (StartFailure e) {
            failed(container, new State.Failure(e.kind().exitCode(), String.valueOf(e.getMessage())));
            throw e.toEngineException();
        } catch (EngineException e) {
            failed(container, new State.Failure(128, String.valueOf(e.getMessage())));
            throw e;
        }
    }

    private RunningContainer process(Container container) throws StartFailure, EngineException {
        var snapshot = container.snapshot();
        boolean started = false;
        try {
            starts.steps.pass("start.network");
            try (var shared = starts.sharings.open(snapshot);
                    var network = starts.networks.attach(snapshot, shared, () -> tellParents(container))) {
                starts.steps.pass("start.joined");
                var process = network.during(() -> process(container, network, shared));
                started = true;
                return process;
            }
        } finally {
            if (!started) {
                starts.networks.detach(snapshot);
            }
        }
    }

    private RunningContainer process(Container container, StartNetwork network, Sharings.Shared shared)
            throws StartFailure, EngineException {
        var snapshot = container.snapshot();
        starts.steps.pass("start.files");
        String owner = starts.networks.filesOf(snapshot);
        var files = starts.layout.files(snapshot.id(), owner);
        if (owner.equals(snapshot.id())) { // else they are there, and may say more than the engine wrote
            starts.etc.write(files, snapshot.config().names().host(), snapshot.host(), network.known());
        }
        starts.steps.pass("start.bundle");
        try (var held = starts.sources.hold(snapshot)) {
            var bundle = starts.bundles.make(
                    container, held, new BundleMaker.Joined(network, shared.joined(), files),
                    starts.networks.links().environment(snapshot));
            starts.endings.settle(container);
            starts.steps.pass("start.mounts");
            starts.sources.before(held.container(), bundle.rootfs());
            starts.sources.give(held, bundle.rootfs());
            starts.steps.pass("start.run");
            var process = runtime.start(bundle, List.copyOf(container.clients()), network);
            starts.recent.forget(container.id());
            container.clients().clear(); // their other ends are the monitor's now
            return process;
        }
    }

    /// Those that are linked to it learn its new address, each in its own turn: their files are written by nobody else,
    /// and one that cannot be written is no reason not to start this.
    private void tellParents(Container container) {
        for (var parent : starts.networks.links().parents(container)) {
            parent.mailbox().tell(() -> rewriteHosts(parent));
        }
    }

    /// Confined: it has another name. That is written down already; what cannot be told now the next start tells.
    void tellRenamed(Container container) {
        try {
            starts.networks.rename(container.snapshot());
        } catch (EngineException e) {
            LOG.warn("container {} keeps its old name in its networks: {}", container.snapshot().name(), e.getMessage());
        }
        tellParents(container);
    }

    /// Confined: one of those it is linked to has another address or name.
    private void rewriteHosts(Container container) {
        var snapshot = container.snapshot();
        if (closed || !snapshot.state().alive()) {
            return; // its start writes them
        }
        try {
            starts.etc.updateHosts(starts.layout.files(container.id()), starts.networks.known(snapshot));
        } catch (EngineException e) {
            LOG.warn("/etc/hosts of container {} does not tell the new addresses of those it is linked to",
                    container.id(), e);
        }
    }

    /// Confined: it runs.
    private void running(Container container, RunningContainer process, ContainerSnapshot.Restarts restarts) {
        var state = new State.Running(process.pid(), process.startedAt());
        var next = container.snapshot().with(state).with(restarts);
        container.showRunning(process, next);
        watch(container, process);
        // Nobody waits for the row: the process is the truth, and the row is read only after a crash of the host. For the
        // same reason a failure is not worth a kill.
        try {
            book.saveStateUnawaited(next, e -> unwritten(container, e));
            book.tell(next, "start");
            starts.steps.pass("start.row");
        } catch (EngineException e) {
            unwritten(container, e);
        }
    }

    private static void unwritten(Container container, EngineException e) {
        LOG.warn("the start of container {} could not be written down", container.id(), e);
    }

    /// Takes over a process that another life of the daemon started. What the row does not know yet is on its way to it
    /// before the end can be: the answer is that write.
    Optional<Database.Writing> adopt(Container container, RunningContainer process, boolean paused)
            throws EngineException {
        var before = container.snapshot();
        Optional<State.Running> known = switch (before.state()) {
            case State.Running running -> Optional.of(running);
            case State.Paused(var running) -> Optional.of(running);
            case State.Created _, State.Exited _, State.Restarting _, State.Removing _ -> Optional.empty();
        };
        // The row's own time where it has one: the monitor took its time a moment apart from its report.
        var running = new State.Running(process.pid(), known.map(State.Running::startedAt).orElse(process.startedAt()));
        boolean isBack = known.isEmpty() || known.get().pid() != process.pid();
        var restarts = isBack ? before.restarts().started() : before.restarts();
        boolean written = known.isPresent() && restarts.equals(before.restarts());
        container.showRunning(process, before.with(paused ? new State.Paused(running) : running).with(restarts));
        var writing = written ? Optional.<Database.Writing>empty() : Optional.of(book.saveState(container.snapshot()));
        watch(container, process);
        return writing;
    }

    /// Confined: its row says that it runs, but its process could not be taken over; whatever is left of it is ended.
    void giveUp(Container container) throws EngineException {
        var snapshot = container.snapshot();
        runtime.discard(starts.layout.run(container.id()), Optional.of(SpecComposer.cgroup(snapshot)));
        var now = clock.instant();
        var exited = snapshot.with(new State.Exited(UNKNOWN_EXIT, false, now, now, Optional.empty()));
        starts.networks.detach(snapshot);
        starts.sources.after(snapshot);
        container.showEnded(exited, UNKNOWN_EXIT);
        book.saveState(exited).await();
    }

    private void watch(Container container, RunningContainer process) {
        Thread.ofVirtual().name("exit of " + container.id().substring(0, 12)).start(() -> {
            ExitInfo exit;
            try {
                exit = end(container, process);
            } catch (InterruptedException e) {
                return; // the engine is closing; the next one asks again
            }
            if (closed) {
                return; // the end is on record; the next engine reads it
            }
            ExitInfo known = exit;
            container.mailbox().tellHere(() -> ended(container, process, known));
        });
    }

    /// Waits for the end of a process. That it cannot be asked for a while (no descriptors left, say) is no end.
    private ExitInfo end(Container container, RunningContainer process) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return process.awaitExit();
            } catch (EngineException e) {
                if (attempt == PATIENT_ATTEMPTS || closed) {
                    LOG.warn("the end of container {} is not known", container.id(), e);
                    return new ExitInfo(UNKNOWN_EXIT, 0, clock.instant(), false);
                }
                LOG.debug("the end of container {} cannot be awaited now", container.id(), e);
                Thread.sleep(Duration.ofMillis(50L << attempt));
            }
        }
    }

    /// Confined: its process ended.
    private void ended(Container container, RunningContainer process, ExitInfo exit) {
        if (container.running().orElse(null) != process) {
            return; // a later life has begun
        }
        var before = container.snapshot();
        var exited = new State.Exited(
                exit.code(), exit.oomKilled(), process.startedAt(), exit.at(), Optional.empty());
        var restarts = before.restarts();
        boolean restart = !container.restartCancelled()
                && RestartDelay.applies(before.host().restart(), exit.code(), restarts.count(),
                        restarts.stoppedByUser());
        var next = before.with(exited);
        Duration wait = Duration.ZERO;
        if (restart) {
            wait = container.delay().after(process.startedAt(), exit.at());
            next = before.with(new State.Restarting(exited, clock.instant().plus(wait)))
                    .with(new ContainerSnapshot.Restarts(restarts.count() + 1, restarts.stoppedByUser(), false));
        }
        remember(container, process);
        tellEnd(before, exited);
        starts.networks.detach(before);
        container.showEnded(next, exit.code());
        boolean goes = before.host().autoRemove() && !restart && !restarts.comingBack();
        starts.endings.begin(container, process, next);
        if (restart) {
            restartAfter(container, (State.Restarting) next.state(), wait);
        } else if (goes) {
            removeItself(container);
        }
    }

    private void remember(Container container, RunningContainer process) {
        try {
            starts.recent.remember(container.id(),
                    starts.networks.explained(container.id(), process.explanation()));
        } catch (EngineException e) {
            LOG.debug("how container {} was started is not known any more", container.id(), e);
        }
    }

    private void tellEnd(ContainerSnapshot container, State.Exited exited) {
        if (exited.oomKilled()) {
            book.tell(container, "oom");
        }
        long seconds = Math.max(0, Duration.between(exited.startedAt(), exited.finishedAt()).toSeconds());
        book.tell(container, "die", List.of(
                Map.entry("exitCode", Integer.toString(exited.exitCode())),
                Map.entry("execDuration", Long.toString(seconds))));
    }

    /// Removes, in its turn, a `--rm` container that ended while no engine was there.
    void removeLater(Container container) {
        container.mailbox().tell(() -> {
            if (!container.removed() && !container.state().alive()) {
                removeItself(container);
            }
        });
    }

    private void removeItself(Container container) {
        try {
            remover.removeEnded(container, true);
        } catch (EngineException e) {
            LOG.warn("container {} could not be removed after its end", container.id(), e);
        }
    }

    /// Starts it again when `wait` is over, unless somebody changes it meanwhile.
    private void restartAfter(Container container, State.Restarting pending, Duration wait) {
        restartAfter(container, pending, wait, List.of());
    }

    /// The same at the engine's start; `before` are those it needs whose start is on its way already.
    void restartAfter(Container container, State.Restarting pending, Duration wait, List<Container> before) {
        later(container, wait, () -> {
            before.forEach(Lifecycle::await);
            restart(container, pending);
        });
    }

    private static void later(Container container, Duration wait, Runnable work) {
        Thread.ofVirtual().name("restart of " + container.id().substring(0, 12)).start(() -> {
            try {
                Thread.sleep(wait);
            } catch (InterruptedException e) {
                return;
            }
            container.mailbox().tell(work);
        });
    }

    /// Confined: the wait before a restart is over.
    private void restart(Container container, State.Restarting pending) {
        if (closed || container.state() != pending) {
            return; // somebody stopped, started or removed it meanwhile
        }
        var others = starts.sharings.untilTheyStart(container, clock.instant());
        if (others.isPresent()) {
            restartAfter(container, pending, others.get());
            return;
        }
        try {
            launch(container, container.snapshot().restarts());
        } catch (EngineException e) {
            LOG.warn("container {} could not be restarted: {}", container.id(), e.getMessage());
        }
    }

    /// Starts it at the engine's start, because its restart policy says so or a user was restarting it,
    /// when those it needs have been started; `before` are those whose start is on its way already.
    void startByPolicy(Container container, List<Container> before) {
        container.mailbox().tell(() -> {
            before.forEach(Lifecycle::await);
            startUnlessChanged(container, container.state());
        });
    }

    /// Confined: starts it if nobody changed or stopped it since it was `seen`, once those it needs have been restarted.
    private void startUnlessChanged(Container container, State seen) {
        if (closed || container.restartCancelled() || container.state() != seen
                || !(seen instanceof State.Created || seen instanceof State.Exited)) {
            return;
        }
        var others = starts.sharings.untilTheyStart(container, clock.instant());
        if (others.isPresent()) {
            later(container, others.get(), () -> startUnlessChanged(container, seen));
            return;
        }
        try {
            launch(container, container.snapshot().restarts());
        } catch (EngineException e) {
            LOG.warn("container {} could not be started: {}", container.id(), e.getMessage());
        }
    }

    /// Waits until what `other` was told before is done.
    private static void await(Container other) {
        try {
            other.mailbox().perform(() -> { });
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (EngineException e) {
            throw new AssertionError("nothing was asked", e);
        }
    }

    /// Confined: a user's restart of it failed, so that nobody has to finish it; one that this engine's end cut short is
    /// the next one's.
    void givenUp(Container container) throws EngineException {
        var before = container.snapshot();
        if (!closed && !container.removed() && before.restarts().comingBack()) {
            starts.endings.writeFirst(container);
            var next = before.with(before.restarts().staying());
            container.show(next);
            book.saveState(next).await();
        }
    }

    /// Confined: what is written of it from now on comes behind its end.
    void endingWritten(Container container) {
        starts.endings.writeFirst(container);
    }

    /// Confined: the policy wanted to restart it, and a user does not, or does it himself.
    void settle(Container container, State.Restarting pending, boolean comingBack) throws EngineException {
        starts.endings.writeFirst(container);
        var next = container.snapshot()
                .with(pending.last())
                .with(container.snapshot().restarts().ended(comingBack));
        container.showEnded(next, pending.last().exitCode());
        book.saveState(next).await();
    }

    /// Confined: a start failed.
    private void failed(Container container, State.Failure failure) {
        for (var client : new ArrayList<>(container.clients())) {
            client.close();
        }
        container.clients().clear();
        var snapshot = container.snapshot();
        starts.sources.after(snapshot);
        State next = switch (snapshot.state()) {
            case State.Exited last -> new State.Exited(
                    last.exitCode(), last.oomKilled(), last.startedAt(), last.finishedAt(), Optional.of(failure));
            case State.Restarting(var last, var when) -> new State.Exited(
                    last.exitCode(), last.oomKilled(), last.startedAt(), last.finishedAt(), Optional.of(failure));
            case State.Created _, State.Running _, State.Paused _, State.Removing _ ->
                new State.Created(Optional.of(failure));
        };
        starts.endings.writeFirst(container);
        var shown = snapshot.with(next).with(closed ? snapshot.restarts() : snapshot.restarts().staying());
        container.showEnded(shown, failure.exitCode());
        try {
            book.saveState(shown).await();
        } catch (EngineException e) {
            LOG.warn("the failed start of container {} could not be written down", container.id(), e);
        }
        if (snapshot.host().autoRemove() && !shown.restarts().comingBack()) {
            removeItself(container);
        }
    }
}
