package carafe.registry;

import java.time.Duration;

/// How long the client bears with bad days. `connect` and `stall` end single waits; a request that fails is tried
/// `attempts` times in all, with pauses that double from `pause` to `longestPause`; a server that asks for a longer
/// pause than `longestAsked` is told off instead.
public record Patience(Duration connect, Duration stall, int attempts, Duration pause, Duration longestPause,
        Duration longestAsked) {

    /// For everyday use.
    public static final Patience USUAL = new Patience(Duration.ofSeconds(20), Duration.ofSeconds(60), 5,
            Duration.ofMillis(500), Duration.ofSeconds(15), Duration.ofSeconds(60));

    /// At least one attempt.
    public Patience {
        if (attempts < 1) {
            throw new IllegalArgumentException("no attempt at all");
        }
    }

    /// The same with another number of attempts.
    public Patience withAttempts(int attempts) {
        return new Patience(connect, stall, attempts, pause, longestPause, longestAsked);
    }
}
