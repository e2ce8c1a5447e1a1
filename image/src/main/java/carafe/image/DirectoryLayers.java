package carafe.image;

import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.Inodes;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import carafe.spec.tar.TarReader;
import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
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

/// Layers as plain directories: `HEX/fs` has the files, `HEX/layer.json` their sizes, `HEX/tar.zst` the tar itself,
/// which no directory gives back byte for byte; `tmp` what is being unpacked or deleted. Works on every filesystem that
/// can hold an overlay's lower directory.
///
/// Durability without an fsync per file: a layer is unpacked under `tmp`, one syncfs(2) covers all layers of a load
/// (small ones are synced by themselves), then each is renamed to its digest. The rename is the commit mark; nothing
/// incomplete ever has a digest's name.
final class DirectoryLayers implements LayerStore {

    private static final int DIRECTORY_MODE = 0755;
    private static final int FEW_ENTRIES = 32;
    private static final int BUFFER = 128 << 10;
    private static final String TAR = "tar.zst";

    private final Path root;
    private final Path temporary;
    private final Trash trash;
    private final LayerBounds bounds;
    private final CommitSteps steps;
    private final Map<Digest, Sizes> sizes = new ConcurrentHashMap<>();

    private DirectoryLayers(Path root, Trash trash, LayerBounds bounds, CommitSteps steps) {
        this.root = root;
        this.temporary = root.resolve("tmp");
        this.trash = trash;
        this.bounds = bounds;
        this.steps = steps;
    }

    /// Opens the layers in `root`, making it where it is missing; what a crash left is deleted in the background.
    static DirectoryLayers open(Path root, Trash trash, LayerBounds bounds, CommitSteps steps) throws IOException {
        var layers = new DirectoryLayers(root, trash, bounds, steps);
        Durable.makeDirectory(layers.temporary);
        trash.sweep(layers.temporary);
        return layers;
    }

    @Override
    public LayerForm form() {
        return LayerForm.DIRECTORY;
    }

    @Override
    public Staged stage(InputStream blob) throws IOException, EngineException.Invalid {
        Path place = trash.freshName(temporary);
        boolean done = false;
        try {
            steps.before("create layer");
            Path files = place.resolve("fs");
            Durable.makeDirectory(files);
            var staged = unpack(blob, place, files);
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

    private StagedDirectory unpack(InputStream blob, Path place, Path files)
            throws IOException, EngineException.Invalid {
        try (var tree = FileTree.open(files); var writer = new LayerWriter(tree, bounds.maxEntries());
                var tarCopy = new ZstdOutputStreamNoFinalizer(Files.newOutputStream(place.resolve(TAR)), 1);
                var stream = new LayerStream(blob, bounds.stream(), tarCopy)) {
            Inodes.chmod(tree.root(), DIRECTORY_MODE);
            var tar = new TarReader(stream);
            for (var entry = tar.next(); entry != null; entry = tar.next()) {
                writer.add(entry, tar);
            }
            stream.drain();
            writer.finish();
            var hashes = stream.hashes();
            var about = Json.object().put("diffId", hashes.diffId().toString()).put("fileBytes", writer.fileBytes())
                    .put("entries", writer.entries()).put("tarBytes", hashes.plainBytes()).build();
            Files.write(place.resolve("layer.json"), about.printBytes());
            return new StagedDirectory(place, hashes, new Sizes(writer.fileBytes(), hashes.plainBytes()),
                    writer.entries());
        }
    }

    /// One syncfs(2) for all, but a few small files are synced one by one: the filesystem may be full of what others
    /// have written and wait for nobody to ask.
    @Override
    public void sync(Collection<Staged> staged) throws IOException {
        steps.before("sync layers");
        long entries = 0;
        for (var layer : staged) {
            entries += own(layer).entries;
        }
        boolean done = entries <= FEW_ENTRIES;
        try (var tree = FileTree.open(temporary)) {
            for (var layer : staged) {
                done = done && SmallTree.sync(tree, String.valueOf(own(layer).place.getFileName()));
            }
            if (!done) {
                try (var top = tree.open("/", Linux.O_RDONLY | Linux.O_DIRECTORY, 0)) {
                    FdStream.syncFilesystem(top);
                }
            }
        }
    }

    private static StagedDirectory own(Staged staged) {
        if (staged instanceof StagedDirectory own) {
            return own;
        }
        throw new IllegalArgumentException("a layer of another store");
    }

    @Override
    public void syncNames() throws IOException {
        steps.before("sync layer names");
        Durable.syncDirectory(root);
    }

    @Override
    public boolean has(Digest diffId) {
        return Files.isDirectory(path(diffId));
    }

    @Override
    public Sizes sizes(Digest diffId) throws IOException {
        var known = sizes.get(diffId);
        if (known != null) {
            return known;
        }
        try {
            var about = Json.parseObject(Files.readAllBytes(path(diffId).resolve("layer.json")));
            var read = new Sizes(about.number("fileBytes", 0), about.number("tarBytes", 0));
            sizes.put(diffId, read);
            return read;
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException("layer " + diffId + " is missing");
        } catch (EngineException.Invalid e) {
            throw new IOException("layer " + diffId + " is damaged: " + e.getMessage(), e);
        }
    }

    @Override
    public InputStream tar(Digest diffId) throws IOException {
        return tarIn(path(diffId));
    }

    /// The tar of the layer in `directory`, wherever that is.
    static InputStream tarIn(Path directory) throws IOException {
        return new ZstdInputStreamNoFinalizer(Files.newInputStream(directory.resolve(TAR)));
    }

    @Override
    public Path lower(Digest diffId) {
        return path(diffId).resolve("fs");
    }

    /// Its tar is verified; its files are not compared with it.
    @Override
    public Optional<String> fault(Digest diffId) throws IOException {
        var hash = Digest.Algorithm.SHA256.hasher();
        try (var tar = tar(diffId)) {
            byte[] buffer = new byte[BUFFER];
            for (int count = tar.read(buffer); count >= 0; count = tar.read(buffer)) {
                hash.update(buffer, 0, count);
            }
        } catch (NoSuchFileException e) {
            return Optional.of("it is missing");
        } catch (ZstdIOException e) {
            return Optional.of("its tar is damaged");
        }
        boolean right = Digest.finish(Digest.Algorithm.SHA256, hash.digest()).equals(diffId);
        return right ? Optional.empty() : Optional.of("its tar is damaged");
    }

    @Override
    public Set<Digest> list() throws IOException {
        var found = new HashSet<Digest>();
        try (var names = Files.newDirectoryStream(root)) {
            for (Path directory : names) {
                String name = String.valueOf(directory.getFileName());
                for (var algorithm : Digest.Algorithm.values()) {
                    if (name.length() == algorithm.hexLength()) {
                        found.add(new Digest(algorithm, name));
                    }
                }
            }
        }
        return found;
    }

    @Override
    public void remove(Digest diffId) throws IOException {
        steps.before("remove layer");
        sizes.remove(diffId);
        trash.bury(path(diffId), temporary);
    }

    @Override
    public void close() {
        // nothing is held
    }

    /// Short, as old mount(2) has only a page for all lower directories; the two algorithms differ in length.
    private Path path(Digest diffId) {
        return root.resolve(diffId.hex());
    }

    private final class StagedDirectory implements Staged {
        private final Path place;
        private final LayerStream.Hashes hashes;
        private final Sizes size;
        private final long entries;

        StagedDirectory(Path place, LayerStream.Hashes hashes, Sizes size, long entries) {
            this.place = place;
            this.hashes = hashes;
            this.size = size;
            this.entries = entries;
        }

        @Override
        public LayerStream.Hashes hashes() {
            return hashes;
        }

        @Override
        public void commit() throws IOException {
            steps.before("rename layer");
            try {
                Files.move(place, path(hashes.diffId()), StandardCopyOption.ATOMIC_MOVE);
                sizes.put(hashes.diffId(), size);
            } catch (FileSystemException e) {
                if (!has(hashes.diffId())) {
                    throw e;
                }
                close(); // the same layer twice
            }
        }

        @Override
        public void replace() throws IOException {
            trash.bury(path(hashes.diffId()), temporary);
            commit();
        }

        @Override
        public void close() throws IOException {
            trash.bury(place, temporary);
        }
    }
}
