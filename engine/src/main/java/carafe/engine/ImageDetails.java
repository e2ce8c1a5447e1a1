package carafe.engine;

import carafe.spec.Json;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Reference;
import java.util.List;

/// An image: its id, what it says about itself (`document` is the configuration word for word), its names and the bytes
/// of its files. `containers` counts those made from it.
public record ImageDetails(
        Digest id,
        ImageConfig config,
        Json.Obj document,
        Digest manifest,
        List<Reference> tags,
        List<Reference> digests,
        long sizeBytes,
        int containers) {
    public ImageDetails {
        tags = List.copyOf(tags);
        digests = List.copyOf(digests);
    }
}
