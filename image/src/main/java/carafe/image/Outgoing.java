package carafe.image;

import java.util.List;

/// An image on its way out to a registry: its documents byte for byte and its layers, lowest first, which stay here
/// until this is closed.
public final class Outgoing implements AutoCloseable {

    private final Image image;
    private final byte[] config;
    private final byte[] manifest;
    private final List<OutgoingLayer> layers;
    private final Kept kept;

    /// What an image on its way out keeps here: its layers, and those of their blobs that were made before.
    record Kept(LayerCollector.Lease lease, EarlyBlobs.Hold early) implements AutoCloseable {
        @Override
        public void close() {
            lease.close();
            early.close();
        }
    }

    Outgoing(Image image, byte[] config, byte[] manifest, List<OutgoingLayer> layers, Kept kept) {
        this.image = image;
        this.config = config;
        this.manifest = manifest;
        this.layers = List.copyOf(layers);
        this.kept = kept;
    }

    public Image image() {
        return image;
    }

    /// The exact bytes of the configuration, whose digest is the image's id.
    public byte[] config() {
        return config.clone();
    }

    /// The exact bytes of the manifest that the image came with. Its layers' blobs need not be here: a push that finds
    /// all of them at the registry sends it as it is, any other writes a new one over the blobs that
    /// [OutgoingLayer#write] made.
    public byte[] manifest() {
        return manifest.clone();
    }

    /// The layers, lowest first.
    public List<OutgoingLayer> layers() {
        return layers;
    }

    /// Stops keeping the layers.
    @Override
    public void close() {
        kept.close();
    }
}
