package carafe.engine;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One line of a list of images; `artifact` is the descriptor, with its kind, of what is none.
public record ImageSummary(
        Digest id,
        List<Reference> tags,
        List<Reference> digests,
        Optional<Instant> created,
        long sizeBytes,
        Map<String, String> labels,
        int containers,
        Optional<Descriptor> artifact) {
    public ImageSummary {
        tags = List.copyOf(tags);
        digests = List.copyOf(digests);
        labels = Map.copyOf(labels);
    }

    /// The same with only those of its names that were asked for.
    ImageSummary shownAs(List<Reference> askedTags, List<Reference> askedDigests) {
        return new ImageSummary(id, askedTags, askedDigests, created, sizeBytes, labels, containers, artifact);
    }
}
