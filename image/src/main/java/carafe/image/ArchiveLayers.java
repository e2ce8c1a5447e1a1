package carafe.image;

import carafe.spec.build.BlobForm;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/// The blobs that an archive has for layers: their tars as they lie here, or compressed anew, always to the same bytes and
/// for gzip to those that a push makes. What is compressed lies in files until this is closed, for a tar says how long its
/// members are before it has them. For one thread.
final class ArchiveLayers implements AutoCloseable {

    private final LayerStore layers;
    private final Path directory;
    private final Map<Digest, Descriptor> made = new HashMap<>();
    private final Map<Digest, Path> files = new HashMap<>();
    private BlobForm form = BlobForm.PLAIN;

    /// Compresses into files of `directory`.
    ArchiveLayers(LayerStore layers, Path directory) {
        this.layers = layers;
        this.directory = directory;
    }

    BlobForm form() {
        return form;
    }

    /// Has these layers in this form from now on; where they are compressed, now. An interrupt ends that.
    void make(Collection<Digest> diffIds, BlobForm as) throws IOException {
        form = as;
        for (var diffId : diffIds) {
            if (as.compression() != BlobForm.Compression.UNCOMPRESSED && !made.containsKey(diffId)) {
                var file = Files.createTempFile(directory, "archive-", ".tmp");
                files.put(diffId, file);
                try (var tar = layers.tar(diffId); var out = new BufferedOutputStream(Files.newOutputStream(file))) {
                    made.put(diffId, compress(tar, out));
                }
            }
        }
    }

    private Descriptor compress(InputStream tar, OutputStream out) throws IOException {
        var blob = form.compression() == BlobForm.Compression.ZSTD ? LayerCompression.zstd(tar, out, form.level())
                : form.level().isEmpty() ? LayerCompression.gzip(tar, out)
                : LayerCompression.gzip(tar, out, form.level().getAsInt());
        return Descriptor.of(form.layerType(), blob.digest(), blob.size());
    }

    /// The blob of a layer.
    Descriptor blob(Digest diffId) throws IOException {
        var compressed = made.get(diffId);
        return compressed != null ? compressed : Descriptor.of(form.layerType(), diffId, layers.sizes(diffId).tarBytes());
    }

    /// Its bytes; to be closed.
    InputStream open(Digest diffId) throws IOException {
        var file = files.get(diffId);
        return file != null ? Files.newInputStream(file) : layers.tar(diffId);
    }

    @Override
    public void close() {
        for (var file : files.values()) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                System.getLogger("carafe.image").log(System.Logger.Level.WARNING,
                        "cannot delete " + file + "; the next start tries again: " + e.getMessage());
            }
        }
        files.clear();
    }
}
