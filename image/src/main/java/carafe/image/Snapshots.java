package carafe.image;

import carafe.kernel.Descriptors;
import carafe.kernel.Fd;
import carafe.kernel.FileTree;
import carafe.kernel.Linux;
import carafe.kernel.Overlay;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.oci.RootfsPlan;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// The writable directories of containers, each on top of an image's layers: `ID/upper`, `ID/work`, and `ID/layers`
/// with the layers' digests, lowest first; the word `init` before them stands for the [InitLayer]. Nothing is mounted
/// here: [#prepare] makes the directories and says which to join. A snapshot keeps the layers below it, even when their
/// image is removed by force. Of removed ones in which nobody wrote, all but `upper` is used again ([UnwrittenSnapshots]).
public final class Snapshots {

    private static final Pattern ID = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}");
    static final String LIST = "layers";
    private static final String TEMPORARY = ".tmp";
    private static final String UNWRITTEN = ".unwritten";
    private static final String INIT = "init";
    private static final int BUFFER = 128 << 10;
    private static final FileAttribute<?> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final Set<PosixFilePermission> OPEN = PosixFilePermissions.fromString("rwxr-xr-x");

    private final Path root;
    private final Path temporary;
    private final Path init;
    private final LayerStore layers;
    private final LayerCollector collector;
    private final Trash trash;
    private final UnwrittenSnapshots unwritten;
    private final ContentStore content;

    private Snapshots(Path root, LayerStore layers, LayerCollector collector, Trash trash, ContentStore content)
            throws IOException {
        this.root = root;
        this.temporary = root.resolve(TEMPORARY);
        this.init = root.resolve("." + INIT);
        this.layers = layers;
        this.collector = collector;
        this.trash = trash;
        this.content = content;
        this.unwritten = UnwrittenSnapshots.open(root.resolve(UNWRITTEN), trash);
    }

    static Snapshots open(Path root, LayerStore layers, LayerCollector collector, Trash trash, ContentStore content)
            throws IOException {
        var snapshots = new Snapshots(root, layers, collector, trash, content);
        Durable.makeDirectory(snapshots.temporary);
        trash.sweep(snapshots.temporary);
        InitLayer.make(snapshots.init, trash.freshName(snapshots.temporary));
        return snapshots;
    }

    /// What happens to a container's directory while nothing is in it, so that all below it follows: its quota.
    @FunctionalInterface
    public interface Preparation {
        void prepare(Path directory) throws EngineException;
    }

    /// Nothing happens to it.
    public static final Preparation PLAIN = _ -> { };

    /// The directory of `containerId`, also if there is none.
    public Path directory(String containerId) {
        return root.resolve(containerId);
    }

    /// What lies below a writable directory.
    private record Foundation(boolean init, List<Digest> diffIds) {}

    /// Makes the directories of `containerId` on top of `image`, or finds them made before: a repeated call changes
    /// nothing, so the engine may call it again before every start. Costs a few system calls, no fsync: what a power
    /// cut takes away was an empty directory, which the next call makes again.
    /// @throws EngineException.NotFound a layer of the image is gone
    public RootfsPlan.Overlay prepare(String containerId, Image image, Preparation preparation) throws EngineException {
        return prepare(containerId, image, true, preparation);
    }

    /// The same, with nothing to be done to its directory.
    public RootfsPlan.Overlay prepare(String containerId, Image image) throws EngineException {
        return prepare(containerId, image, PLAIN);
    }

    /// The same for an image that is to be seen as it is, without what a container's root has beside it.
    public RootfsPlan.Overlay prepareView(String id, Image image) throws EngineException {
        return prepare(id, image, false, PLAIN);
    }

    private RootfsPlan.Overlay prepare(String containerId, Image image, boolean init, Preparation preparation)
            throws EngineException {
        checkId(containerId);
        if (!Files.exists(root.resolve(containerId))) {
            try {
                content.touch(image.id()); // the image's last use
            } catch (IOException e) {
                throw Failures.of("prepare the root of " + containerId, e);
            }
        }
        return prepare(containerId, image.id().toString(), new Foundation(init, image.config().diffIds()), preparation);
    }

    /// The same on top of these layers, lowest first, which are no image (yet): a step of a build.
    public RootfsPlan.Overlay prepare(String stepId, List<Digest> diffIds) throws EngineException {
        return prepare(stepId, "the layers of a build", new Foundation(false, diffIds), PLAIN);
    }

    private RootfsPlan.Overlay prepare(String containerId, String name, Foundation base, Preparation preparation)
            throws EngineException {
        checkId(containerId);
        boolean again = Files.exists(root.resolve(containerId));
        var made = again ? find(containerId) : Optional.<RootfsPlan.Overlay>empty();
        if (made.isPresent()) {
            return made.get();
        }
        try {
            if (again) { // a crash or a full disk left it without its list
                var place = root.resolve(containerId);
                if (isWritten(place)) {
                    writeList(place, base);
                    return plan(containerId, base);
                }
                trash.bury(place, temporary);
            }
            return collector.whileKept(() -> make(containerId, name, base, preparation));
        } catch (IOException e) {
            throw Failures.of("prepare the root of " + containerId, e);
        }
    }

    private RootfsPlan.Overlay make(String containerId, String name, Foundation base, Preparation preparation)
            throws IOException, EngineException {
        for (var diffId : base.diffIds) {
            if (!layers.has(diffId)) {
                throw new EngineException.NotFound("No such image: " + name);
            }
        }
        Path place = root.resolve(containerId);
        if (preparation.equals(PLAIN) && unwritten.make(place, list(base))) {
            return plan(containerId, base);
        }
        Files.createDirectory(place, PRIVATE);
        preparation.prepare(place);
        makeUpper(place);
        Files.createDirectory(place.resolve("work"));
        if (base.diffIds.isEmpty() && !base.init) {
            Files.createDirectory(place.resolve("empty")); // an overlay cannot do without a lower directory
        }
        writeList(place, base); // the last: it says that all is there
        return plan(containerId, base);
    }

    static void makeUpper(Path place) throws IOException {
        Files.setPosixFilePermissions(Files.createDirectory(place.resolve("upper")), OPEN);
    }

    private static String list(Foundation base) {
        var list = new StringBuilder(base.init ? INIT + "\n" : "");
        base.diffIds.forEach(diffId -> list.append(diffId).append('\n'));
        return list.toString();
    }

    private static void writeList(Path place, Foundation base) throws IOException {
        Files.writeString(place.resolve(LIST), list(base), StandardCharsets.US_ASCII);
    }

    /// Whether a container has left something there.
    private static boolean isWritten(Path place) throws IOException {
        if (!Files.isDirectory(place.resolve("upper")) || !Files.isDirectory(place.resolve("work"))) {
            return false;
        }
        try (var found = Files.newDirectoryStream(place.resolve("upper"))) {
            return found.iterator().hasNext();
        }
    }

    /// What [#prepare] made for `containerId`; empty when it has no usable directories.
    public Optional<RootfsPlan.Overlay> find(String containerId) throws EngineException {
        checkId(containerId);
        try {
            var base = read(containerId);
            return base.isPresent() ? Optional.of(plan(containerId, base.get())) : Optional.empty();
        } catch (IOException e) {
            throw Failures.of("read the layers of " + containerId, e);
        }
    }

    private Optional<Foundation> read(String containerId) throws IOException {
        try {
            var diffIds = new ArrayList<Digest>();
            String list = Files.readString(root.resolve(containerId).resolve(LIST), StandardCharsets.US_ASCII);
            var lines = list.lines().toList();
            if (lines.isEmpty() && !Files.exists(root.resolve(containerId).resolve("empty"))) {
                return Optional.empty(); // what was to be written did not arrive
            }
            boolean init = !lines.isEmpty() && lines.getFirst().equals(INIT);
            for (String line : lines.subList(init ? 1 : 0, lines.size())) {
                diffIds.add(Digest.parse(line));
            }
            return Optional.of(new Foundation(init, diffIds));
        } catch (NoSuchFileException | EngineException.Invalid e) {
            return Optional.empty();
        }
    }

    private RootfsPlan.Overlay plan(String containerId, Foundation base) throws IOException {
        Path own = root.resolve(containerId);
        var lowers = new ArrayList<Path>();
        // An image may have a layer twice, an overlay may not. Nothing of the lower one shows through the upper one.
        for (var diffId : new LinkedHashSet<>(base.diffIds.reversed())) {
            lowers.add(layers.lower(diffId));
        }
        if (base.init) {
            lowers.add(init);
        }
        if (lowers.isEmpty()) {
            lowers.add(own.resolve("empty"));
        }
        return new RootfsPlan.Overlay(lowers, own.resolve("upper"), own.resolve("work"));
    }

    /// Removes the directories of `containerId`: out of sight at once, freed in the background. Nothing there is fine.
    public void remove(String containerId) throws EngineException {
        checkId(containerId);
        try {
            unwritten.bury(root.resolve(containerId));
        } catch (IOException e) {
            throw Failures.of("remove the files of " + containerId, e);
        }
    }

    /// The bytes of the regular files that `containerId` has written, each inode once; zero when it has no directories.
    /// Reads the whole upper directory.
    public long writableBytes(String containerId) throws EngineException {
        checkId(containerId);
        Path upper = root.resolve(containerId).resolve("upper");
        if (!Files.isDirectory(upper)) {
            return 0;
        }
        try (var tree = FileTree.open(upper)) {
            return TreeSize.bytes(tree);
        } catch (IOException e) {
            throw Failures.of("measure the files of " + containerId, e);
        }
    }

    /// Writes all files of a container's root to `out` as a tar, which stays open. The container may run: its root is
    /// read through an overlay of our own.
    /// @throws EngineException.NotFound it has no directories
    public void export(String containerId, OutputStream out) throws IOException, EngineException {
        var plan = existing(containerId);
        var opened = new ArrayList<Fd>();
        try {
            opened.add(directory(plan.upper()));
            for (Path lower : plan.lowers()) {
                opened.add(directory(lower));
            }
            try (var mount = new Overlay(opened, Optional.empty(), false).mount(Linux.MOUNT_ATTR_RDONLY);
                    var tree = FileTree.adopt(mount.duplicate())) {
                write(tree, out, TreeTar.Form.ROOT);
            }
        } finally {
            opened.forEach(Fd::close);
        }
    }

    /// Prepares the files of `image` to be written; to be closed.
    /// @throws EngineException.NotFound a layer of it is gone
    public ImageFiles files(Image image) throws EngineException {
        return ImageFiles.of(image, this);
    }

    /// Writes what a container changed to `out` as a layer's tar, which stays open: reads its upper directory only.
    /// @throws EngineException.NotFound it has no directories
    public void writeLayer(String containerId, OutputStream out) throws IOException, EngineException {
        try (var tree = FileTree.open(existing(containerId).upper())) {
            write(tree, out, TreeTar.Form.LAYER);
        }
    }

    private static void write(FileTree tree, OutputStream out, TreeTar.Form form) throws IOException {
        var buffered = new BufferedOutputStream(out, BUFFER);
        var tar = new TarWriter(buffered);
        TreeTar.write(tree, tar, form);
        tar.finish();
    }

    private static Fd directory(Path path) throws IOException {
        return Descriptors.open(path, Linux.O_PATH | Linux.O_DIRECTORY, 0);
    }

    private RootfsPlan.Overlay existing(String containerId) throws EngineException {
        return find(containerId).orElseThrow(
                () -> new EngineException.NotFound("container " + containerId + " has no files"));
    }

    /// The containers that have directories; for the engine's reconciler.
    public Set<String> list() throws EngineException {
        var ids = new HashSet<String>();
        try (var names = Files.newDirectoryStream(root)) {
            for (Path name : names) {
                String id = String.valueOf(name.getFileName());
                if (!id.startsWith(".")) {
                    ids.add(id);
                }
            }
        } catch (IOException e) {
            throw Failures.of("list the containers' files", e);
        }
        return Set.copyOf(ids);
    }

    /// The layers that containers are based on.
    Set<Digest> neededLayers() throws IOException, EngineException {
        var needed = new HashSet<Digest>();
        for (String containerId : list()) {
            read(containerId).ifPresent(base -> needed.addAll(base.diffIds));
        }
        return needed;
    }

    void close() {
        unwritten.close();
    }

    private static void checkId(String containerId) throws EngineException.Invalid {
        if (!ID.matcher(containerId).matches()) {
            throw new EngineException.Invalid("invalid container id \"" + containerId + "\"");
        }
    }
}
