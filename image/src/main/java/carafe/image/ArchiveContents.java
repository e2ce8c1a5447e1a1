package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What an archive held, by member name: documents in memory, layers staged or known before, other
/// blobs in the store. Names are only keys here,
/// never paths of the host. Closing drops the layers that were not committed.
final class ArchiveContents implements AutoCloseable {

    /// A layer of the archive: digest and length of its tar, and what its bytes in the archive were. A layer that was
    /// here before is not read again, so of its bytes only the name is known.
    record Layer(Digest diffId, long tarBytes, Optional<LayerStream.Hashes> hashes) {}

    private static final int MAX_ALIASES = 10_000;
    private static final int MAX_HOPS = 10;

    private final Map<String, byte[]> documents;
    private final Map<String, LayerStore.Staged> staged;
    private final Map<String, Layer> known;
    private final ArchiveBlobs blobs;
    private final LayerStore layers;
    private final Map<String, String> aliases = new HashMap<>();

    ArchiveContents(Map<String, byte[]> documents, Map<String, LayerStore.Staged> staged,
            Map<String, Layer> known, ArchiveBlobs blobs, LayerStore layers) {
        this.layers = layers;
        this.blobs = blobs;
        this.documents = documents;
        this.staged = staged;
        this.known = known;
    }

    /// `name` is a link to `target`, both from the archive's root.
    void alias(String name, String target) throws EngineException.Invalid {
        if (aliases.size() == MAX_ALIASES) {
            throw new EngineException.Invalid("archive has more than " + MAX_ALIASES + " links");
        }
        aliases.put(name, target);
    }

    /// The document `name`; empty when the archive has none. One that an artifact names too lies among its blobs.
    Optional<byte[]> document(String name) {
        String target = resolved(name);
        var here = documents.get(target);
        if (here != null) {
            return Optional.of(here);
        }
        var both = ArchiveBlobs.digest(target).flatMap(blobs::taken);
        try {
            return both.isPresent() && Files.size(both.get()) <= Manifest.MAX_BYTES
                    ? Optional.of(Files.readAllBytes(both.get()))
                    : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + both.get(), e);
        }
    }

    /// The layer `name`; empty when the archive has none. One that an artifact names too is unpacked now.
    Optional<Layer> layer(String name) throws EngineException {
        String target = resolved(name);
        var here = staged.get(target);
        var both = here == null ? ArchiveBlobs.digest(target).flatMap(blobs::taken) : Optional.<Path>empty();
        if (both.isPresent()) {
            try (var in = Files.newInputStream(both.get())) {
                here = layers.stage(in);
                staged.put(target, here);
            } catch (IOException e) {
                throw Failures.of("unpack layer " + name, e);
            }
        }
        if (here != null) {
            var hashes = here.hashes();
            return Optional.of(new Layer(hashes.diffId(), hashes.plainBytes(), Optional.of(hashes)));
        }
        return Optional.ofNullable(known.get(target));
    }

    /// Whether the archive's own bytes said that this layer is `blob`.
    boolean brought(Digest diffId, Descriptor blob) {
        return staged.values().stream().map(LayerStore.Staged::hashes).anyMatch(hashes -> hashes.diffId().equals(diffId)
                && (hashes.blob().equals(blob.digest()) && hashes.blobBytes() == blob.size()
                        || diffId.equals(blob.digest()) && hashes.plainBytes() == blob.size()));
    }

    private String resolved(String name) {
        String at = name;
        for (int i = 0; i < MAX_HOPS && aliases.containsKey(at); i++) {
            at = aliases.get(at);
        }
        return at;
    }

    /// Makes the staged layers with one of these digests durable, then visible.
    void commit(Set<Digest> wanted) throws IOException {
        var chosen = new LinkedHashMap<Digest, LayerStore.Staged>();
        for (var layer : staged.values()) {
            if (wanted.contains(layer.hashes().diffId())) {
                chosen.put(layer.hashes().diffId(), layer);
            }
        }
        if (!chosen.isEmpty()) {
            layers.sync(chosen.values());
            for (var layer : chosen.values()) {
                layer.commit();
            }
            layers.syncNames();
        }
    }

    /// Puts the staged layer with this digest in place of a damaged one.
    /// @return false when there is none
    boolean replace(Digest diffId) throws IOException {
        for (var layer : staged.values()) {
            if (layer.hashes().diffId().equals(diffId)) {
                layer.replace();
                return true;
            }
        }
        return false;
    }

    /// The document with this digest.
    Optional<byte[]> documentOf(Digest digest) {
        return documents.values().stream().filter(digest::matches).findFirst();
    }

    /// The blobs that were kept as they are.
    ArchiveBlobs blobs() {
        return blobs;
    }

    @Override
    public void close() throws IOException {
        blobs.close();
        for (var layer : staged.values()) {
            layer.close();
        }
    }
}
