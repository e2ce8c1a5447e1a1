package carafe.engine;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The output of one container that is on its way to clients that attached. Clients take the answer of a wait for the end
/// of the output, so that answer waits for those of the life that ended, as Docker's does: until each has what the process
/// wrote, but no longer after its end than the patience, for a client may not read, and a process outside may hold the
/// output open. Thread-safe.
final class Deliveries {
    static final Duration PATIENCE = Duration.ofSeconds(2);

    private final Duration patience;
    private Life current = new Life();
    private Life last = new Life();
    private boolean givenUp;

    /// Holds an answer up for `patience` at most.
    Deliveries(Duration patience) {
        this.patience = patience;
    }

    /// Begins with a client that joins the life that is, or else the next.
    synchronized Delivery begin() {
        return new Delivery(current);
    }

    /// The life has ended: who joins from now on belongs to the next.
    synchronized void end() {
        last = current;
        last.endedNanos = System.nanoTime();
        current = new Life();
    }

    /// The life that ended last.
    synchronized Life last() {
        return last;
    }

    /// Nobody waits any more, now and later: the engine is closing.
    synchronized void giveUp() {
        givenUp = true;
        notifyAll();
    }

    /// The clients of one life.
    final class Life {
        private final Set<Delivery> open = new HashSet<>();
        private long endedNanos;

        /// Returns when they have its output, or its end is long enough ago.
        void await() throws InterruptedException {
            synchronized (Deliveries.this) {
                while (!open.isEmpty() && !givenUp) {
                    long left = patience.toNanos() - (System.nanoTime() - endedNanos);
                    if (left <= 0) {
                        return;
                    }
                    TimeUnit.NANOSECONDS.timedWait(Deliveries.this, left);
                }
            }
        }
    }

    /// One client's.
    final class Delivery {
        private final Life life;

        private Delivery(Life life) {
            this.life = life;
            life.open.add(this);
        }

        /// It has everything, or has gone. Does nothing the second time.
        void done() {
            synchronized (Deliveries.this) {
                if (life.open.remove(this) && life.open.isEmpty()) {
                    Deliveries.this.notifyAll();
                }
            }
        }
    }
}
