package carafe.network.port;

import carafe.kernel.KernelException;
import carafe.kernel.LinkWatch;
import carafe.spec.EngineException;

/// Tells when the translator's link was removed, on a platform thread of its own in the network namespace of whoever makes
/// this. The engine's own removals are told too.
final class TranslatorWatch implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger("carafe.network");

    private final String link;
    private final Runnable gone;
    private final LinkWatch watch;
    private final Thread thread;

    /// Begins to watch `link`; owns `watch`.
    private TranslatorWatch(String link, Runnable gone, LinkWatch watch) {
        this.link = link;
        this.gone = gone;
        this.watch = watch;
        this.thread = Thread.ofPlatform().daemon().name("translator-watch").start(this::watch);
    }

    /// Begins to watch `link`; `gone` is called on the watch's thread.
    static TranslatorWatch begin(String link, Runnable gone) throws EngineException.Unavailable {
        try {
            return new TranslatorWatch(link, gone, LinkWatch.open());
        } catch (KernelException e) {
            throw new EngineException.Unavailable("link " + link + " cannot be watched: " + e.getMessage(), e);
        }
    }

    private void watch() {
        try {
            watch.watch((links, lost) -> {
                if (lost || links.containsValue(link)) {
                    gone.run();
                }
            });
        } catch (KernelException e) {
            LOG.log(System.Logger.Level.WARNING,
                    "that link " + link + " is removed is seen with the next container only: " + e.getMessage());
        }
    }

    /// Waits for what it tells just now.
    @Override
    public void close() {
        try {
            watch.stop();
            thread.join();
        } catch (KernelException e) {
            LOG.log(System.Logger.Level.WARNING, "the watch of link " + link + " cannot be ended: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        watch.close();
    }
}
