package carafe.spec.build;

import java.time.Instant;

/// One thing that builds keep for later ones: a step's result or a cache mount's directory. `shared`: an image, a
/// container or another result counts the same bytes, so that nothing is won by its removal alone.
public record CacheUse(String id, String kind, String description, long bytes, boolean inUse, boolean shared,
        Instant created, Instant lastUsed, int uses) {}
