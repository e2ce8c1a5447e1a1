package carafe.image;

import carafe.kernel.DirectoryEntry;
import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.ProjectQuotas;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// Directories of removed snapshots in which nobody wrote anything, for the next ones on top of the same layers: three inodes
/// that need not be freed and found again. An ext4 without a journal passes over each inode that was freed in the last minute
/// before it gives one out, so that whoever starts many containers waits longer each time.
///
/// Nothing of what a container saw is among them: its upper directory goes, and the next one gets its own. Whoever still holds
/// the old root (a descriptor that was passed on) holds a directory that is no more (ADR 50). Source: `recently_deleted` in
/// fs/ext4/ialloc.c. Safe for several threads.
final class UnwrittenSnapshots {

    private static final int MOST = 32;
    private static final int LIST_BYTES = 64 << 10;
    private static final String UPPER = "upper";
    private static final String WORK = "work";

    private final Path directory;
    private final Trash trash;
    private final Deque<Kept> kept = new ArrayDeque<>(); // guarded by itself

    /// One, and its list of layers.
    private record Kept(Path place, String list) {}

    private UnwrittenSnapshots(Path directory, Trash trash) {
        this.directory = directory;
        this.trash = trash;
    }

    /// Keeps them in `directory`, which is made or swept: what is kept is known to this process only.
    static UnwrittenSnapshots open(Path directory, Trash trash) throws IOException {
        Durable.makeDirectory(directory);
        trash.sweep(directory);
        return new UnwrittenSnapshots(directory, trash);
    }

    /// Takes a snapshot out of sight; what was written to is freed later.
    void bury(Path place) throws IOException {
        trash.bury(place, directory, this::keep);
    }

    /// Keeps what lies at `place` if it can be used again; the one that was kept longest goes when there are too many.
    private boolean keep(Path place) {
        var list = unwritten(place);
        if (list.isEmpty()) {
            return false;
        }
        Optional<Kept> eldest = Optional.empty();
        synchronized (kept) {
            kept.addLast(new Kept(place, list.get()));
            if (kept.size() > MOST) {
                eldest = Optional.of(kept.removeFirst());
            }
        }
        eldest.ifPresent(one -> trash.deleteLater(one.place));
        return true;
    }

    /// The list of a snapshot whose upper directory was empty, and is gone now; empty when it is of no use.
    private static Optional<String> unwritten(Path place) {
        try (var tree = FileTree.open(place); var top = tree.open("/", Linux.O_RDONLY | Linux.O_DIRECTORY, 0)) {
            if (ProjectQuotas.project(top) != 0 || !isAtRest(tree)) {
                return Optional.empty();
            }
            String list = new String(tree.readFile(Snapshots.LIST, LIST_BYTES), StandardCharsets.US_ASCII);
            tree.rmdir(UPPER);
            return Optional.of(list).filter(read -> !read.isEmpty());
        } catch (KernelException e) {
            return Optional.empty(); // mostly ENOTEMPTY
        }
    }

    /// Whether the directory in which the overlay worked is as it was made, or as a mount leaves it.
    private static boolean isAtRest(FileTree tree) throws KernelException {
        var work = names(tree, WORK);
        return work.isEmpty() || work.equals(List.of(WORK)) && names(tree, WORK + "/" + WORK).isEmpty();
    }

    private static List<String> names(FileTree tree, String path) throws KernelException {
        return tree.list(path).stream().map(DirectoryEntry::name).toList();
    }

    /// Makes the snapshot at `place`, which is not there, of one with this list of layers.
    /// @return false when none is kept
    boolean make(Path place, String list) throws IOException {
        var found = take(list);
        if (found.isEmpty()) {
            return false;
        }
        boolean made = false;
        try {
            Snapshots.makeUpper(found.get());
            Files.move(found.get(), place, StandardCopyOption.ATOMIC_MOVE); // whole: it has its list already
            made = true;
            return true;
        } finally {
            if (!made) {
                trash.deleteLater(found.get());
            }
        }
    }

    private Optional<Path> take(String list) {
        synchronized (kept) {
            for (var one : kept) {
                if (one.list.equals(list)) {
                    kept.remove(one);
                    return Optional.of(one.place);
                }
            }
            return Optional.empty();
        }
    }
}
