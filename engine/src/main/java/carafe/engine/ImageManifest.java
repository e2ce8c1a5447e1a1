package carafe.engine;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Platform;
import java.util.List;
import java.util.Optional;

/// A manifest behind an image's names: its descriptor, the image if that is here, and the manifest that it says something
/// of if it is an attestation.
public record ImageManifest(Descriptor manifest, Optional<Here> image, Optional<Digest> attests) {

    /// An image that is here: its platform, the bytes of its documents and of its files, and the containers made of it.
    public record Here(Platform platform, long documentBytes, long fileBytes, List<String> containers) {
        public Here {
            containers = List.copyOf(containers);
        }
    }
}
