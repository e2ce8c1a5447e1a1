package carafe.image;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.util.Optional;

/// A manifest that people find behind an image's names: its descriptor, with the platform if it is known; the image, if
/// that is here; and the manifest that it says something of, if it is an attestation.
public record ListedManifest(Descriptor manifest, Optional<Image> image, Optional<Digest> attests) {}
