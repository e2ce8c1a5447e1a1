package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One layer of an image that is being sent. The blobs it is known to be come first: what the registry has, or can
/// mount from another of its repositories, need not be sent. Else [#write] compresses the layer, always to the same
/// bytes, and remembers what came out.
public final class OutgoingLayer {

    /// A blob that this layer is known to be, with the repositories it was seen in (`registry.example.com/team/app`).
    public record KnownBlob(Descriptor blob, Set<String> repositories) {
        public KnownBlob {
            repositories = Set.copyOf(repositories);
        }
    }

    private final Digest diffId;
    private final LayerStore layers;
    private final KnownBlobs known;
    private final Optional<EarlyBlob> early;

    OutgoingLayer(Digest diffId, LayerStore layers, KnownBlobs known, Optional<EarlyBlob> early) {
        this.diffId = diffId;
        this.layers = layers;
        this.known = known;
        this.early = early;
    }

    /// The digest of the layer's tar.
    public Digest diffId() {
        return diffId;
    }

    /// The length of the layer's tar.
    public long tarBytes() throws EngineException {
        try {
            return layers.sizes(diffId).tarBytes();
        } catch (IOException e) {
            throw Failures.of("read layer " + diffId, e);
        }
    }

    /// The blobs that this layer is known to be, the one seen last first.
    public List<KnownBlob> known() throws EngineException {
        try {
            return List.copyOf(known.of(diffId));
        } catch (IOException e) {
            throw Failures.of("read layer " + diffId, e);
        }
    }

    /// The layer's tar, byte for byte; to be closed.
    public InputStream tar() throws EngineException {
        try {
            return layers.tar(diffId);
        } catch (IOException e) {
            throw Failures.of("read layer " + diffId, e);
        }
    }

    /// Writes the layer's blob, gzip, to `out`, which is flushed and stays open; what was made early is not made again.
    /// @return what was written, which is remembered too
    /// @throws IOException `out`'s own
    public Descriptor write(OutputStream out) throws IOException, EngineException {
        var blob = EarlyBlob.write(early, this, out);
        known.add(diffId, blob, "");
        return blob;
    }

    /// Remembers that `blob`, which this layer is, lies in `repository`.
    public void seen(Descriptor blob, String repository) throws EngineException {
        try {
            known.add(diffId, blob, repository);
        } catch (IOException e) {
            throw Failures.of("remember layer " + diffId, e);
        }
    }
}
