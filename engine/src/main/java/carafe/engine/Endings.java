package carafe.engine;

import carafe.engine.store.Database;
import carafe.runtime.ContainerRuntime;
import carafe.runtime.RunningContainer;
import carafe.spec.EngineException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is to be done after a container's process ended and its waiters were answered: the row is written, then the
/// runtime forgets the process (its exit record is the truth until then) and its volumes are unmounted. That happens
/// beside the container's queue, so that the next request need not wait for the disk; who needs the run directory free
/// asks [#settle].
///
/// Most containers that end are removed at once. So an ending waits a moment before it writes: a removal that comes in
/// that time saves the row, with its own wait for the disk.
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

    Endings(Book book, ContainerRuntime runtime, MountSources sources, Layout layout, Steps steps) {
        this.book = book;
        this.runtime = runtime;
        this.sources = sources;
        this.layout = layout;
        this.steps = steps;
    }

    /// One ending under way. `erasing` is written before `wanted` is counted down, `clean` before `over` is.
    static final class Ending {
        private final ContainerSnapshot ended;
        private final CountDownLatch wanted = new CountDownLatch(1);
        private final CountDownLatch over = new CountDownLatch(1);
        private Optional<Database.Writing> erasing = Optional.empty();
        private boolean clean;

        private Ending(ContainerSnapshot ended) {
            this.ended = ended;
        }
    }

    /// Confined to the container's queue: begins the ending of `process`.
    void begin(Container container, RunningContainer process, ContainerSnapshot ended) {
        var ending = new Ending(ended);
        container.ending(ending);
        underWay.add(ending);
        Thread.ofVirtual().name("ending of " + container.id().substring(0, 12)).start(() -> {
            try {
                steps.pass("exit.row");
                write(ending);
                steps.pass("exit.process");
                process.delete();
                steps.pass("exit.mounts");
                ending.clean = true;
            } catch (EngineException | InterruptedException e) {
                LOG.warn("the end of container {} was not cleaned up yet", container.id(), e);
            } finally {
                try {
                    sources.after(ended);
                } finally {
                    underWay.remove(ending);
                    ending.over.countDown();
                }
            }
        });
    }

    /// Returns when the row knows of the end, or is gone.
    private void write(Ending ending) throws EngineException, InterruptedException {
        if (ending.wanted.await(MOMENT.toMillis(), TimeUnit.MILLISECONDS) && ending.erasing.isPresent()) {
            try {
                ending.erasing.get().await();
                return;
            } catch (EngineException e) {
                // It is still there, so its end is written after all.
                LOG.debug("the row of container {} was not erased", ending.ended.id(), e);
            }
        }
        book.saveState(ending.ended).await();
    }

    /// Confined to the container's queue: its row is being erased, so its end need not be written. The answer is for
    /// [#finish].
    Optional<Ending> erased(Container container, Database.Writing erasing) {
        var found = container.ending();
        found.filter(ending -> ending.wanted.getCount() > 0).ifPresent(ending -> {
            ending.erasing = Optional.of(erasing);
            ending.wanted.countDown();
        });
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

    /// Returns when nothing of the ended process is left; what failed is tried again. Waits a minute at most.
    void finish(Ending ending) throws EngineException {
        ending.wanted.countDown();
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

    /// Waits until no ending is under way, at most so long; what is left then, the next start of the engine does.
    void awaitAll(Duration most) throws InterruptedException {
        long deadline = System.nanoTime() + most.toNanos();
        for (var ending : underWay) {
            ending.wanted.countDown();
            ending.over.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }
}
