package carafe.spec.build;

import java.util.List;

/// What went, and how many bytes became free.
public record CachePruned(List<String> ids, long bytes) {
    public CachePruned {
        ids = List.copyOf(ids);
    }
}
