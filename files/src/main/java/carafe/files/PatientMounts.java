package carafe.files;

import carafe.spec.EngineException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Mounts of volumes, which may wait for another machine, and for one that is away as long as the kernel likes. Each has
/// a platform thread: the wait would pin a carrier, and a few of them would stop the whole engine. Whoever waits gives up
/// after a while; the kernel goes on, as nobody can take the call back, and whoever comes next waits for the same one.
/// The lock of this object guards `pending` and the fields of what is in it.
final class PatientMounts {

    private static final Logger LOG = LoggerFactory.getLogger(PatientMounts.class);

    private final Duration patience;
    private final ThreadFactory threads;
    private final Map<String, Pending> pending = new HashMap<>();

    PatientMounts(Duration patience) {
        this(patience, Thread.ofPlatform().daemon().factory());
    }

    /// `threads` makes platform threads.
    PatientMounts(Duration patience, ThreadFactory threads) {
        this.patience = patience;
        this.threads = threads;
    }

    /// Mounts the volume, or says why not. Takes it off again if nobody wants it any more.
    interface Attempt {
        /// @return whether it was not mounted before
        boolean mount() throws EngineException;

        void unmount() throws EngineException;
    }

    private static final class Pending {
        private final CountDownLatch ended = new CountDownLatch(1);
        private int waiters;
        private @Nullable Throwable failure;
    }

    /// Returns when the volume is mounted; `sentence` begins what is said of one that is not within the time. An interrupt
    /// ends the wait.
    /// @throws EngineException.Unavailable nobody waits any longer, and it may be mounted yet
    void mount(String name, String sentence, Attempt attempt) throws EngineException {
        var mount = join(name, attempt);
        boolean over;
        try {
            mount.ended.await(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            over = left(mount);
        }
        if (!over && Thread.currentThread().isInterrupted()) {
            throw new EngineException.Unavailable(sentence + "given up before the server answered");
        }
        if (!over) {
            throw new EngineException.Unavailable(sentence + "no answer within " + patience.toSeconds() + " s: see that the"
                    + " server runs and can be reached, then start the container again");
        }
        switch (mount.failure) {
            case null -> { }
            case EngineException e -> throw e;
            case Throwable e -> throw new AssertionError(e);
        }
    }

    private synchronized Pending join(String name, Attempt attempt) {
        var known = pending.get(name);
        var mount = known == null ? new Pending() : known;
        mount.waiters++;
        if (known == null) {
            pending.put(name, mount);
            boolean begun = false;
            try {
                var thread = threads.newThread(() -> run(name, mount, attempt));
                thread.setName("mount of " + name);
                thread.start();
                begun = true;
            } finally {
                if (!begun) { // the process has no more threads
                    pending.remove(name);
                }
            }
        }
        return mount;
    }

    /// Whether it has ended by now.
    private synchronized boolean left(Pending mount) {
        mount.waiters--;
        return mount.ended.getCount() == 0;
    }

    /// Whether the kernel is still at it.
    synchronized boolean isPending(String name) {
        return pending.containsKey(name);
    }

    private void run(String name, Pending mount, Attempt attempt) {
        Throwable failure = null;
        boolean mounted = false;
        try {
            mounted = attempt.mount();
        } catch (EngineException | RuntimeException | Error e) {
            failure = e;
        }
        synchronized (this) {
            pending.remove(name);
            mount.failure = failure;
            mount.ended.countDown();
            if (mount.waiters == 0 && mounted) { // under the lock: nobody begins to mount it meanwhile
                takeBack(name, attempt);
            }
        }
        if (failure != null) {
            LOG.debug("volume {} was not mounted: {}", name, failure.getMessage());
        }
    }

    private static void takeBack(String name, Attempt attempt) {
        try {
            attempt.unmount();
        } catch (EngineException e) {
            LOG.warn("volume {} was mounted when nobody wanted it any more, and stays so: {}", name, e.getMessage());
        }
    }
}
