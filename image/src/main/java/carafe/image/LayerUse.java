package carafe.image;

import carafe.spec.oci.Digest;
import java.util.Set;

/// A layer that is here: the bytes of its files and the images that have it, of which there may be none.
public record LayerUse(Digest diffId, long fileBytes, Set<Digest> images) {
    public LayerUse {
        images = Set.copyOf(images);
    }
}
