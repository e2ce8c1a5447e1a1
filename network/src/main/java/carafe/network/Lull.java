package carafe.network;

import java.time.Duration;

/// Says when it is quiet enough to remove what died, and how much at once (ADR 51). Times are those of one clock, in
/// nanoseconds. Not safe for several threads.
final class Lull {

    /// About how many links make a group when it is quiet: with more, whoever comes just then waits longer for the kernel's
    /// lock (16 ms; 40 for twice as many), and no link is removed much quicker. All links of a container go together.
    static final int MOST_WHEN_QUIET = 64;

    /// The same while others come and go.
    static final int MOST_WHEN_BUSY = 32;

    private final Patience patience;
    private long busySince; // when, after a quiet time, somebody came or went
    private long lastMove; // when somebody last did
    private long lastRemoval;

    /// How long the dead lie: until nobody has come or gone for `quiet`. Who comes and goes for longer than `rush` has none of
    /// this, for what lies long is out of the processor's caches: then some go at intervals of `quiet`, and at
    /// once where `most` links lie, for each may be a port of a bridge, and keeps a namespace of some hundred kilobytes.
    record Patience(Duration quiet, Duration rush, int most) {

        static final Patience USUAL = new Patience(Duration.ofMillis(100), Duration.ofSeconds(1), 128);
    }

    /// It is quiet at `now`.
    Lull(Patience patience, long now) {
        this.patience = patience;
        lastMove = now - patience.quiet.toNanos();
        busySince = lastMove;
        lastRemoval = lastMove;
    }

    /// Somebody comes or goes.
    void move(long now) {
        if (isQuiet(now)) {
            busySince = now;
        }
        lastMove = now;
    }

    /// A group has been removed.
    void removed(long now) {
        lastRemoval = now;
    }

    /// Nobody has come or gone for a while.
    boolean isQuiet(long now) {
        return now - lastMove >= patience.quiet.toNanos();
    }

    /// How long it is until some go of so many links that lie here; at most 0 when it is time.
    long left(int lying, long now) {
        if (lying >= patience.most) {
            return 0;
        }
        long quiet = patience.quiet.toNanos();
        long rushIsOver = busySince + patience.rush.toNanos() - now;
        long nextGroup = lastRemoval + quiet - now;
        return Math.min(lastMove + quiet - now, Math.max(rushIsOver, nextGroup));
    }
}
