package carafe.image;

import carafe.spec.oci.Digest;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.Reference;
import java.util.List;
import java.util.Map;

/// An image as it is now: its id (the digest of its configuration), documents, names and size. `tags` are references
/// with a tag, `digests` references with a digest; both sorted. `size` is the bytes of its files in all layers.
public record Image(Digest id, ImageConfig config, Digest manifestDigest, Manifest manifest, List<Reference> tags,
        List<Reference> digests, long size) {

    public Image {
        tags = List.copyOf(tags);
        digests = List.copyOf(digests);
    }

    /// The same with a manifest that has these annotations, and is none that is here.
    Image annotated(Map<String, String> annotations) {
        if (annotations.equals(manifest.annotations())) {
            return this;
        }
        var own = new Manifest(manifest.mediaType(), manifest.config(), manifest.layers(), annotations, manifest.subject(),
                manifest.artifactType());
        return new Image(id, config, Digest.sha256(own.toJson().printBytes()), own, tags, digests, size);
    }
}
