package carafe.kernel;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/// Waits for what the kernel finishes by itself and does not announce: looks again after 20 µs, then ever more rarely,
/// up to every 5 ms.
final class Waiting {

    private static final long FIRST_NANOS = 20_000;
    private static final long LONGEST_NANOS = 5_000_000;

    private Waiting() {}

    /// What is waited for.
    interface Condition {
        boolean holds() throws KernelException;
    }

    /// @return whether the condition came to hold within `limit`
    static boolean until(Duration limit, Condition condition) throws KernelException {
        long end = System.nanoTime() + limit.toNanos();
        long pause = FIRST_NANOS;
        while (!condition.holds()) {
            if (System.nanoTime() - end > 0 || Thread.currentThread().isInterrupted()) {
                return false;
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(pause * 2, LONGEST_NANOS);
        }
        return true;
    }
}
