package carafe.engine;

import carafe.spec.EngineException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Restarts containers because users say so. That one is to come back is in its row before it ends: where the engine ends
/// meanwhile, the next one finishes the restart.
final class Restarter {
    private static final Logger LOG = LoggerFactory.getLogger(Restarter.class);

    private final Stopper stopper;
    private final Lifecycle lifecycle;

    Restarter(Stopper stopper, Lifecycle lifecycle) {
        this.stopper = stopper;
        this.lifecycle = lifecycle;
    }

    /// Stops it if it runs, and starts it.
    void restart(Container container, StopRequest request) throws EngineException, InterruptedException {
        boolean started = false;
        try (var _ = container.comeBack()) {
            try {
                stopper.stop(container, request, true);
            } catch (EngineException.NotModified e) {
                // it does not run: then it only has to be started
            }
            container.mailbox().perform(() -> {
                if (container.removed()) {
                    throw Book.unknown(container.id());
                }
                lifecycle.start(container);
            });
            started = true;
        } finally {
            if (!started) {
                container.mailbox().perform(() -> lifecycle.givenUp(container));
            }
        }
    }

    /// At the engine's start: an earlier engine had begun to restart it, and it has not ended yet.
    void finish(Container container) {
        var coming = container.comeBack(); // others see that before they look for it
        Thread.ofVirtual().name("restart of " + container.id().substring(0, 12)).start(() -> {
            try (coming) {
                restart(container, StopRequest.DEFAULT);
            } catch (EngineException e) {
                LOG.warn("the restart of container {} that an earlier engine began could not be finished: {}",
                        container.id(), e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
