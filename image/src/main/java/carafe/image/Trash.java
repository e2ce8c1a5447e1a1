package carafe.image;

import carafe.kernel.FileTree;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Deletes directories in the background, on one platform thread that ends when there is nothing to do: callers pay for
/// a rename only, and what they do next goes first. What a killed process leaves in a trash directory is deleted by
/// [#sweep] at the next start.
final class Trash implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger("carafe.image");
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(1);

    /// Whoever buries something answers somebody next, and that needs the same disk and processor.
    private static final Duration PAUSE = Duration.ofMillis(20);

    private final AtomicLong names = new AtomicLong();
    private final ScheduledThreadPoolExecutor worker = new ScheduledThreadPoolExecutor(1,
            task -> Thread.ofPlatform().name("image-trash").daemon().unstarted(task));

    /// Asked about what was buried when it is about to be deleted.
    @FunctionalInterface
    interface Use {
        /// Whether it stays, and is not the trash's any more.
        boolean keeps(Path grave);
    }

    Trash() {
        worker.setKeepAliveTime(5, TimeUnit.SECONDS);
        worker.allowCoreThreadTimeOut(true);
    }

    /// A name in `directory` that nothing has.
    Path freshName(Path directory) {
        return directory.resolve(ProcessHandle.current().pid() + "-" + System.nanoTime() + "-"
                + names.incrementAndGet());
    }

    /// Takes `victim` out of sight, into `directory` on the same filesystem, and deletes it later. One that is not
    /// there is fine.
    void bury(Path victim, Path directory) throws IOException {
        bury(victim, directory, _ -> false);
    }

    /// Takes `victim` out of sight, and deletes it later unless there is a use for it by then.
    void bury(Path victim, Path directory, Use use) throws IOException {
        Path grave = freshName(directory);
        try {
            Files.move(victim, grave, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException e) {
            return;
        }
        afterwards(() -> {
            if (!use.keeps(grave)) {
                delete(grave);
            }
        });
    }

    /// Deletes what lies in `directory` now.
    void sweep(Path directory) throws IOException {
        try (var left = Files.newDirectoryStream(directory)) {
            for (Path file : left) {
                afterwards(() -> delete(file));
            }
        }
    }

    /// Deletes `path` now; a failure is told, and the next start tries again.
    static void delete(Path path) {
        try (var tree = FileTree.open(Objects.requireNonNull(path.getParent()))) {
            tree.deleteTree(String.valueOf(path.getFileName()));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot delete " + path + "; the next start tries again: " + e.getMessage());
        }
    }

    /// Runs `work` once everything buried so far is gone.
    void afterwards(Runnable work) {
        later(PAUSE, work); // of equal times the first comes first
    }

    /// Runs `work` on the trash's thread after a while; [#close] waits for it.
    Future<?> later(Duration pause, Runnable work) {
        return worker.schedule(() -> {
            try {
                work.run();
            } catch (RuntimeException e) {
                LOG.log(Level.ERROR, "work in the background failed", e); // its future is nobody's
            }
        }, pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Waits until everything buried so far is gone.
    void await() throws InterruptedException {
        try {
            worker.schedule(() -> { }, PAUSE.toMillis(), TimeUnit.MILLISECONDS).get();
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /// Goes on for at most a second; the rest is for the next start.
    @Override
    public void close() {
        worker.shutdown();
        try {
            if (!worker.awaitTermination(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                worker.shutdownNow();
            }
        } catch (InterruptedException e) {
            worker.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
