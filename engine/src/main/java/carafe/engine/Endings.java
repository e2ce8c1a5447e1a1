package carafe.engine;

import carafe.runtime.ContainerRuntime;
import carafe.runtime.RunningContainer;
import carafe.spec.EngineException;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is to be done after a container's process ended and its waiters were answered: the row is written, then the
/// runtime forgets the process (its exit record is the truth until then) and its volumes are unmounted. That happens beside the container's queue, so
/// that the next request need not wait for the disk; who needs the run directory free asks [#settle].
final class Endings {
    private static final Logger LOG = LoggerFactory.getLogger(Endings.class);

    private final Book book;
    private final ContainerRuntime runtime;
    private final MountSources sources;
    private final Layout layout;
    private final Steps steps;

    Endings(Book book, ContainerRuntime runtime, MountSources sources, Layout layout, Steps steps) {
        this.book = book;
        this.runtime = runtime;
        this.sources = sources;
        this.layout = layout;
        this.steps = steps;
    }

    /// One ending under way. `clean` is written before `over` is counted down.
    static final class Ending {
        private final CountDownLatch over = new CountDownLatch(1);
        private boolean clean;
    }

    /// Confined to the container's queue: begins the ending of `process`. A row that `goes` at once is not written.
    void begin(Container container, RunningContainer process, ContainerSnapshot ended, boolean goes) {
        var ending = new Ending();
        container.ending(ending);
        Thread.ofVirtual().name("ending of " + container.id().substring(0, 12)).start(() -> {
            try {
                steps.pass("exit.row");
                if (!goes) {
                    book.saveState(ended).await();
                }
                steps.pass("exit.process");
                process.delete();
                steps.pass("exit.mounts");
                ending.clean = true;
            } catch (EngineException e) {
                LOG.warn("the end of container {} was not cleaned up yet", container.id(), e);
            } finally {
                sources.after(ended);
                ending.over.countDown();
            }
        });
    }

    /// Confined to the container's queue: returns when nothing of an ended process is left; what failed is tried again.
    void settle(Container container) throws EngineException {
        var ending = container.ending();
        if (ending.isEmpty()) {
            return;
        }
        try {
            ending.get().over.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("the engine is shutting down", e);
        }
        if (!ending.get().clean) {
            runtime.discard(layout.run(container.id()));
        }
        container.ended();
    }
}
