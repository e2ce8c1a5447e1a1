package carafe.e2e;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/// A moment after which a test gives up waiting. Conditions are looked at, never slept for.
final class Deadline {

    /// Generous, since machines that test are busy, and one of them is emulated; nothing waits this long unless it is broken.
    static final Duration USUAL = Duration.ofMinutes(3);

    private final long end;

    private Deadline(Duration length) {
        this.end = System.nanoTime() + length.toNanos();
    }

    static Deadline in(Duration length) {
        return new Deadline(length);
    }

    boolean passed() {
        return System.nanoTime() - end >= 0;
    }

    long leftMillis() {
        return Math.max(1, (end - System.nanoTime()) / 1_000_000);
    }

    /// Looks at `condition` every few milliseconds until it holds; fails the test with `what` at the deadline.
    static void await(String what, Condition condition) throws Exception {
        var deadline = in(USUAL);
        while (!condition.holds()) {
            if (deadline.passed()) {
                throw new AssertionError("still not so after " + USUAL.toSeconds() + " s: " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    /// What is waited for.
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }
}
