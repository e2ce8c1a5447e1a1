package carafe.engine;

import java.util.List;

/// What a clean-up removed: ids, and the bytes that came free.
public record PruneReport(List<String> removed, long reclaimedBytes) {
    public PruneReport {
        removed = List.copyOf(removed);
    }
}
