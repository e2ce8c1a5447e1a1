package carafe.spec.build;

import java.util.List;
import java.util.Optional;

/// What came out: the image's id, or the text that a call asked for; the ids of the images that hold the cache, one for
/// each export that is no `INLINE`, in their order. `contextWanted`: nothing came out, as the context was only listed and
/// files of it are needed.
public record BuildOutcome(Optional<String> imageId, String text, List<String> cacheIds, boolean contextWanted) {

    /// The context has to be sent.
    public static final BuildOutcome CONTEXT_WANTED = new BuildOutcome(Optional.empty(), "", List.of(), true);

    public BuildOutcome {
        cacheIds = List.copyOf(cacheIds);
    }

    /// An end.
    public BuildOutcome(Optional<String> imageId, String text, List<String> cacheIds) {
        this(imageId, text, cacheIds, false);
    }

    /// Nothing was exported.
    public BuildOutcome(Optional<String> imageId, String text) {
        this(imageId, text, List.of());
    }
}
