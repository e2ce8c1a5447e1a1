package carafe.registry;

import java.time.Clock;
import java.time.Duration;

/// How the client waits: how long it bears with what, what time it is, and what a pause is.
record Waiting(Patience patience, Clock clock, Pause pause) {

    /// Lets time pass. Blocks; ends when its thread is interrupted.
    @FunctionalInterface
    interface Pause {
        void sleep(Duration time) throws InterruptedException;
    }

    Waiting(Patience patience, Clock clock) {
        this(patience, clock, Thread::sleep);
    }

    /// For one who may be passed by: no second try.
    Waiting once() {
        return new Waiting(patience.withAttempts(1), clock, pause);
    }
}
