package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;

/// The layers of all images, each once, by the digest of its tar (its diffID). A layer is staged from a stream, made
/// durable together with others, then committed; only committed layers are visible, and whole after any crash.
/// All methods may be called from several threads.
interface LayerStore extends AutoCloseable {

    /// A layer that is unpacked but not visible yet. Closing one that was not committed drops it.
    interface Staged extends AutoCloseable {

        /// What the stream turned out to be.
        LayerStream.Hashes hashes();

        /// Makes the layer visible; [LayerStore#sync] must have been called with it. When the layer is
        /// there already, this one is dropped. Names are durable after [LayerStore#syncNames].
        void commit() throws IOException;

        /// Makes the layer visible in place of one with the same digest that turned out to be damaged; whoever looks
        /// into the layer from now on sees this one. Durable after [LayerStore#syncNames].
        void replace() throws IOException;

        @Override
        void close() throws IOException;
    }

    /// How the layers are kept.
    LayerForm form();

    /// Unpacks the blob (a tar, plain or compressed) that `blob` gives, to its end.
    /// @throws EngineException.Invalid the bytes are at fault
    /// @throws IOException the disk's or `blob`'s own
    Staged stage(InputStream blob) throws IOException, EngineException.Invalid;

    /// Makes these layers durable, which this store staged.
    void sync(Collection<Staged> staged) throws IOException;

    /// Makes all commits so far durable.
    void syncNames() throws IOException;

    /// True when the layer is here.
    boolean has(Digest diffId);

    /// How big a layer is: the lengths of its files together, and of its tar, in bytes.
    record Sizes(long fileBytes, long tarBytes) {}

    /// How big the layer is.
    /// @throws java.nio.file.NoSuchFileException it is not here, perhaps since a moment ago
    Sizes sizes(Digest diffId) throws IOException;

    /// The layer's tar, byte for byte as it came; to be closed.
    /// @throws java.nio.file.NoSuchFileException it is not here, perhaps since a moment ago
    InputStream tar(Digest diffId) throws IOException;

    /// The directory that an overlay takes for this layer; good while the layer is here and this process lives.
    Path lower(Digest diffId) throws IOException;

    /// Reads the whole layer and compares it with what it should be.
    /// @return what is wrong, in words that follow "the layer"; empty when nothing is
    Optional<String> fault(Digest diffId) throws IOException;

    /// All layers.
    Set<Digest> list() throws IOException;

    /// Removes a layer: out of sight at once, freed in the background. One that is not here is fine.
    void remove(Digest diffId) throws IOException;

    /// Lets go of what this process holds; the layers stay.
    @Override
    void close();
}
