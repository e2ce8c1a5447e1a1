package carafe.image;

import carafe.kernel.FileTree;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.ProjectQuotas;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Directories of removed snapshots in which nobody wrote anything, for the next ones on top of the same layers: three inodes
/// that need not be freed and found again. An ext4 without a journal passes over each inode that was freed in the last minute
/// before it gives one out, so that whoever starts many containers waits longer each time.
///
/// Nothing of what a container saw is among them, nor anything that its overlay worked in: those go, and the next one gets its
/// own. Whoever still holds the old root (a descriptor that was passed on) holds directories that are no more (ADR 50).
/// Source: `recently_deleted` in fs/ext4/ialloc.c. Safe for several threads.
final class UnwrittenSnapshots implements AutoCloseable {

    private static final int MOST = 32;
    private static final int LIST_BYTES = 64 << 10;
    private static final Duration SYNC = Duration.ofSeconds(1);
    private static final System.Logger LOG = System.getLogger("carafe.image");

    private final Path directory;
    private final Trash trash;
    private final Deque<Kept> kept = new ArrayDeque<>(); // guarded by itself
    private @Nullable Future<?> syncing; // guarded by `kept`; what will make new names durable

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

    /// Keeps what lies at `place` if it can be used again; the one that was kept longest goes when there are too many. On the
    /// trash's thread.
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
        eldest.ifPresent(one -> Trash.delete(one.place));
        return true;
    }

    /// The list of a snapshot whose upper directory was empty, and is gone now as what its overlay made; empty when it is of no
    /// use.
    private static Optional<String> unwritten(Path place) {
        try (var tree = FileTree.open(place); var top = tree.open("/", Linux.O_RDONLY | Linux.O_DIRECTORY, 0)) {
            if (ProjectQuotas.project(top) != 0) {
                return Optional.empty();
            }
            String list = new String(tree.readFile(Snapshots.LIST, LIST_BYTES), StandardCharsets.US_ASCII);
            tree.rmdir("upper");
            tree.deleteTree("work/work"); // the kernel's; the next mount makes its own
            boolean usable = !list.isEmpty() && tree.list("work").isEmpty();
            return usable ? Optional.of(list) : Optional.empty();
        } catch (KernelException e) {
            return Optional.empty(); // mostly ENOTEMPTY
        }
    }

    /// Makes the snapshot at `place`, which is not there, of one with this list of layers. That it has this name is durable
    /// within a second.
    /// @return false when none is kept, or the one that was cannot be used
    boolean make(Path place, String list) throws IOException {
        var found = take(list);
        if (found.isEmpty()) {
            return false;
        }
        try {
            Snapshots.makeUpper(found.get());
            Files.move(found.get(), place, StandardCopyOption.ATOMIC_MOVE); // whole: it has its list already
        } catch (IOException e) {
            Trash.delete(found.get());
            if (Failures.isFull(e) || Files.exists(place)) {
                throw e;
            }
            LOG.log(Level.WARNING, "a directory that was kept is not used again: " + e.getMessage());
            return false;
        }
        synchronized (kept) {
            if (syncing == null) {
                syncing = trash.later(SYNC, this::sync);
            }
        }
        return true;
    }

    /// Where a file is synced, some filesystems see to it that directories above it which were made are found again after a
    /// power cut, but not those which were renamed: what the file is in would then be swept here.
    private void sync() {
        synchronized (kept) {
            syncing = null;
        }
        try {
            Durable.syncNameOf(directory);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the names of containers' directories are not durable: " + e.getMessage());
        }
    }

    /// Makes durable what is not yet; to be called before the trash's.
    @Override
    public void close() {
        Future<?> pending;
        synchronized (kept) {
            pending = syncing;
        }
        if (pending != null && pending.cancel(false)) {
            sync();
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
