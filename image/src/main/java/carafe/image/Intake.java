package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.BufferedOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;

/// An image on its way in from a registry or a build: first its layers, in any order and at once, then [#commit] names
/// it. What came in is kept from collections until this is closed; a layer that came in and is named by nothing then is
/// used by the next intake that wants it, or collected with the next removal. May be used by several threads.
public final class Intake implements AutoCloseable {

    /// Where the bytes of a layer's blob come from. Opened only when they are needed, read to their end by one thread,
    /// and closed. A source that can go on after a broken connection does so by itself.
    @FunctionalInterface
    public interface Source {
        InputStream open() throws IOException, EngineException;
    }

    /// A layer as an image's documents describe it: its blob, the digest of the tar inside, and the repository
    /// (`registry.example.com/team/app`) where the blob is known to be, or `""`.
    public record Layer(Descriptor blob, Digest diffId, String repository) {}

    private static final int PIPE_CHUNKS = 16;

    private final Images images;
    private final LayerStore layers;
    private final LayerCollector.Lease lease;
    private final LayerFlights flights;
    private final KnownBlobs known;

    Intake(Images images, LayerStore layers, LayerCollector.Lease lease, LayerFlights flights, KnownBlobs known) {
        this.images = images;
        this.layers = layers;
        this.lease = lease;
        this.flights = flights;
        this.known = known;
    }

    /// True when the layer is here; then it stays until this is closed.
    public boolean has(Digest diffId) throws EngineException {
        try {
            return lease.holdIfHere(diffId);
        } catch (IOException e) {
            throw Failures.of("look for layer " + diffId, e);
        }
    }

    /// Sees to it that the layer is here: at once when it is, by waiting when somebody else is fetching it, else from
    /// `source`. Blocks until the layer is durable. That it is `layer`'s blob is believed only after the bytes said so.
    /// @throws EngineException.Invalid the bytes are not what `layer` says, or no layer
    public void layer(Layer layer, Source source) throws EngineException {
        while (!has(layer.diffId)) {
            flights.join(layer.diffId, () -> fetch(layer, source));
        }
        if (isVerified(layer.diffId, layer.blob)) {
            remember(layer); // the repository may be new
        }
    }

    /// The blob that a manifest may name for a layer that is here: `claimed` if its bytes were seen to be this layer, else
    /// the layer's tar.
    public Descriptor blob(Digest diffId, Descriptor claimed) throws EngineException {
        if (isVerified(diffId, claimed)) {
            return claimed;
        }
        try {
            return Descriptor.of(MediaTypes.OCI_LAYER, diffId, layers.sizes(diffId).tarBytes());
        } catch (IOException e) {
            throw Failures.of("read layer " + diffId, e);
        }
    }

    private boolean isVerified(Digest diffId, Descriptor blob) throws EngineException {
        try {
            return known.verified(diffId, blob);
        } catch (IOException e) {
            throw Failures.of("read layer " + diffId, e);
        }
    }

    private void fetch(Layer layer, Source source) throws EngineException {
        if (has(layer.diffId)) {
            return; // landed between the look and the flight
        }
        lease.hold(Set.of(layer.diffId));
        try (var in = new Verifying(source.open(), layer.blob.digest().algorithm());
                var staged = layers.stage(in)) {
            check(layer, in, staged.hashes());
            layers.sync(List.of(staged));
            staged.commit();
            layers.syncNames();
            remember(layer);
        } catch (IOException e) {
            throw Failures.of("fetch layer " + layer.blob.digest(), e);
        }
    }

    private static void check(Layer layer, Verifying in, LayerStream.Hashes hashes) throws EngineException.Invalid {
        if (hashes.blobBytes() != layer.blob.size()) {
            throw new EngineException.Invalid("unexpected size of " + layer.blob.digest() + ": expected "
                    + layer.blob.size() + " bytes, got " + hashes.blobBytes());
        }
        var found = in.digest().orElse(hashes.blob());
        if (!found.equals(layer.blob.digest())) {
            throw new EngineException.Invalid("filesystem layer verification failed for digest "
                    + layer.blob.digest() + ": got " + found);
        }
        if (!hashes.diffId().equals(layer.diffId)) {
            throw new EngineException.Invalid("layer " + layer.blob.digest() + " holds the files " + hashes.diffId()
                    + ", but the image's configuration says " + layer.diffId);
        }
    }

    private void remember(Layer layer) throws EngineException {
        try {
            known.add(layer.diffId, layer.blob, layer.repository);
        } catch (IOException e) {
            throw Failures.of("remember layer " + layer.diffId, e);
        }
    }

    /// Takes a layer in whose digest nobody knows yet: a tar, plain or compressed.
    /// @return what it turned out to be
    public Layer layer(InputStream tar) throws EngineException {
        try (var staged = layers.stage(tar)) {
            var hashes = staged.hashes();
            lease.hold(Set.of(hashes.diffId()));
            layers.sync(List.of(staged));
            staged.commit();
            layers.syncNames();
            return new Layer(Descriptor.of(MediaTypes.OCI_LAYER, hashes.diffId(), hashes.plainBytes()),
                    hashes.diffId(), "");
        } catch (IOException e) {
            throw Failures.of("unpack layer", e);
        }
    }

    /// The tar of a layer that is here, byte for byte; to be closed.
    public InputStream tar(Digest diffId) throws EngineException {
        try {
            return layers.tar(diffId);
        } catch (IOException e) {
            throw Failures.of("read layer " + diffId, e);
        }
    }

    /// Writes a layer's tar.
    @FunctionalInterface
    public interface Producer {
        void write(OutputStream out) throws IOException, EngineException;
    }

    /// Takes a layer in while `producer` writes it, on a thread of its own.
    /// @return what it turned out to be
    public Layer layer(Producer producer) throws EngineException {
        var pipe = new ChunkPipe(new Semaphore(PIPE_CHUNKS));
        var failure = new AtomicReference<EngineException>();
        var writer = Thread.ofVirtual().name("image-produce").start(() -> {
            try (var out = new BufferedOutputStream(pipe.output(), ChunkPipe.CHUNK_BYTES)) {
                producer.write(out);
                out.flush();
                pipe.end();
            } catch (IOException e) {
                pipe.fail(e);
            } catch (EngineException e) {
                failure.set(e);
                pipe.fail(new IOException(e));
            }
        });
        try (pipe) {
            return layer((InputStream) pipe);
        } catch (EngineException e) {
            pipe.close();
            join(writer);
            throw failure.get() != null ? failure.get() : e;
        } finally {
            join(writer);
        }
    }

    private static void join(Thread writer) throws EngineException {
        try {
            writer.join();
        } catch (InterruptedException e) {
            writer.interrupt();
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("unpack layer: cancelled", e);
        }
    }

    /// Makes the image visible under `names`, durably and at once; every layer must have come in here. `index` is the
    /// index through which the image was found, kept so that images of several platforms can share their name.
    /// @return the names that other images had before, with those images
    public List<Loaded> commit(byte[] config, byte[] manifest, List<Reference> names, Optional<byte[]> index)
            throws EngineException {
        return commit(List.of(IncomingImage.of(config, manifest, names, index)));
    }

    /// An image's documents.
    public record Made(byte[] config, byte[] manifest) {}

    /// The same for images of several platforms, all at once; `index` lists their manifests.
    public List<Loaded> commit(List<Made> all, List<Reference> names, Optional<byte[]> index) throws EngineException {
        var incoming = new ArrayList<IncomingImage>();
        for (var made : all) {
            incoming.add(IncomingImage.of(made.config, made.manifest, names, index));
        }
        return commit(incoming);
    }

    /// The same for what a build made: an image that is here with other annotations has these from now on; names that it had
    /// before keep theirs.
    public List<Loaded> commitBuilt(List<Made> all, List<Reference> names, Optional<byte[]> index) throws EngineException {
        var incoming = new ArrayList<IncomingImage>();
        for (var made : all) {
            incoming.add(IncomingImage.of(made.config, made.manifest, names, index).ofBuild());
        }
        return commit(incoming);
    }

    private List<Loaded> commit(List<IncomingImage> incoming) throws EngineException {
        for (var image : incoming) {
            for (var diffId : image.config().diffIds()) {
                if (!has(diffId)) {
                    throw new EngineException.Invalid("layer " + diffId + " of the image is missing");
                }
            }
        }
        try {
            return images.publish(incoming, List.of()).renamed();
        } catch (IOException e) {
            throw Failures.of("store image " + incoming.getFirst().id(), e);
        }
    }

    /// Stops keeping what came in.
    @Override
    public void close() {
        lease.close();
    }

    /// Hashes with an algorithm that layers are not hashed with anyway.
    private static final class Verifying extends FilterInputStream {
        private final Optional<MessageDigest> hasher;

        Verifying(InputStream in, Digest.Algorithm algorithm) {
            super(in);
            this.hasher = algorithm == Digest.Algorithm.SHA256 ? Optional.empty() : Optional.of(algorithm.hasher());
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = in.read(buffer, offset, length);
            if (count > 0 && hasher.isPresent()) {
                hasher.get().update(buffer, offset, count);
            }
            return count;
        }

        Optional<Digest> digest() {
            return hasher.map(hash -> Digest.finish(Digest.Algorithm.SHA512, hash.digest()));
        }
    }
}
