package carafe.image;

import carafe.spec.EngineException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/// Images about to be written as an archive, a docker-archive and an OCI layout in one; they stay here until this is
/// closed.
public final class ImageArchive implements AutoCloseable {

    private final List<ArchiveWriter.Part> parts;
    private final LayerStore layers;
    private final LayerCollector.Lease lease;

    ImageArchive(List<ArchiveWriter.Part> parts, LayerStore layers, LayerCollector.Lease lease) {
        this.parts = List.copyOf(parts);
        this.layers = layers;
        this.lease = lease;
    }

    /// The images, in the order they are written.
    public List<Image> images() {
        return parts.stream().map(ArchiveWriter.Part::image).toList();
    }

    /// Writes the archive to `out`, which is flushed and stays open.
    /// @throws IOException `out`'s own, or the disk's
    public void write(OutputStream out) throws IOException, EngineException {
        new ArchiveWriter(layers, out).write(parts);
    }

    @Override
    public void close() {
        lease.close();
    }
}
