package carafe.image;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.FileTree;
import carafe.kernel.ImageMount;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.Overlay;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Chooses how layers are kept, by trying on a layer of one file: mounted from the file, through a loop device, or as
/// directories. Layers that an earlier start kept in another form are brought into the chosen one, which their tars
/// allow.
final class LayerStores {

    private static final System.Logger LOG = System.getLogger("carafe.image");

    private static final String ASIDE = ".aside";

    private LayerStores() {}

    /// Opens the layers in `root` in the best form that works here.
    static LayerStore open(Path root, Trash trash, LayerBounds bounds, CommitSteps steps)
            throws IOException, EngineException {
        Durable.makeDirectory(root.resolve("tmp"));
        var way = mountable(root.resolve("tmp"), trash);
        var store = way.isPresent()
                ? ErofsLayers.open(root, way.get(), trash, bounds, steps)
                : DirectoryLayers.open(root, trash, bounds, steps);
        boolean converted = false;
        try {
            convert(root, store, trash, bounds);
            converted = true;
            tell(root, store.form());
            return store;
        } finally {
            if (!converted) {
                store.close();
            }
        }
    }

    /// Says what costs time or space because the best form does not work here.
    private static void tell(Path root, LayerForm form) {
        switch (form) {
            case FILE -> { }
            case LOOP -> LOG.log(Level.INFO, "layers in " + root + " are mounted through loop devices: the kernel does not"
                    + " mount files of this file system");
            case DIRECTORY -> LOG.log(Level.INFO, "layers in " + root + " are directories, which are slow to make and to"
                    + " remove: the kernel mounts no EROFS files (Linux 6.15 does)");
        }
    }

    /// The best way to mount layers from `directory`'s filesystem that the kernel takes, an overlay of two included;
    /// empty when there is none.
    private static Optional<ImageMount.Way> mountable(Path directory, Trash trash)
            throws IOException, EngineException.Invalid {
        Path place = trash.freshName(directory);
        try (var store = ErofsLayers.open(place, ImageMount.Way.FILE, trash, LayerBounds.DEFAULT, CommitSteps.REAL);
                var staged = store.stage(new ByteArrayInputStream(probe()))) {
            staged.commit();
            Path file = place.resolve(staged.hashes().diffId().hex());
            for (var way : ImageMount.Way.values()) {
                if (works(file, way)) {
                    return Optional.of(way);
                }
            }
            return Optional.empty();
        } finally {
            trash.bury(place, directory);
        }
    }

    private static boolean works(Path file, ImageMount.Way way) {
        try (var one = ImageMount.erofs(file, way); var other = ImageMount.erofs(file, way);
                var top = opened(one); var bottom = opened(other);
                var overlay = new Overlay(List.of(top, bottom), Optional.empty(), false).mount(0);
                var tree = FileTree.adopt(overlay.duplicate())) {
            return new String(tree.readFile("probe", 16), StandardCharsets.US_ASCII).equals("carafe");
        } catch (KernelException e) {
            LOG.log(Level.DEBUG, "layers cannot be mounted by " + way + ": " + e.getMessage());
            return false;
        }
    }

    private static Fd opened(Fd mount) throws KernelException {
        return Descriptors.open(Path.of(mount.path()), Linux.O_PATH | Linux.O_DIRECTORY, 0);
    }

    /// A tar of the file `probe` that holds `carafe`.
    private static byte[] probe() {
        var tar = new java.io.ByteArrayOutputStream();
        byte[] content = "carafe".getBytes(StandardCharsets.US_ASCII);
        try {
            new TarWriter(tar).file("probe", 0644, content);
        } catch (IOException e) {
            throw new AssertionError(e); // memory
        }
        return tar.toByteArray();
    }

    /// A foreign layer is set aside under a longer name, read into the chosen form, and removed; a crash in between is
    /// made good by the next start.
    private static void convert(Path root, LayerStore store, Trash trash, LayerBounds bounds)
            throws IOException, EngineException {
        boolean filesWanted = store.form() != LayerForm.DIRECTORY;
        for (Path path : named(root, Digest.Algorithm.SHA256.hexLength())) {
            if (Files.isDirectory(path) == filesWanted) {
                Files.move(path, Path.of(path + ASIDE), StandardCopyOption.ATOMIC_MOVE);
            }
        }
        for (Path aside : named(root, Digest.Algorithm.SHA256.hexLength() + ASIDE.length())) {
            LOG.log(Level.INFO, "bringing layer " + aside.getFileName() + " into the form that this kernel can use");
            try (var tar = Files.isRegularFile(aside) ? LayerFile.tar(aside) : DirectoryLayers.tarIn(aside);
                    var staged = store.stage(tar)) {
                store.sync(List.of(staged));
                staged.commit();
            }
            store.syncNames();
            trash.bury(aside, root.resolve("tmp"));
        }
    }

    private static List<Path> named(Path root, int length) throws IOException {
        var found = new ArrayList<Path>();
        try (var names = Files.newDirectoryStream(root)) {
            for (Path path : names) {
                if (String.valueOf(path.getFileName()).length() == length) {
                    found.add(path);
                }
            }
        }
        return found;
    }
}
