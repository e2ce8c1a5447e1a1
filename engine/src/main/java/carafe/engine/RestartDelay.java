package carafe.engine;

import carafe.spec.docker.RestartPolicy;
import java.time.Duration;
import java.time.Instant;

/// How long the restart policy waits: 100 ms, doubled after each run shorter than ten seconds, at most a minute; and
/// how often in a row it restarted. Confined to its container's queue.
final class RestartDelay {
    private static final Duration FIRST = Duration.ofMillis(100);
    private static final Duration MOST = Duration.ofMinutes(1);
    private static final Duration LONG_RUN = Duration.ofSeconds(10);

    private Duration next = Duration.ZERO;

    /// Whether `policy` restarts what ended with `exitCode` after `retries` restarts.
    static boolean applies(RestartPolicy policy, int exitCode, int retries, boolean stoppedByUser) {
        return switch (policy.kind()) {
            case NO -> false;
            case ALWAYS -> true;
            case UNLESS_STOPPED -> !stoppedByUser;
            case ON_FAILURE -> exitCode != 0
                    && (policy.maximumRetries() == 0 || retries < policy.maximumRetries());
        };
    }

    /// The wait after a run from `started` to `finished`.
    Duration after(Instant started, Instant finished) {
        if (next.isZero() || Duration.between(started, finished).compareTo(LONG_RUN) >= 0) {
            next = FIRST;
        } else {
            next = next.multipliedBy(2).compareTo(MOST) > 0 ? MOST : next.multipliedBy(2);
        }
        return next;
    }

    /// Begins anew: somebody started it by hand.
    void reset() {
        next = Duration.ZERO;
    }
}
