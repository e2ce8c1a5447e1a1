package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Removes links and gives up namespaces, off everybody's way: when it is quiet (ADR 51). While links are removed nobody else
/// can change the network, and the kernel waits, but only once for a whole group of links. So what has died goes together when
/// nobody has come or gone for a moment; where that does not come, the eldest go, a small group at a time. One platform thread,
/// for the wait would pin a carrier; it has a socket of its own. `lock` guards all fields that change.
final class Graveyard implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Graveyard.class);
    private static final int GROUP = 0x6361; // any number that no other program puts links into

    private final Netlink netlink;
    private final LongSupplier clock;
    private final Lull lull;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Thread digger;
    private final Deque<Dead> waiting = new ArrayDeque<>();
    private int lying; // the sum of their weights
    private boolean hurry;
    private boolean closing;
    private boolean ended;

    /// Links by name and what is closed after they are gone (a namespace, a file's removal, an answer).
    private record Dead(List<String> links, List<AutoCloseable> then) {
        int weight() {
            return Math.max(1, links.size());
        }
    }

    /// `netlink` is adopted.
    Graveyard(Netlink netlink, Lull.Patience patience) {
        this(netlink, patience, System::nanoTime);
    }

    /// With a clock that tells nanoseconds.
    Graveyard(Netlink netlink, Lull.Patience patience, LongSupplier clock) {
        this.netlink = netlink;
        this.clock = clock;
        lull = new Lull(patience, clock.getAsLong());
        digger = Thread.ofPlatform().name("carafe-links").daemon().start(this::work);
    }

    /// Somebody comes, who is to have the network for himself. Never blocks for long.
    void newcomer() {
        lock.lock();
        try {
            lull.move(clock.getAsLong());
        } finally {
            lock.unlock();
        }
    }

    /// The links go soon; `then` is closed afterwards, in order. After [#close] only the latter, and at once.
    void bury(List<String> links, List<AutoCloseable> then) {
        if (!lies(new Dead(List.copyOf(links), List.copyOf(then)))) {
            then.forEach(Graveyard::end);
        }
    }

    private boolean lies(Dead dead) {
        lock.lock();
        try {
            if (ended) {
                return false;
            }
            lull.move(clock.getAsLong());
            waiting.add(dead);
            lying += dead.weight();
            if (waiting.size() == 1 || left() <= 0) { // else who waits for the eldest finds it
                changed.signal();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// All that was buried before goes now.
    void hurry() {
        lock.lock();
        try {
            hurry = !waiting.isEmpty();
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /// Returns when all that was buried before is gone.
    void settle() throws InterruptedException {
        var gone = new CountDownLatch(1);
        bury(List.of(), List.of(gone::countDown));
        hurry();
        gone.await();
    }

    private void work() {
        for (var group = next(); !group.isEmpty(); group = next()) {
            remove(group);
            removed();
        }
    }

    private void removed() {
        lock.lock();
        try {
            lull.removed(clock.getAsLong());
        } finally {
            lock.unlock();
        }
    }

    /// Waits for those whose time has come, eldest first; none when there will be no more.
    private List<Dead> next() {
        lock.lock();
        try {
            while (waiting.isEmpty() && !closing) {
                changed.awaitUninterruptibly();
            }
            for (long left = left(); left > 0; left = left()) {
                try {
                    changed.awaitNanos(left);
                } catch (InterruptedException e) {
                    LOG.debug("nobody but close ends this thread", e);
                }
            }
            int room = hurry || closing || lull.isQuiet(clock.getAsLong()) ? Lull.MOST_WHEN_QUIET : Lull.MOST_WHEN_BUSY;
            var group = new ArrayList<Dead>();
            while (room > 0 && !waiting.isEmpty()) {
                var dead = waiting.removeFirst();
                group.add(dead);
                lying -= dead.weight();
                room -= dead.weight();
            }
            hurry &= !waiting.isEmpty();
            ended = group.isEmpty();
            return group;
        } finally {
            lock.unlock();
        }
    }

    /// How many nanoseconds there are until some go of those who lie here; at most 0 when it is time.
    private long left() {
        return waiting.isEmpty() || hurry || closing ? 0 : lull.left(lying, clock.getAsLong());
    }

    private void remove(List<Dead> group) {
        var requests = new ArrayList<NetRequest>();
        group.forEach(dead -> dead.links.forEach(link -> requests.add(NetRequest.regroup(link, GROUP))));
        if (!requests.isEmpty()) {
            requests.add(NetRequest.deleteGroup(GROUP));
            try {
                netlink.attempt(requests); // links that are gone already are what was wanted
            } catch (KernelException e) {
                LOG.warn("{} links may be left until others are removed, or the engine starts again: {}", requests.size() - 1,
                        e.getMessage());
            } catch (RuntimeException | Error e) { // whoever waits for a removal would wait for ever if this thread ended
                LOG.error("{} links may be left until others are removed, or the engine starts again", requests.size() - 1, e);
            }
        }
        group.forEach(dead -> dead.then.forEach(Graveyard::end));
    }

    private static void end(AutoCloseable then) {
        try {
            then.close();
        } catch (Exception e) {
            LOG.warn("after the removal of links: {}", e.getMessage());
        } catch (Error e) { // keeps nobody else waiting
            LOG.error("after the removal of links", e);
        }
    }

    /// Ends without removing anything. For tests of crashes.
    void abandon() {
        lock.lock();
        try {
            waiting.clear();
            lying = 0;
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
