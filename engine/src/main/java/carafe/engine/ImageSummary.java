package carafe.engine;

import carafe.spec.oci.Digest;
import carafe.spec.oci.Reference;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One line of a list of images.
public record ImageSummary(
        Digest id,
        List<Reference> tags,
        List<Reference> digests,
        Optional<Instant> created,
        long sizeBytes,
        Map<String, String> labels,
        int containers) {
    public ImageSummary {
        tags = List.copyOf(tags);
        digests = List.copyOf(digests);
        labels = Map.copyOf(labels);
    }
}
