package carafe.image;

import carafe.spec.oci.Digest;
import java.util.Set;

/// A layer that is here: the bytes of its files, the images that have it, of which there may be none, and whether a
/// container stands on it.
public record LayerUse(Digest diffId, long fileBytes, Set<Digest> images, boolean ofContainer) {
    public LayerUse {
        images = Set.copyOf(images);
    }

    /// Whether an image or a container has it, so that no cache's removal frees it.
    public boolean isNeeded() {
        return ofContainer || !images.isEmpty();
    }
}
