package carafe.build.step;

import carafe.build.plan.Mount;
import carafe.build.tree.FileSource;
import carafe.build.tree.MountedTree;
import carafe.build.tree.TreeCopy;
import carafe.kernel.Descriptors;
import carafe.kernel.FileTree;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The directories behind `--mount=type=cache`: `HEX[-N]/data` by the digest of the mount's id, with the id in
/// `HEX[-N]/id`. N counts the further ones of a private cache that was wanted twice at once.
public final class CacheMounts {

    /// One kept directory.
    public record Kept(String name, String id, Path data, Instant lastUsed, boolean inUse) {}

    private static final int MAX_PRIVATE = 1000;
    private static final String ARRIVING = "arriving";
    private static final int ALONE = -1;

    private final Path root;
    /// How many use a directory now, by its name; guards itself. [#ALONE]: one, and nobody else may.
    private final Map<String, Integer> users = new HashMap<>();

    private CacheMounts(Path root) {
        this.root = root;
    }

    /// Opens the caches in `root`, making it where it is missing; what a crash left half copied is deleted. Nobody may use
    /// them meanwhile.
    public static CacheMounts open(Path root) throws IOException {
        Files.createDirectories(root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var mounts = new CacheMounts(root);
        try (var names = Files.newDirectoryStream(root)) {
            for (Path directory : names) {
                mounts.deleteHalf(String.valueOf(directory.getFileName()));
            }
        }
        return mounts;
    }

    /// Deletes what [#adopt] or [#use] did not finish; whoever calls is alone with it.
    private void deleteHalf(String name) throws IOException {
        Path directory = root.resolve(name);
        if (!Files.isDirectory(directory)) {
            return;
        }
        String half = Files.isDirectory(directory.resolve("data")) ? name + "/" + ARRIVING : name;
        try (var tree = FileTree.open(root)) {
            if (tree.find(half).isPresent()) {
                tree.deleteTree(half);
            }
        }
    }

    /// Puts into a new directory what it begins with.
    @FunctionalInterface
    interface Beginning {
        void into(Path directory) throws IOException, EngineException;
    }

    /// A directory in use until this is closed.
    final class Use implements AutoCloseable {
        final Path data;
        private final String name;

        private Use(String name, Path data) {
            this.name = name;
            this.data = data;
        }

        @Override
        public void close() {
            synchronized (users) {
                users.computeIfPresent(name, (_, count) -> count <= 1 ? null : count - 1);
                users.notifyAll();
            }
        }
    }

    /// The directory for `mount`, which begins with `beginning` where there is none yet; waits while it is locked, or read,
    /// filled or deleted here. Who wants several takes them in the order of their ids, private ones last (they never wait),
    /// so that no two wait for each other; `beginning` waits for no step. Whoever shares waits until it is filled; what was
    /// filled by half, because that failed or everything ended meanwhile, never counts.
    Use use(Mount.Cache mount, Beginning beginning) throws IOException, InterruptedException, EngineException {
        String name = acquire(hex(mount.id()), mount.sharing());
        var use = new Use(name, root.resolve(name).resolve("data"));
        boolean taken = false;
        try {
            if (!Files.isDirectory(use.data)) {
                fill(name, mount, beginning);
            }
            Files.setLastModifiedTime(root.resolve(name), FileTime.from(Instant.now()));
            if (mount.sharing() == Mount.Sharing.SHARED) {
                share(name);
            }
            taken = true;
            return use;
        } finally {
            if (!taken) {
                use.close();
            }
        }
    }

    private void fill(String name, Mount.Cache mount, Beginning beginning) throws IOException, EngineException {
        deleteHalf(name);
        try {
            Path directory = root.resolve(name);
            Path arriving = arriving(directory, mount.owner());
            beginning.into(arriving);
            arrived(directory, mount.id());
        } finally {
            deleteHalf(name);
        }
    }

    private static Path arriving(Path directory, Mount.Owner owner) throws IOException {
        Files.createDirectories(directory,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try (var tree = FileTree.open(directory)) {
            tree.mkdirs(ARRIVING, owner.mode(), owner.uid(), owner.gid()).close();
        }
        return directory.resolve(ARRIVING);
    }

    private static void arrived(Path directory, String id) throws IOException {
        Files.writeString(directory.resolve("id"), id);
        Files.move(directory.resolve(ARRIVING), directory.resolve("data"), StandardCopyOption.ATOMIC_MOVE);
    }

    /// Lets others in who share what its holder has alone.
    private void share(String name) {
        synchronized (users) {
            users.computeIfPresent(name, (_, count) -> Math.max(1, count));
            users.notifyAll();
        }
    }

    private static String hex(String id) {
        return Digest.sha256(id.getBytes(StandardCharsets.UTF_8)).hex().substring(0, 32);
    }

    /// Whether there is a directory of this id.
    public boolean has(String id) {
        return Files.isDirectory(root.resolve(hex(id)).resolve("data"));
    }

    /// Makes the directory of this id with the files of `source`, unless there is one or a step is making it. Half a copy
    /// never counts, and does not stay. Steps that want the directory wait meanwhile.
    /// @return whether it was made
    public boolean adopt(String id, FileSource source) throws IOException {
        String name = hex(id);
        if (!alone(name)) {
            return false;
        }
        try {
            if (Files.isDirectory(root.resolve(name).resolve("data"))) {
                return false;
            }
            deleteHalf(name);
            try {
                return fill(root.resolve(name), id, source);
            } finally {
                deleteHalf(name);
            }
        } finally {
            new Use(name, root).close();
        }
    }

    private static boolean fill(Path directory, String id, FileSource source) throws IOException {
        TreeCopy.into(arriving(directory, new Mount.Owner(0700, 0, 0)), source, source.find("").orElseThrow());
        arrived(directory, id);
        return true;
    }

    /// Takes the directory for one who must be alone, unless somebody uses it.
    private boolean alone(String name) {
        synchronized (users) {
            return users.putIfAbsent(name, ALONE) == null;
        }
    }

    /// Looks at the directory of an id.
    @FunctionalInterface
    public interface Look<T> {
        /// `files` are closed afterwards.
        T at(MountedTree files) throws IOException, EngineException;
    }

    /// Looks at the directory of this id while no step uses it; waits for those that do. Empty when there is none.
    public <T> Optional<T> look(String id, Look<T> look) throws IOException, InterruptedException, EngineException {
        String name = acquire(hex(id), Mount.Sharing.LOCKED);
        try {
            if (!has(id)) {
                return Optional.empty();
            }
            Path data = root.resolve(name).resolve("data");
            try (var files = MountedTree.adopt(Descriptors.open(data, Linux.O_PATH | Linux.O_DIRECTORY, 0))) {
                return Optional.of(look.at(files));
            }
        } finally {
            new Use(name, root).close();
        }
    }

    private String acquire(String hex, Mount.Sharing sharing) throws InterruptedException, EngineException {
        synchronized (users) {
            switch (sharing) {
                case SHARED -> {
                    while (users.getOrDefault(hex, 0) < 0) {
                        users.wait();
                    }
                    if (users.containsKey(hex) || Files.isDirectory(root.resolve(hex).resolve("data"))) {
                        users.merge(hex, 1, Integer::sum);
                    } else {
                        users.put(hex, ALONE); // until it is filled: [#share]
                    }
                    return hex;
                }
                case LOCKED -> {
                    while (users.containsKey(hex)) {
                        users.wait();
                    }
                    users.put(hex, ALONE);
                    return hex;
                }
                case PRIVATE -> {
                    for (int i = 0; i < MAX_PRIVATE; i++) {
                        String name = i == 0 ? hex : hex + "-" + i;
                        if (users.putIfAbsent(name, ALONE) == null) {
                            return name;
                        }
                    }
                    throw new EngineException.Unavailable("the private cache mount is in use " + MAX_PRIVATE + " times");
                }
            }
            throw new AssertionError(sharing);
        }
    }

    /// All directories that are kept.
    public List<Kept> list() throws IOException {
        var kept = new ArrayList<Kept>();
        try (var names = Files.newDirectoryStream(root)) {
            for (Path directory : names) {
                look(directory).ifPresent(kept::add);
            }
        }
        return kept;
    }

    private Optional<Kept> look(Path directory) throws IOException {
        String name = String.valueOf(directory.getFileName());
        Path data = directory.resolve("data");
        if (!Files.isDirectory(data) || !Files.isRegularFile(directory.resolve("id"))) {
            return Optional.empty();
        }
        boolean inUse;
        synchronized (users) {
            inUse = users.containsKey(name);
        }
        try {
            return Optional.of(new Kept(name, Files.readString(directory.resolve("id")), data,
                    Files.getLastModifiedTime(directory).toInstant(), inUse));
        } catch (NoSuchFileException e) {
            return Optional.empty(); // removed meanwhile
        }
    }

    /// Removes a directory unless a step uses it; a step that wants it meanwhile waits and finds none. What is left of one
    /// half removed never counts.
    /// @return whether it is gone
    public boolean remove(Kept kept) throws IOException {
        if (!alone(kept.name())) {
            return false;
        }
        try (var tree = FileTree.open(root)) {
            if (Files.isDirectory(kept.data())) {
                Files.move(kept.data(), kept.data().resolveSibling(ARRIVING), StandardCopyOption.ATOMIC_MOVE);
            }
            tree.deleteTree(kept.name());
            return true;
        } finally {
            new Use(kept.name(), root).close();
        }
    }
}
