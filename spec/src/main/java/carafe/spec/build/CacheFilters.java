package carafe.spec.build;

import carafe.spec.EngineException.Invalid;
import carafe.spec.docker.Filters;
import carafe.spec.docker.Timestamps;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Optional;
import java.util.Set;

/// Docker's filters on what builds keep, the same for `builder prune`, `builder du` and the rules in daemon.json.
public final class CacheFilters {

    private static final Set<String> KNOWN = Set.of("until", "unused-for", "id", "type", "inuse", "description", "shared",
            "private");

    private CacheFilters() {}

    /// What goes of the things that pass `filters`; `now` is what spans of time are counted from.
    public static CachePrune prune(Filters filters, CachePrune.Space space, boolean all, Instant now) throws Invalid {
        filters.allowOnly(KNOWN);
        return new CachePrune(unusedFor(filters, now), space, kept(filters), all);
    }

    /// What a kept thing is to be. BuildKit's `parent` is none of the filters: what is kept here knows no parents.
    private static CachePrune.Kept kept(Filters filters) throws Invalid {
        var shared = truth(filters, "shared");
        var own = truth(filters, "private");
        if (shared.isPresent() && shared.equals(own)) {
            throw new Invalid("invalid filter: shared=" + shared.get() + " and private=" + own.get() + " leave nothing");
        }
        return new CachePrune.Kept(new ArrayList<>(filters.of("id")), new ArrayList<>(filters.of("type")),
                new ArrayList<>(filters.of("description")), truth(filters, "inuse"),
                shared.isPresent() ? shared : own.map(each -> !each));
    }

    private static Optional<Boolean> truth(Filters filters, String key) throws Invalid {
        return filters.of(key).isEmpty() ? Optional.empty() : Optional.of(filters.truth(key, false));
    }

    /// How long something must not have been used, by `until` or its old name `unused-for`.
    private static Optional<Duration> unusedFor(Filters filters, Instant now) throws Invalid {
        var texts = filters.of(filters.of("until").isEmpty() ? "unused-for" : "until");
        if (texts.size() > 1 || !filters.of("until").isEmpty() && !filters.of("unused-for").isEmpty()) {
            throw new Invalid("invalid filter: until and unused-for are one filter, which has one value");
        }
        return texts.isEmpty() ? Optional.empty()
                : Timestamps.parse(texts.iterator().next(), now).map(until -> Duration.between(until, now));
    }
}
