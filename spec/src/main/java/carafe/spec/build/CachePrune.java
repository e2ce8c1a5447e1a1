package carafe.spec.build;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Which kept things are to go: those not used for `unusedFor` that are as `kept` says, oldest first until no more are left
/// than `space` allows; `all` says that cache mounts go too, and what images share; a cache mount goes without it where
/// `kept` names it or its kind. What is in use never goes.
public record CachePrune(Optional<Duration> unusedFor, Space space, Kept kept, boolean all) {

    /// Whether `use` is as `kept` says, and was not used for that long before `now`.
    public boolean has(CacheUse use, Instant now) {
        return kept.has(use) && (unusedFor.isEmpty() || use.lastUsed().isBefore(now.minus(unusedFor.get())));
    }

    /// How much may stay, in bytes; 0 says nothing. As much as `maxUsed`, less where fewer than `minFree` would be free on the
    /// disk, but never less than `reserved`.
    public record Space(long reserved, long maxUsed, long minFree) {
        /// Nothing said: everything may go.
        public static final Space NONE = new Space(0, 0, 0);

        public Space {
            if (reserved < 0 || maxUsed < 0 || minFree < 0) {
                throw new IllegalArgumentException("space is never negative: " + reserved + ", " + maxUsed + ", " + minFree);
            }
        }

        /// What may stay of `total` bytes while `free` are free; empty where nothing is said.
        /// Source: calculateKeepBytes in cache/manager.go of BuildKit.
        public OptionalLong target(long total, long free) {
            if (reserved == 0 && maxUsed == 0 && minFree == 0) {
                return OptionalLong.empty();
            }
            long missing = Math.max(0, minFree - free);
            long most = maxUsed > 0 ? maxUsed : minFree > 0 ? total : 0;
            return OptionalLong.of(Math.max(missing > 0 ? Math.min(most, total - missing) : most, reserved));
        }
    }

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

        /// Whether it says which things are meant, by what they are called or by their kind.
        public boolean names() {
            return !(ids.isEmpty() && kinds.isEmpty() && descriptions.isEmpty());
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
