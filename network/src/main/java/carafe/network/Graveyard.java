package carafe.network;

import carafe.kernel.KernelException;
import carafe.kernel.NetRequest;
import carafe.kernel.Netlink;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Removes links and gives up namespaces, off everybody's way. The kernel waits 18-28 ms for each removal of a link while
/// nobody else can change the network, but only once for a whole group of links: so what dies within a moment goes
/// together. One platform thread, for the wait would pin a carrier; it has a socket of its own.
final class Graveyard implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Graveyard.class);
    private static final int GROUP = 0x6361; // any number that no other program puts links into
    private static final int MOST_AT_ONCE = 256;

    private final Netlink netlink;
    private final Duration pause;
    private final LinkedBlockingQueue<Dead> queue = new LinkedBlockingQueue<>();
    private final Thread digger;
    private volatile boolean closing;
    private volatile boolean hurry;

    /// Links by name and what is closed after they are gone (a namespace, a file's removal, an answer).
    private record Dead(List<String> links, List<AutoCloseable> then) {}

    /// Collects for `pause` before it removes; `netlink` is adopted.
    Graveyard(Netlink netlink, Duration pause) {
        this.netlink = netlink;
        this.pause = pause;
        digger = Thread.ofPlatform().name("carafe-links").daemon().start(this::work);
    }

    /// The links go soon; `then` is closed afterwards, in order.
    void bury(List<String> links, List<AutoCloseable> then) {
        queue.add(new Dead(List.copyOf(links), List.copyOf(then)));
    }

    /// Returns when all that was buried before is gone.
    void settle() throws InterruptedException {
        var gone = new CountDownLatch(1);
        hurry = true;
        bury(List.of(), List.of(gone::countDown));
        gone.await();
    }

    private void work() {
        while (!closing || !queue.isEmpty()) {
            try {
                var batch = new ArrayList<Dead>();
                batch.add(queue.take());
                long end = System.nanoTime() + pause.toNanos();
                while (!hurry && !closing && batch.size() < MOST_AT_ONCE && System.nanoTime() < end) {
                    var more = queue.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                    if (more != null) {
                        batch.add(more);
                    }
                }
                hurry = false;
                queue.drainTo(batch, MOST_AT_ONCE);
                remove(batch);
            } catch (InterruptedException e) {
                // nobody but close ends this thread
            }
        }
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
        queue.clear();
        close();
    }

    /// Removes what was buried, then ends.
    @Override
    public void close() {
        closing = true;
        queue.add(new Dead(List.of(), List.of()));
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
