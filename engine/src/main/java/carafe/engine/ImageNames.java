package carafe.engine;

import carafe.image.Images;
import carafe.spec.EngineException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/// Which image a name means now, remembered until any image changes, so that a list of containers asks no disk.
final class ImageNames {
    private static final int MOST = 10_000;

    private final Images images;
    private volatile ConcurrentMap<String, String> ids = new ConcurrentHashMap<>(); // replaced, never emptied: what
    // is found while images change lands in the old one

    ImageNames(Images images) {
        this.images = images;
    }

    /// The id of the image that `name` means; `""` when there is none.
    String id(String name) {
        var remembered = ids;
        String known = remembered.get(name);
        if (known == null) {
            try {
                known = images.find(name).id().toString();
            } catch (EngineException e) {
                known = "";
            }
            if (remembered.size() < MOST) {
                remembered.put(name, known);
            }
        }
        return known;
    }

    /// How a container's image is shown: by the reference it was made from while that still means the same image.
    String shown(ContainerSnapshot.Image image) {
        return id(image.reference()).equals(image.id()) ? image.reference() : image.id();
    }

    /// Names or images changed.
    void forget() {
        ids = new ConcurrentHashMap<>();
    }
}
