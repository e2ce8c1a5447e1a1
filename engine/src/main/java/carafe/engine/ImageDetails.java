package carafe.engine;

import carafe.spec.Json;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Reference;
import java.util.List;
import java.util.Optional;

/// An image: its id, what it says about itself (`document` is the configuration word for word), its names and the bytes
/// of its files. `containers` counts those made from it. Of an artifact, which has no such configuration, `artifact` tells
/// what it is.
public record ImageDetails(
        Digest id,
        ImageConfig config,
        Json.Obj document,
        Digest manifest,
        List<Reference> tags,
        List<Reference> digests,
        long sizeBytes,
        int containers,
        Optional<Artifact> artifact) {

    /// What an artifact is: its manifest as others point to it, with its kind, and the manifest word for word.
    public record Artifact(Descriptor descriptor, Json.Obj manifest) {}

    public ImageDetails {
        tags = List.copyOf(tags);
        digests = List.copyOf(digests);
    }
}
