package carafe.spec.build;

import java.time.Instant;

/// One thing that builds keep for later ones: a step's result or a cache mount's directory.
public record CacheUse(String id, String kind, String description, long bytes, boolean inUse, Instant created,
        Instant lastUsed, int uses) {}
