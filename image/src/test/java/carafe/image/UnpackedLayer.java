package carafe.image;

import carafe.kernel.ImageMount;
import carafe.spec.EngineException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A layer store in a directory of a test, and the files of one layer in it.
final class UnpackedLayer implements AutoCloseable {

    final Path root;
    final Trash trash = new Trash();
    final LayerStore layers;

    /// The forms in which layers are kept.
    enum Form {
        DIRECTORY, FILE, LOOP,
        /// Whichever works here best, as a start of the daemon chooses.
        CHOSEN;

        LayerStore open(Path root, Trash trash, LayerBounds bounds) throws IOException {
            return switch (this) {
                case DIRECTORY -> DirectoryLayers.open(root, trash, bounds, CommitSteps.REAL);
                case FILE -> ErofsLayers.open(root, ImageMount.Way.FILE, trash, bounds, CommitSteps.REAL);
                case LOOP -> ErofsLayers.open(root, ImageMount.Way.LOOP, trash, bounds, CommitSteps.REAL);
                case CHOSEN -> chosen(root, trash, bounds);
            };
        }
    }

    private static LayerStore chosen(Path root, Trash trash, LayerBounds bounds) throws IOException {
        try {
            var store = LayerStores.open(root, trash, bounds, CommitSteps.REAL);
            trash.await(); // what was tried is gone
            return store;
        } catch (EngineException e) {
            throw new IOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    UnpackedLayer(Path root, Form form, LayerBounds bounds) throws IOException {
        this.root = root;
        this.layers = form.open(root, trash, bounds);
    }

    UnpackedLayer(Path root, Form form) throws IOException {
        this(root, form, LayerBounds.DEFAULT);
    }

    /// Stages and commits a layer.
    /// @return the directory with its files
    Path unpack(byte[] blob) throws IOException, EngineException.Invalid {
        return unpack(new ByteArrayInputStream(blob));
    }

    Path unpack(InputStream blob) throws IOException, EngineException.Invalid {
        var staged = layers.stage(blob);
        layers.sync(List.of(staged));
        staged.commit();
        layers.syncNames();
        return layers.lower(staged.hashes().diffId());
    }

    Path unpack(TestTar tar) throws IOException, EngineException.Invalid {
        return unpack(tar.bytes());
    }

    /// True when nothing is left of failed or removed layers, once the background is done.
    boolean isClean() throws IOException, InterruptedException {
        trash.await();
        try (var left = Files.list(root.resolve("tmp"))) {
            return left.findAny().isEmpty();
        }
    }

    @Override
    public void close() {
        layers.close();
        trash.close();
    }
}
