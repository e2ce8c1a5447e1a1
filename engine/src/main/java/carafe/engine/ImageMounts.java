package carafe.engine;

import carafe.image.Images;
import carafe.spec.EngineException;
import carafe.spec.docker.MountRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Images that containers mount (`--mount type=image`). Each mount keeps the layers of the image as it was when the
/// container was made, by a snapshot named after the container and the mount's place in its list, `ID.0`; its writable
/// directory is never used.
final class ImageMounts {
    private final Images images;

    ImageMounts(Images images) {
        this.images = images;
    }

    /// The container that a snapshot belongs to.
    static String owner(String snapshot) {
        int dot = snapshot.indexOf('.');
        return dot < 0 ? snapshot : snapshot.substring(0, dot);
    }

    private static String id(String container, int place) {
        return container + "." + place;
    }

    /// The snapshots of a container's image mounts.
    static List<String> ids(ContainerSnapshot container) {
        var ids = new ArrayList<String>();
        var mounts = container.host().files().mounts();
        for (int i = 0; i < mounts.size(); i++) {
            if (mounts.get(i) instanceof MountRequest.Image) {
                ids.add(id(container.id(), i));
            }
        }
        return ids;
    }

    /// Keeps the images that a container in the making mounts.
    void make(ContainerSnapshot container) throws EngineException {
        var mounts = container.host().files().mounts();
        for (int i = 0; i < mounts.size(); i++) {
            if (mounts.get(i) instanceof MountRequest.Image image) {
                images.snapshots().prepareView(id(container.id(), i), images.find(image.reference()));
            }
        }
    }

    /// The layers of the image at that place, the topmost first.
    List<Path> lowers(String container, int place, String reference) throws EngineException {
        return images.snapshots().find(id(container, place))
                .orElseThrow(() -> new EngineException.NotFound("No such image: " + reference))
                .lowers();
    }
}
