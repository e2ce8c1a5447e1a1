package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.LinkWatch;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hears of links that somebody deletes, on a thread of its own. Where they cannot be heard of, they are looked for each
/// second until they can.
final class DeletedLinks implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DeletedLinks.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final LinkWatch watch;
    private final Deletion deletion;
    private final Thread watcher;
    private boolean deaf; // the watcher's own

    /// Told of each: the numbers of `links` are gone, or `any` may be.
    interface Deletion {
        void told(Set<Integer> links, boolean any);
    }

    /// `watch` is adopted.
    DeletedLinks(LinkWatch watch, Deletion deletion) {
        this.watch = watch;
        this.deletion = deletion;
        watcher = Thread.ofPlatform().daemon().name("link-watch").unstarted(this::work);
    }

    void begin() {
        watcher.start();
    }

    private void work() {
        while (true) {
            try {
                watch.watch((links, lost) -> {
                    deaf = false;
                    deletion.told(links.keySet(), lost);
                });
                return;
            } catch (KernelException e) {
                if (!deaf) {
                    LOG.warn("deletions of links are looked for each second until they are heard of again: {}", e.getMessage());
                }
                deaf = true;
            }
            try {
                Thread.sleep(PAUSE);
            } catch (InterruptedException e) {
                return;
            }
            deletion.told(Set.of(), true);
        }
    }

    @Override
    public void close() {
        try {
            watch.stop();
            watcher.join();
        } catch (KernelException e) {
            LOG.warn("the watch of links cannot be ended: {}", e.getMessage());
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            watcher.interrupt();
        }
        watch.close();
    }
}
