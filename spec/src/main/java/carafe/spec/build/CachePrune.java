package carafe.spec.build;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Which kept things are to go: those not used for `unusedFor`, of `ids` or `kinds` where these are given, oldest first
/// until no more than `keepBytes` are left; `mounts` says that cache mounts go too.
public record CachePrune(Optional<Duration> unusedFor, Optional<Long> keepBytes, List<String> ids, List<String> kinds,
        boolean mounts) {
    public CachePrune {
        ids = List.copyOf(ids);
        kinds = List.copyOf(kinds);
    }
}
