package carafe.network;

import carafe.kernel.Descriptors;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.kernel.NetRequest;
import java.nio.file.Path;
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
/// Refilled in the background. An idle namespace costs the kernel some kilobytes. `lock` guards `ready` and `closed`.
final class NamespacePool implements AutoCloseable {

    static final NetNamespace.Settings SETTINGS = new NetNamespace.Settings(Map.of(
            "ipv6/conf/all/accept_ra", "0",
            "ipv6/conf/default/accept_ra", "0",
            "ipv6/conf/default/disable_ipv6", "1"));

    private static final Logger LOG = LoggerFactory.getLogger(NamespacePool.class);

    private final NamespaceThread thread;
    private final int size;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wanted = lock.newCondition();
    private final Deque<NetNamespace> ready = new ArrayDeque<>();
    private final Thread refiller;
    private boolean closed;

    NamespacePool(NamespaceThread thread, int size) {
        this.thread = thread;
        this.size = size;
        refiller = Thread.ofVirtual().name("network namespaces").start(this::refill);
    }

    /// A namespace nobody was in, owned by the caller; made now if none is ready.
    NetNamespace take() throws KernelException {
        var one = poll();
        return one.isPresent() ? one.get() : thread.create(SETTINGS);
    }

    /// One that is ready, owned by the caller.
    Optional<NetNamespace> poll() {
        lock.lock();
        try {
            wanted.signal();
            return Optional.ofNullable(ready.pollFirst());
        } finally {
            lock.unlock();
        }
    }

    /// The namespace at `path`, in which nothing is set up, made as the others are; owned by the caller.
    NetNamespace prepare(String path) throws KernelException {
        var namespace = thread.adopt(Descriptors.open(Path.of(path), Linux.O_RDONLY, 0));
        boolean prepared = false;
        try {
            namespace.netlink().perform(NetRequest.raise(1, true)); // lo is always the first
            thread.set(namespace.handle(), SETTINGS);
            prepared = true;
            return namespace;
        } finally {
            if (!prepared) {
                namespace.close();
            }
        }
    }

    private void refill() {
        while (true) {
            lock.lock();
            try {
                while (ready.size() >= size && !closed) {
                    wanted.awaitUninterruptibly();
                }
                if (closed) {
                    return;
                }
            } finally {
                lock.unlock();
            }
            try {
                keep(thread.create(SETTINGS));
            } catch (KernelException e) {
                LOG.warn("no network namespace could be made ahead: {}", e.getMessage());
                return; // starts make their own, and say what is wrong
            }
        }
    }

    private void keep(NetNamespace made) {
        lock.lock();
        try {
            if (!closed) {
                ready.addLast(made);
                return;
            }
        } finally {
            lock.unlock();
        }
        made.close();
    }

    /// Gives up what is ready; namespaces that were taken are their owners'.
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
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
