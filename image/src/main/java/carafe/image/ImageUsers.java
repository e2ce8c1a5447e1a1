package carafe.image;

import carafe.spec.oci.Digest;
import java.util.List;

/// Asks which containers were made from an image; the engine answers.
@FunctionalInterface
public interface ImageUsers {

    /// Nobody uses any image.
    ImageUsers NONE = _ -> List.of();

    /// One container that uses an image.
    record ImageUser(String containerId, boolean running) {}

    /// The containers made from the image `id`.
    List<ImageUser> of(Digest id);
}
