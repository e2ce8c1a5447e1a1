package carafe.hub.store;

import carafe.spec.oci.Digest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/// Which stored bytes were read whole and found right, for a day: until then they need not be hashed again to be sent.
/// At most [#MOST] are remembered, about 300 bytes each; those that were not asked for longest leave.
final class Verified {

    private static final int MOST = 50_000;
    private static final Duration BELIEVED = Duration.ofDays(1);

    private final Clock clock;

    /// Guarded by itself.
    private final Map<Digest, Found> found = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Digest, Found> eldest) {
            return size() > MOST;
        }
    };

    private record Found(String stamp, Instant at) {}

    Verified(Clock clock) {
        this.clock = clock;
    }

    boolean knows(Digest digest, String stamp) {
        Found known;
        synchronized (found) {
            known = found.get(digest);
        }
        return known != null && known.stamp.equals(stamp) && known.at.plus(BELIEVED).isAfter(clock.instant());
    }

    void remember(Digest digest, String stamp) {
        synchronized (found) {
            found.put(digest, new Found(stamp, clock.instant()));
        }
    }
}
