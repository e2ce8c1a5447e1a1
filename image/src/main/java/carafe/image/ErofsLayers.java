package carafe.image;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.ImageMount;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.tar.TarReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Layers as files that are mounted: `HEX` is a [LayerFile], `tmp` what is being written or deleted. A layer is written
/// in one stream, front to back, as its tar arrives; synced by whoever wrote it; then renamed to its digest. The rename
/// is the commit mark; nothing incomplete ever has a digest's name.
final class ErofsLayers implements LayerStore {

    private final Path root;
    private final Path temporary;
    private final Trash trash;
    private final LayerBounds bounds;
    private final CommitSteps steps;
    private final LayerMounts mounts;
    private final Map<Digest, Sizes> sizes = new ConcurrentHashMap<>();

    private ErofsLayers(Path root, ImageMount.Way way, Trash trash, LayerBounds bounds, CommitSteps steps) {
        this.root = root;
        this.temporary = root.resolve("tmp");
        this.trash = trash;
        this.bounds = bounds;
        this.steps = steps;
        this.mounts = new LayerMounts(way);
    }

    /// Opens the layers in `root`, making it where it is missing; what a crash left is deleted in the background.
    static ErofsLayers open(Path root, ImageMount.Way way, Trash trash, LayerBounds bounds, CommitSteps steps)
            throws IOException {
        var layers = new ErofsLayers(root, way, trash, bounds, steps);
        Durable.makeDirectory(layers.temporary);
        trash.sweep(layers.temporary);
        return layers;
    }

    @Override
    public LayerForm form() {
        return LayerForm.of(mounts.way());
    }

    @Override
    public Staged stage(InputStream blob) throws IOException, EngineException.Invalid {
        Path place = trash.freshName(temporary);
        boolean done = false;
        steps.before("create layer");
        try (var file = Descriptors.open(place, Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL, 0600)) {
            var staged = write(blob, place, file);
            steps.before("sync layer");
            FdStream.sync(file);
            done = true;
            return staged;
        } catch (LayerStream.Broken e) {
            throw LayerStream.invalid(e);
        } catch (EOFException e) {
            throw new EngineException.Invalid("unexpected EOF");
        } finally {
            if (!done) {
                trash.bury(place, temporary);
            }
        }
    }

    private StagedFile write(InputStream blob, Path place, Fd file) throws IOException, EngineException.Invalid {
        var tree = new LayerTree();
        var indexer = new LayerIndexer(tree, bounds.maxEntries());
        try (var stream = LayerStream.hashedElsewhere(blob, bounds.stream());
                var spool = new TarSpool(stream, file, LayerFile.TAR_START)) {
            var tar = new TarReader(spool);
            for (var entry = tar.next(); entry != null; entry = tar.next()) {
                indexer.add(entry, tar.position());
            }
            tar.drain();
            stream.drain();
            var hashes = stream.hashes(spool.finish());
            steps.before("write layer");
            LayerFile.write(file, tree, indexer, hashes.diffId(), hashes.plainBytes());
            return new StagedFile(place, hashes, new Sizes(indexer.fileBytes(), hashes.plainBytes()));
        }
    }

    /// Each was synced when it was staged.
    @Override
    public void sync(Collection<Staged> staged) throws IOException {
        steps.before("sync layers");
    }

    @Override
    public void syncNames() throws IOException {
        steps.before("sync layer names");
        Durable.syncDirectory(root);
    }

    @Override
    public boolean has(Digest diffId) {
        return Files.isRegularFile(path(diffId));
    }

    @Override
    public Sizes sizes(Digest diffId) throws IOException {
        var known = sizes.get(diffId);
        if (known != null) {
            return known;
        }
        try {
            var file = LayerFile.read(path(diffId));
            var read = new Sizes(file.fileBytes(), file.tarBytes());
            sizes.put(diffId, read);
            return read;
        } catch (LayerFile.Damaged e) {
            throw new IOException("layer " + diffId + " is damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public InputStream tar(Digest diffId) throws IOException {
        try {
            return LayerFile.tar(path(diffId));
        } catch (LayerFile.Damaged e) {
            throw new IOException("layer " + diffId + " is damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public Path lower(Digest diffId) throws IOException {
        if (!has(diffId)) {
            throw new NoSuchFileException("layer " + diffId + " is missing");
        }
        return mounts.root(diffId, path(diffId));
    }

    @Override
    public Optional<String> fault(Digest diffId) throws IOException {
        try (var file = LayerFile.open(path(diffId))) {
            LayerFile.verify(file, diffId);
            return Optional.empty();
        } catch (LayerFile.Damaged e) {
            return Optional.of(String.valueOf(e.getMessage()));
        } catch (NoSuchFileException e) {
            return Optional.of("it is missing");
        } catch (EngineException.Invalid e) {
            return Optional.of("its files are damaged: " + e.getMessage());
        }
    }

    @Override
    public Set<Digest> list() throws IOException {
        var found = new HashSet<Digest>();
        try (var names = Files.newDirectoryStream(root)) {
            for (Path file : names) {
                String name = String.valueOf(file.getFileName());
                if (name.length() == Digest.Algorithm.SHA256.hexLength()) {
                    found.add(new Digest(Digest.Algorithm.SHA256, name));
                }
            }
        }
        return found;
    }

    @Override
    public void remove(Digest diffId) throws IOException {
        steps.before("remove layer");
        sizes.remove(diffId);
        mounts.forget(diffId);
        trash.bury(path(diffId), temporary);
    }

    private Path path(Digest diffId) {
        return root.resolve(diffId.hex());
    }

    @Override
    public void close() {
        mounts.close();
    }

    private final class StagedFile implements Staged {
        private final Path place;
        private final LayerStream.Hashes hashes;
        private final Sizes size;

        StagedFile(Path place, LayerStream.Hashes hashes, Sizes size) {
            this.place = place;
            this.hashes = hashes;
            this.size = size;
        }

        @Override
        public LayerStream.Hashes hashes() {
            return hashes;
        }

        @Override
        public void commit() throws IOException {
            steps.before("rename layer");
            if (has(hashes.diffId())) {
                close(); // the same layer twice
                return;
            }
            try {
                Files.move(place, path(hashes.diffId()), StandardCopyOption.ATOMIC_MOVE);
                sizes.put(hashes.diffId(), size);
            } catch (FileAlreadyExistsException e) {
                close();
            }
        }

        @Override
        public void replace() throws IOException {
            Files.move(place, path(hashes.diffId()), StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            sizes.put(hashes.diffId(), size);
            mounts.renew(hashes.diffId(), path(hashes.diffId()));
        }

        @Override
        public void close() throws IOException {
            trash.bury(place, temporary);
        }
    }
}
