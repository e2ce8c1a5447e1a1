package carafe.http;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The open connections of a server. A virtual thread looks now and then for those that have waited too long.
final class Connections {

    private final Set<Connection> open = ConcurrentHashMap.newKeySet();
    private final int most;
    private final long sweepNanos;

    /// Guards the end of the server: `closing` and `closed` are set, and `changed` signalled, under it.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private volatile boolean closing;
    private boolean closed;

    Connections(ServerLimits limits) {
        most = limits.connections();
        long shortest = Math.min(limits.lingerTime().toNanos(),
                Math.min(limits.headerTime().toNanos(), limits.idleTime().toNanos()));
        sweepNanos = Math.max(TimeUnit.MILLISECONDS.toNanos(10), shortest / 2);
    }

    /// Begins to look for expired connections.
    void startSweeping() {
        Thread.ofVirtual().name("carafe-http-sweep").start(this::sweep);
    }

    /// Runs `connection` on a thread of its own; false when there are too many or the server is closing.
    boolean add(Connection connection) {
        if (closing || open.size() >= most) {
            return false;
        }
        open.add(connection);
        if (closing) {
            open.remove(connection); // close() may have looked before
            return false;
        }
        wake();
        Thread.ofVirtual().name("carafe-http").start(connection);
        return true;
    }

    /// `connection` has ended.
    void remove(Connection connection) {
        open.remove(connection);
        if (closing) {
            wake();
        }
    }

    /// Whether the server wants to end.
    boolean closing() {
        return closing;
    }

    /// How many there are.
    int size() {
        return open.size();
    }

    /// Lets running requests end until `deadline`, then ends them, and waits for their threads.
    void close(Duration deadline) {
        closing = true;
        for (var connection : open) {
            connection.wind();
        }
        if (!awaitNone(deadline)) {
            for (var connection : open) {
                connection.cut();
            }
            awaitNone(Duration.ofSeconds(1)); // a handler that ignores interrupts keeps its thread
        }
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean awaitNone(Duration time) {
        long nanos = time.toNanos();
        boolean interrupted = false;
        lock.lock();
        try {
            while (!open.isEmpty() && nanos > 0) {
                try {
                    nanos = changed.awaitNanos(nanos);
                } catch (InterruptedException e) {
                    interrupted = true;
                    nanos = 0;
                }
            }
            return open.isEmpty();
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void sweep() {
        while (pause()) {
            for (var connection : open) {
                if (connection.expired()) {
                    connection.cut();
                }
            }
        }
    }

    /// Waits for the next sweep: a while, or without end while there is no connection. False when all is over.
    private boolean pause() {
        lock.lock();
        try {
            long nanos = sweepNanos;
            while (!closed && (open.isEmpty() || nanos > 0)) {
                if (open.isEmpty()) {
                    changed.await();
                    nanos = sweepNanos;
                } else {
                    nanos = changed.awaitNanos(nanos);
                }
            }
            return !closed;
        } catch (InterruptedException e) {
            return false;
        } finally {
            lock.unlock();
        }
    }

    private void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
