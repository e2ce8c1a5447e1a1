package carafe.engine;

import carafe.engine.store.Database;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.RunningContainer;
import carafe.spec.EngineException;
import carafe.spec.Later;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is to be done after a container's process ended and its waiters were answered: the row is written, then the
/// runtime forgets the process (its exit record is the truth until then) and its volumes are unmounted. That happens
/// beside the container's queue, so that the next request need not wait for the disk; who needs the run directory free
/// asks [#settle].
///
/// Most containers that end are removed at once. So an ending is put off for a moment: a removal that comes in that time
/// saves the row, with its own wait for the disk, and does the rest itself.
final class Endings {
    private static final Logger LOG = LoggerFactory.getLogger(Endings.class);
    private static final Duration MOMENT = Duration.ofMillis(20);
    private static final Duration PATIENCE = Duration.ofSeconds(60); // a disk that hangs must not hang every request

    private final Book book;
    private final ContainerRuntime runtime;
    private final MountSources sources;
    private final Layout layout;
    private final Steps steps;
    private final Set<Ending> underWay = ConcurrentHashMap.newKeySet();
    private final Later later = new Later("endings", MOMENT);

    Endings(Book book, ContainerRuntime runtime, MountSources sources, Layout layout, Steps steps) {
        this.book = book;
        this.runtime = runtime;
        this.sources = sources;
        this.layout = layout;
        this.steps = steps;
    }

    /// One ending under way. Its lock guards `begun` and `erasing`; `clean` is written before `over` is counted down. The
    /// process belongs to who does it, and is forgotten then: an ended container that stays keeps its ending.
    static final class Ending {
        private final ContainerSnapshot ended;
        private @Nullable RunningContainer process;
        private final CountDownLatch over = new CountDownLatch(1);
        private Optional<Database.Writing> erasing = Optional.empty();
        private boolean begun;
        private boolean clean;

        private Ending(ContainerSnapshot ended, RunningContainer process) {
            this.ended = ended;
            this.process = process;
        }

        /// Whether the caller is the one who does it.
        private synchronized boolean begin() {
            boolean first = !begun;
            begun = true;
            return first;
        }

        /// The row goes, if that is in time to be what is waited for.
        private synchronized void erased(Database.Writing writing) {
            if (!begun) {
                erasing = Optional.of(writing);
            }
        }

        private synchronized Optional<Database.Writing> erasing() {
            return erasing;
        }
    }

    /// Confined to the container's queue: lays the ending of `process` down to be done soon.
    void begin(Container container, RunningContainer process, ContainerSnapshot ended) {
        var ending = new Ending(ended, process);
        container.ending(ending);
        underWay.add(ending);
        later.after(MOMENT, () -> beginNow(ending));
    }

    /// Does it on a thread of its own, unless somebody does it already.
    private void beginNow(Ending ending) {
        if (ending.begin()) {
            Thread.ofVirtual().name("ending of " + ending.ended.id().substring(0, 12)).start(() -> perform(ending));
        }
    }

    private void perform(Ending ending) {
        var process = Objects.requireNonNull(ending.process, "an ending is done once");
        ending.process = null;
        try {
            steps.pass("exit.row");
            write(ending);
            steps.pass("exit.process");
            process.delete();
            steps.pass("exit.mounts");
            ending.clean = true;
        } catch (EngineException | InterruptedException e) {
            LOG.warn("the end of container {} was not cleaned up yet", ending.ended.id(), e);
        } finally {
            try {
                sources.after(ending.ended);
            } finally {
                underWay.remove(ending);
                ending.over.countDown();
            }
        }
    }

    /// Returns when the row knows of the end, or is gone.
    private void write(Ending ending) throws EngineException, InterruptedException {
        var erasing = ending.erasing();
        if (erasing.isPresent()) {
            try {
                erasing.get().await();
                return;
            } catch (EngineException e) {
                // It is still there, so its end is written after all.
                LOG.debug("the row of container {} was not erased", ending.ended.id(), e);
            }
        }
        book.saveState(ending.ended).await();
    }

    /// Confined to the container's queue: its row is being erased, so its end need not be written. The answer is for
    /// [#finishHere].
    Optional<Ending> erased(Container container, Database.Writing erasing) {
        var found = container.ending();
        found.ifPresent(ending -> ending.erased(erasing));
        return found;
    }

    /// Confined to the container's queue: returns when nothing of an ended process is left; what failed is tried again.
    void settle(Container container) throws EngineException {
        var ending = container.ending();
        if (ending.isPresent()) {
            finish(ending.get());
            container.ended();
        }
    }

    /// Confined to the container's queue: what is written of it from now on comes behind its end, not before.
    void writeFirst(Container container) {
        try {
            settle(container);
        } catch (EngineException e) {
            LOG.warn("container {}: {}", container.id(), e.getMessage());
        }
    }

    /// Does it on this thread unless somebody does it already, and returns when nothing of the ended process is left; what
    /// failed is tried again. A disk that hangs holds the caller up.
    void finishHere(Ending ending) throws EngineException {
        if (ending.begin()) {
            perform(ending);
        }
        finish(ending);
    }

    /// Returns when nothing of the ended process is left; what failed is tried again. Waits a minute at most.
    private void finish(Ending ending) throws EngineException {
        beginNow(ending);
        try {
            if (!ending.over.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new EngineException.Unavailable("the end of container " + ending.ended.id().substring(0, 12)
                        + " is still being cleaned up after " + PATIENCE.toSeconds() + " s (its row written, its cgroup and"
                        + " mounts removed); the disk may hang: see the engine's log, then try again");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("the engine is shutting down", e);
        }
        if (!ending.clean) {
            String id = ending.ended.id();
            runtime.discard(layout.run(id), Optional.of(SpecComposer.cgroup(ending.ended)));
        }
    }

    /// Does what was put off, and waits until no ending is under way, at most so long; what is left then, the next start of
    /// the engine does.
    void awaitAll(Duration most) throws InterruptedException {
        long deadline = System.nanoTime() + most.toNanos();
        for (var ending : underWay) {
            beginNow(ending);
            ending.over.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }
}
