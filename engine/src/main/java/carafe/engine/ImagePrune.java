package carafe.engine;

import java.util.List;

/// What pruning images took away, in the order it happened, and the bytes that come free.
public record ImagePrune(List<ImageRemoval> removals, long reclaimedBytes) {
    public ImagePrune {
        removals = List.copyOf(removals);
    }
}
