package carafe.spec.build;

import java.util.List;
import java.util.Optional;

/// What came out: the image's id, or the text that a call asked for; the ids of the images that hold the cache, one for
/// each export that is no `INLINE`, in their order.
public record BuildOutcome(Optional<String> imageId, String text, List<String> cacheIds) {

    public BuildOutcome {
        cacheIds = List.copyOf(cacheIds);
    }

    /// Nothing was exported.
    public BuildOutcome(Optional<String> imageId, String text) {
        this(imageId, text, List.of());
    }
}
