package carafe.spec.build;

import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Platform;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What came out: the image's id (of several that of this host's platform, else the first), or the text that a call asked
/// for; the ids of the images that hold the cache, one for each export that is no `INLINE`, in their order; the image made
/// for each platform; the descriptor of its manifest, or of the index of all, and that index. `contextWanted`: nothing came
/// out, as the context was only listed and files of it are needed.
public record BuildOutcome(Optional<String> imageId, String text, List<String> cacheIds, List<Made> images,
        Optional<Descriptor> result, Optional<Json.Obj> index, boolean contextWanted) {

    /// The context has to be sent.
    public static final BuildOutcome CONTEXT_WANTED =
            new BuildOutcome(Optional.empty(), "", List.of(), List.of(), Optional.empty(), Optional.empty(), true);

    /// The image made for a platform, and what its manifest is annotated with.
    public record Made(Platform platform, String id, Map<String, String> annotations) {
        public Made {
            annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
        }
    }

    public BuildOutcome {
        cacheIds = List.copyOf(cacheIds);
        images = List.copyOf(images);
    }

    /// An end.
    public BuildOutcome(Optional<String> imageId, String text, List<String> cacheIds, List<Made> images,
            Optional<Descriptor> result, Optional<Json.Obj> index) {
        this(imageId, text, cacheIds, images, result, index, false);
    }

    /// No image: the answer to a call.
    public static BuildOutcome said(String text) {
        return new BuildOutcome(Optional.empty(), text, List.of(), List.of(), Optional.empty(), Optional.empty());
    }
}
