package carafe.network;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Removes bridges that carry nothing any more. The kernel waits 20-40 ms for each, also for those of a group, while nobody
/// else can change the network: so they go one by one, with everybody else in between, and not before none has come for a
/// while, as whoever removes many networks would wait for each of them. One platform thread with a socket of its own, as
/// the wait would pin a carrier.
final class RetiredBridges implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RetiredBridges.class);

    /// So long nobody may have come before the first goes.
    static final Duration QUIET = Duration.ofMillis(200);

    private static final int MOST_WAITING = 1000; // each is a link of the host as yet

    private final Netlink netlink;
    private final Duration pause;
    private final LinkedBlockingQueue<Dead> coming = new LinkedBlockingQueue<>();
    private final Thread remover;
    private volatile boolean closing;
    private volatile boolean hurry;
    private volatile boolean abandoned;

    /// A link by index, or a word to say when those before it are gone; neither to wake the thread.
    private record Dead(OptionalInt link, Runnable then) {}

    /// `netlink` is adopted; `pause` is [#QUIET] but for tests.
    RetiredBridges(Netlink netlink, Duration pause) {
        this.netlink = netlink;
        this.pause = pause;
        remover = Thread.ofPlatform().name("carafe-bridges").daemon().start(this::work);
    }

    /// The bridge goes soon; another of its name does not.
    void add(int link) {
        coming.add(new Dead(OptionalInt.of(link), () -> { }));
    }

    /// Returns when all that came before is gone.
    void settle() throws InterruptedException {
        var gone = new CountDownLatch(1);
        hurry = true;
        coming.add(new Dead(OptionalInt.empty(), gone::countDown));
        gone.await();
    }

    private void work() {
        var waiting = new ArrayDeque<Dead>();
        long quiet = System.nanoTime();
        while (!closing || !coming.isEmpty() || !waiting.isEmpty()) {
            try {
                boolean now = hurry || closing || waiting.size() >= MOST_WAITING;
                var next = waiting.isEmpty() ? coming.take()
                        : now ? coming.poll() : coming.poll(quiet - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (next != null) {
                    waiting.add(next);
                    quiet = System.nanoTime() + pause.toNanos();
                } else {
                    remove(waiting.remove());
                }
            } catch (InterruptedException e) {
                // nobody but close ends this thread
            }
        }
    }

    private void remove(Dead dead) {
        if (abandoned) {
            return;
        }
        if (dead.link.isPresent()) {
            delete(dead.link.getAsInt());
        } else {
            hurry = false;
        }
        dead.then.run();
    }

    private void delete(int link) {
        try {
            netlink.perform(NetRequest.deleteLink(link));
        } catch (KernelException e) {
            if (!e.is(Errno.ENODEV)) { // one that is gone is what was wanted
                LOG.warn("link {} was not removed; the next start of the engine does it: {}", link, e.getMessage());
            }
        }
    }

    /// Ends without removing anything. For tests of crashes.
    void abandon() {
        abandoned = true;
        close();
    }

    /// Removes what came, then ends.
    @Override
    public void close() {
        closing = true;
        coming.add(new Dead(OptionalInt.empty(), () -> { }));
        boolean interrupted = false;
        while (remover.isAlive()) {
            try {
                remover.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        netlink.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
