package carafe.spec.build;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Which kept things are to go: those not used for `unusedFor` that are as `kept` says, oldest first until no more than
/// `keepBytes` are left; `mounts` says that cache mounts go too. What is in use never goes.
public record CachePrune(Optional<Duration> unusedFor, Optional<Long> keepBytes, Kept kept, boolean mounts) {

    /// What a thing is: its id begins with one of `ids`, its kind and description are among `kinds` and `descriptions`
    /// (none given: any), it is in use, and it is shared, where these are asked for.
    public record Kept(List<String> ids, List<String> kinds, List<String> descriptions, Optional<Boolean> inUse,
            Optional<Boolean> shared) {
        /// Anything.
        public static final Kept ANY = new Kept(List.of(), List.of(), List.of(), Optional.empty(), Optional.empty());

        public Kept {
            ids = List.copyOf(ids);
            kinds = List.copyOf(kinds);
            descriptions = List.copyOf(descriptions);
        }

        /// Whether `use` is so.
        public boolean has(CacheUse use) {
            return (ids.isEmpty() || ids.stream().anyMatch(use.id()::startsWith))
                    && (kinds.isEmpty() || kinds.contains(use.kind()))
                    && (descriptions.isEmpty() || descriptions.contains(use.description()))
                    && inUse.map(wanted -> wanted == use.inUse()).orElse(true)
                    && shared.map(wanted -> wanted == use.shared()).orElse(true);
        }
    }
}
