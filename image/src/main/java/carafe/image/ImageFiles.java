package carafe.image;

import carafe.spec.EngineException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.UUID;

/// The files of an image, ready to be written: its own, without what a container's root has beside them. What they are
/// read through, and the image's layers, are there until this is closed.
public final class ImageFiles implements AutoCloseable {

    private final Snapshots snapshots;
    private final String view;

    private ImageFiles(Snapshots snapshots, String view) {
        this.snapshots = snapshots;
        this.view = view;
    }

    static ImageFiles of(Image image, Snapshots snapshots) throws EngineException {
        String view = "view-" + UUID.randomUUID();
        try {
            snapshots.prepareView(view, image);
            return new ImageFiles(snapshots, view);
        } catch (EngineException | RuntimeException e) {
            try {
                snapshots.remove(view);
            } catch (EngineException left) {
                e.addSuppressed(left);
            }
            throw e;
        }
    }

    /// Writes them to `out` as a tar, which stays open.
    public void write(OutputStream out) throws IOException, EngineException {
        snapshots.export(view, out);
    }

    @Override
    public void close() throws EngineException {
        snapshots.remove(view);
    }
}
