package carafe.engine;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The output of one container that is still on its way to clients that attached. Clients take the answer of a wait for
/// the end of the output, so that answer waits here, as Docker's does: until each has what the ended process wrote, but
/// no longer after the end than the patience. A client that does not read, and a process outside that holds the output
/// open, hold nobody up for longer. Thread-safe.
final class Deliveries {
    static final Duration PATIENCE = Duration.ofSeconds(2);

    private final Duration patience;
    private final Set<Delivery> awaited = new HashSet<>();
    private final Set<Delivery> later = new HashSet<>();
    private boolean alive;
    private long ended = System.nanoTime();

    /// Holds an answer up for `patience` at most.
    Deliveries(Duration patience) {
        this.patience = patience;
    }

    /// Begins with a client that joins the life that is, or else the next.
    synchronized Delivery begin() {
        var delivery = new Delivery();
        (alive ? awaited : later).add(delivery);
        return delivery;
    }

    /// A life begins: those that joined before are its clients.
    synchronized void live() {
        alive = true;
        awaited.addAll(later);
        later.clear();
        notifyAll();
    }

    /// The process has ended.
    synchronized void end() {
        if (alive) {
            alive = false;
            ended = System.nanoTime();
        }
    }

    /// Returns when the last life's clients have its output, or its end is long enough ago.
    synchronized void await() throws InterruptedException {
        while (!alive && !awaited.isEmpty()) {
            long left = patience.toNanos() - (System.nanoTime() - ended);
            if (left <= 0) {
                return;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    /// One client's.
    final class Delivery {

        /// It has everything, or has gone. Does nothing the second time.
        void done() {
            synchronized (Deliveries.this) {
                later.remove(this);
                if (awaited.remove(this) && awaited.isEmpty()) {
                    Deliveries.this.notifyAll();
                }
            }
        }
    }
}
