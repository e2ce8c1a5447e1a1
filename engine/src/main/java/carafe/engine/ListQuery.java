package carafe.engine;

import carafe.spec.docker.Filters;

/// Which containers to list: all or only running ones; at most `limit` of the newest (0: no limit, else implies all);
/// with sizes (slow: walks directories).
public record ListQuery(boolean all, int limit, boolean size, Filters filters) {}
