package carafe.hub.access;

import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;

/// How often a name may be tried with wrong passwords: some times at once, then once in a while. Names that nobody has
/// are counted like the others, so that a refusal does not tell who exists; names are kept as places in a table of fixed
/// size, so that inventing them costs no memory. For several threads.
/// Source: ITU-T I.371, Annex A (generic cell rate algorithm).
final class Attempts {

    private static final int PLACES = 4096;
    private static final int AT_ONCE = 10;
    private static final Duration EACH = Duration.ofSeconds(6);

    private final Clock clock;
    private final long[] settled = new long[PLACES]; // guarded by this: when, in milliseconds, all failures are forgotten

    Attempts(Clock clock) {
        this.clock = clock;
    }

    /// Whether a name with this keyed hash may be tried now.
    synchronized boolean allowed(byte[] mac) {
        return settled[place(mac)] - clock.millis() <= EACH.multipliedBy(AT_ONCE - 1).toMillis();
    }

    /// The password was wrong.
    synchronized void failed(byte[] mac) {
        int place = place(mac);
        settled[place] = Math.max(settled[place], clock.millis()) + EACH.toMillis();
    }

    private static int place(byte[] mac) {
        return ByteBuffer.wrap(mac).getInt() & PLACES - 1;
    }
}
