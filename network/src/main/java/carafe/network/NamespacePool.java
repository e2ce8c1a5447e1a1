package carafe.network;

import carafe.kernel.Descriptors;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import carafe.spec.EngineException;
import carafe.spec.Failpoints;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A few network namespaces made ahead, so that a start finds one: loopback up, router advertisements refused (nobody in
/// a container's network may become its router, CVE-2020-13401), no IPv6 on interfaces to come until one asks for it.
/// Once somebody wanted a bridge, some more are kept that have a cable already: a pair of links, both ends down, of which
/// the one on the host is no port of any bridge yet. An idle namespace costs the kernel some kilobytes. Refilled in the
/// background, when the start of whoever took one is underway ([#refill]), at once when none is left. `lock` guards `ready`,
/// `cabled` and what is said of them.
final class NamespacePool implements AutoCloseable {

    /// What becomes of cables: made for a namespace, and removed by the name of the end on the host.
    interface Pairs extends AutoCloseable {
        Cable lay(NetNamespace namespace) throws KernelException;

        void bury(String hostLink);

        @Override
        void close();
    }

    /// A pair of links: the name of its end on the host, the index of the one inside.
    record Cable(String hostLink, int inside) {}

    /// A namespace with a cable. Owned as one: the cable goes with the namespace, if nobody removes it before.
    record Cabled(NetNamespace namespace, Cable cable) {}

    static final NetNamespace.Settings SETTINGS = new NetNamespace.Settings(Map.of(
            "ipv6/conf/all/accept_ra", "0",
            "ipv6/conf/default/accept_ra", "0",
            "ipv6/conf/default/disable_ipv6", "1"));

    private static final Logger LOG = LoggerFactory.getLogger(NamespacePool.class);
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final NamespaceThread thread;
    private final Maker maker;
    private final int size;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wanted = lock.newCondition();
    private final Deque<NetNamespace> ready = new ArrayDeque<>();
    private final Deque<Cabled> cabled = new ArrayDeque<>();
    private final Pairs pairs;
    private final Failpoints failpoints;
    private final Thread refiller;
    private boolean cablesWanted;
    private boolean due = true;
    private boolean closed;

    /// What makes a namespace.
    interface Maker {
        NetNamespace make() throws KernelException;
    }

    /// Keeps `size` of a kind; `pairs` is adopted.
    NamespacePool(NamespaceThread thread, int size, Pairs pairs, Failpoints failpoints) {
        this(thread, () -> thread.create(SETTINGS), size, pairs, failpoints);
    }

    /// The same with namespaces of another make.
    NamespacePool(NamespaceThread thread, Maker maker, int size, Pairs pairs, Failpoints failpoints) {
        this.failpoints = failpoints;
        this.thread = thread;
        this.maker = maker;
        this.size = size;
        this.pairs = pairs;
        refiller = Thread.ofVirtual().name("network namespaces").start(this::work);
    }

    /// A namespace nobody was in, owned by the caller; made now if none is ready.
    NetNamespace take() throws KernelException {
        var one = poll();
        return one.isPresent() ? one.get() : maker.make();
    }

    /// One that is ready, owned by the caller.
    Optional<NetNamespace> poll() {
        lock.lock();
        try {
            var one = Optional.ofNullable(ready.pollFirst());
            due |= ready.isEmpty();
            wanted.signal();
            return one;
        } finally {
            lock.unlock();
        }
    }

    /// Those who took some have made of them what they wanted: others may be made.
    void refill() {
        lock.lock();
        try {
            due = true;
            wanted.signal();
        } finally {
            lock.unlock();
        }
    }

    /// How many without a cable are ready now. For tests.
    int ready() {
        lock.lock();
        try {
            return ready.size();
        } finally {
            lock.unlock();
        }
    }

    /// One with a cable, if one is ready; owned by the caller.
    Optional<Cabled> pollCabled() {
        lock.lock();
        try {
            due |= !cablesWanted;
            cablesWanted = true;
            var one = Optional.ofNullable(cabled.pollFirst());
            due |= cabled.isEmpty();
            wanted.signal();
            return one;
        } finally {
            lock.unlock();
        }
    }

    /// The namespace at `path`, in which nothing is set up, made as the others are; owned by the caller.
    NetNamespace prepare(String path) throws KernelException, EngineException {
        pass("namespace.adopt");
        var namespace = thread.adopt(Descriptors.open(Path.of(path), Linux.O_RDONLY, 0));
        boolean prepared = false;
        try {
            pass("namespace.loopback");
            namespace.netlink().perform(NetRequest.raise(1, true)); // lo is always the first
            pass("namespace.settings");
            thread.set(namespace.handle(), SETTINGS);
            pass("namespace.prepared");
            prepared = true;
            return namespace;
        } finally {
            if (!prepared) {
                namespace.close();
            }
        }
    }

    private void pass(String point) throws EngineException {
        try {
            failpoints.pass(point);
        } catch (Failpoints.Injected e) {
            throw Trouble.of("cannot make the network (" + point + ")", e);
        }
    }

    private boolean isShort() {
        return ready.size() < size || cablesWanted && cabled.size() < size;
    }

    private void work() {
        boolean failing = false;
        while (true) {
            boolean cable;
            lock.lock();
            try {
                while (!closed && !(due && isShort())) {
                    due &= isShort();
                    wanted.awaitUninterruptibly();
                }
                if (closed) {
                    return;
                }
                cable = ready.size() >= size;
            } finally {
                lock.unlock();
            }
            try {
                keep(maker.make(), cable);
                failing = false;
            } catch (KernelException e) {
                if (!failing) {
                    LOG.warn("no network namespace could be made ahead, starts make their own until it can: {}",
                            e.getMessage());
                }
                failing = true;
                pause();
            }
        }
    }

    /// Until it is worth trying again, or all ends.
    private void pause() {
        lock.lock();
        try {
            long nanos = RETRY.toNanos();
            while (!closed && nanos > 0) {
                nanos = wanted.awaitNanos(nanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        } finally {
            lock.unlock();
        }
    }

    private void keep(NetNamespace made, boolean cable) {
        Optional<Cable> laid = Optional.empty();
        boolean kept = false;
        try {
            if (cable) {
                laid = Optional.of(pairs.lay(made));
            }
            kept = shelve(made, laid);
        } catch (KernelException e) {
            LOG.warn("no cable could be made ahead, the next start in a bridge makes its own: {}", e.getMessage());
            noMoreCables();
        } finally {
            if (!kept) {
                laid.ifPresent(one -> pairs.bury(one.hostLink()));
                made.close();
            }
        }
    }

    /// Until the next is asked for.
    private void noMoreCables() {
        lock.lock();
        try {
            cablesWanted = false;
        } finally {
            lock.unlock();
        }
    }

    private boolean shelve(NetNamespace made, Optional<Cable> laid) {
        lock.lock();
        try {
            if (closed) {
                return false;
            }
            if (laid.isPresent()) {
                cabled.addLast(new Cabled(made, laid.get()));
            } else {
                ready.addLast(made);
            }
            due &= isShort();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /// Gives up what is ready, its cables first; namespaces that were taken are their owners'.
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            wanted.signal();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (refiller.isAlive()) {
            try {
                refiller.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        ready.forEach(NetNamespace::close);
        ready.clear();
        for (var one : cabled) {
            pairs.bury(one.cable.hostLink());
            one.namespace.close();
        }
        cabled.clear();
        pairs.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
