package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Removes links and gives up namespaces, off everybody's way: when it is quiet (ADR 51). While links are removed nobody else
/// can change the network, and the kernel waits, but only once for a whole group of links. So what has died goes together when
/// nobody has come or gone for a moment; where that does not come, the eldest go, a small group at a time. One platform thread,
/// for the wait would pin a carrier; it has a socket of its own. `lock` guards the fields that change.
final class Graveyard implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Graveyard.class);
    private static final int GROUP = 0x6361; // any number that no other program puts links into
    private static final int MOST_WHEN_QUIET = 256;
    private static final int MOST_WHEN_BUSY = 32; // some ten milliseconds, which a start may have to wait

    private final Netlink netlink;
    private final Patience patience;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Thread digger;
    private final Deque<Dead> waiting = new ArrayDeque<>();
    private long busySince; // when, after a quiet time, somebody came or went
    private long lastMove; // when somebody last did
    private long lastRemoval; // of the digger alone
    private boolean hurry;
    private boolean closing;

    /// How long the dead lie: until nobody has come or gone for `quiet`. Who comes and goes for longer than `rush` has none of
    /// this, for what lies long is out of the processor's caches: then some go at intervals of `quiet`. No more than `most` lie,
    /// for each is a port of a bridge, and a namespace of some hundred kilobytes.
    record Patience(Duration quiet, Duration rush, int most) {

        static final Patience USUAL = new Patience(Duration.ofMillis(100), Duration.ofSeconds(1), 128);
    }

    /// Links by name and what is closed after they are gone (a namespace, a file's removal, an answer).
    private record Dead(List<String> links, List<AutoCloseable> then) {}

    /// `netlink` is adopted.
    Graveyard(Netlink netlink, Patience patience) {
        this.netlink = netlink;
        this.patience = patience;
        lastMove = System.nanoTime() - patience.quiet.toNanos();
        digger = Thread.ofPlatform().name("carafe-links").daemon().start(this::work);
    }

    /// Somebody comes, who is to have the network for himself. Never blocks for long.
    void newcomer() {
        lock.lock();
        try {
            move();
        } finally {
            lock.unlock();
        }
    }

    private void move() {
        long now = System.nanoTime();
        if (now - lastMove >= patience.quiet.toNanos()) {
            busySince = now;
        }
        lastMove = now;
    }

    /// The links go soon; `then` is closed afterwards, in order.
    void bury(List<String> links, List<AutoCloseable> then) {
        lock.lock();
        try {
            move();
            waiting.add(new Dead(List.copyOf(links), List.copyOf(then)));
            if (waiting.size() == 1 || waiting.size() >= patience.most) { // else who waits for the eldest finds it
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Returns when all that was buried before is gone.
    void settle() throws InterruptedException {
        var gone = new CountDownLatch(1);
        lock.lock();
        try {
            bury(List.of(), List.of(gone::countDown));
            hurry = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
        gone.await();
    }

    private void work() {
        for (var batch = next(); !batch.isEmpty(); batch = next()) {
            remove(batch);
            lastRemoval = System.nanoTime();
        }
    }

    /// Waits for those whose time has come, eldest first; none when there will be no more.
    private List<Dead> next() {
        lock.lock();
        try {
            while (waiting.isEmpty() && !closing) {
                changed.awaitUninterruptibly();
            }
            while (left() > 0) {
                try {
                    changed.awaitNanos(left());
                } catch (InterruptedException e) {
                    LOG.debug("nobody but close ends this thread", e);
                }
            }
            int most = isQuiet() ? MOST_WHEN_QUIET : MOST_WHEN_BUSY;
            var batch = new ArrayList<Dead>();
            while (batch.size() < most && !waiting.isEmpty()) {
                batch.add(waiting.removeFirst());
            }
            hurry &= !waiting.isEmpty();
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private boolean isQuiet() {
        return hurry || closing || System.nanoTime() - lastMove >= patience.quiet.toNanos();
    }

    /// How many nanoseconds there are until some go of those who lie here.
    private long left() {
        if (waiting.isEmpty() || waiting.size() >= patience.most || isQuiet()) {
            return 0;
        }
        long now = System.nanoTime();
        long quiet = patience.quiet.toNanos();
        long rushOver = Math.max(busySince + patience.rush.toNanos() - now, lastRemoval + quiet - now);
        return Math.min(lastMove + quiet - now, rushOver);
    }

    private void remove(List<Dead> batch) {
        var requests = new ArrayList<NetRequest>();
        batch.forEach(dead -> dead.links.forEach(link -> requests.add(NetRequest.regroup(link, GROUP))));
        if (!requests.isEmpty()) {
            requests.add(NetRequest.deleteGroup(GROUP));
            try {
                netlink.attempt(requests); // links that are gone already are what was wanted
            } catch (KernelException e) {
                LOG.warn("{} links were not removed; the next start of the engine does it: {}", requests.size() - 1,
                        e.getMessage());
            }
        }
        for (var dead : batch) {
            for (var then : dead.then) {
                try {
                    then.close();
                } catch (Exception e) {
                    LOG.warn("after the removal of links: {}", e.getMessage());
                }
            }
        }
    }

    /// Ends without removing anything. For tests of crashes.
    void abandon() {
        lock.lock();
        try {
            waiting.clear();
        } finally {
            lock.unlock();
        }
        close();
    }

    /// Removes what was buried, then ends.
    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (digger.isAlive()) {
            try {
                digger.join();
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
