package carafe.engine;

import carafe.engine.volume.VolumeBook;
import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Removes containers that do not run: the row goes first, durably; then, in the background, what is left of their
/// processes and their directories, which a crash may leave and the next start of the engine sweeps.
final class Remover {
    private static final Logger LOG = LoggerFactory.getLogger(Remover.class);

    private final Book book;
    private final Endings endings;
    private final WritableLayers layers;
    private final VolumeBook volumes;
    private final Layout layout;
    private final Steps steps;
    private final Set<Thread> sweeps = ConcurrentHashMap.newKeySet();

    Remover(Book book, Endings endings, WritableLayers layers, VolumeBook volumes, Layout layout, Steps steps) {
        this.book = book;
        this.endings = endings;
        this.layers = layers;
        this.volumes = volumes;
        this.layout = layout;
        this.steps = steps;
    }

    /// Confined to the container's queue: removes one that does not run, on demand with the volumes that nobody named
    /// and nobody else uses.
    void removeEnded(Container container, boolean volumes) throws EngineException {
        var before = container.snapshot();
        var mounts = before.host().files().mounts();
        if (before.state().alive()) {
            throw new AssertionError("a running container is not removed: " + container.id());
        }
        container.show(before.with(new State.Removing(before.state())));
        layers.used(before); // until now nothing could prune it
        Optional<Endings.Ending> ending;
        List<String> leaving;
        try {
            steps.pass("remove.row");
            leaving = volumes ? this.volumes.leaving(container.id(), mounts) : List.of();
            var writing = book.erase(container.id(), leaving);
            ending = endings.erased(container, writing);
            writing.await();
        } catch (EngineException e) {
            container.show(before);
            throw e;
        }
        for (var client : container.clients()) {
            client.close();
        }
        container.clients().clear();
        book.remove(container);
        this.volumes.release(container.id(), mounts, leaving);
        book.tell(before, "destroy");
        sweepLater(before, ending);
        container.showRemoved();
    }

    private void sweepLater(ContainerSnapshot container, Optional<Endings.Ending> ending) {
        var sweep = Thread.ofVirtual().name("sweep of " + container.id().substring(0, 12)).unstarted(() -> {
            try {
                ending.ifPresent(this::finish);
            } finally {
                sweep(container);
                sweeps.remove(Thread.currentThread());
            }
        });
        sweeps.add(sweep);
        sweep.start();
    }

    private void finish(Endings.Ending ending) {
        try {
            endings.finishHere(ending);
        } catch (EngineException e) {
            LOG.warn("what is left of a removed container's process was not removed; the next start of the engine does it",
                    e);
        }
    }

    /// Waits for the sweeps under way, at most so long.
    void awaitSweeps(Duration most) throws InterruptedException {
        var deadline = Instant.now().plus(most);
        for (var sweep : sweeps) {
            var left = Duration.between(Instant.now(), deadline);
            sweep.join(left.isPositive() ? left : Duration.ofMillis(1));
        }
    }

    /// Removes the directories of a container that has no row. Failures are told, not thrown: the container is gone.
    void sweep(ContainerSnapshot container) {
        String id = container.id();
        try {
            steps.pass("remove.snapshot");
            layers.remove(id);
            for (var image : ImageMounts.ids(container)) {
                layers.remove(image);
            }
            steps.pass("remove.directory");
            deleteTree(layout.container(id));
            deleteTree(layout.etc(id));
        } catch (EngineException | IOException e) {
            LOG.warn("the directories of container {} were not removed; the next start of the engine does it", id, e);
        }
    }

    /// Deletes a directory of ours: the engine's own files, nothing a container could have written.
    static void deleteTree(Path directory) throws IOException {
        try (var entries = Files.newDirectoryStream(directory)) {
            for (var entry : entries) {
                try {
                    Files.deleteIfExists(entry); // mostly files
                } catch (DirectoryNotEmptyException e) {
                    deleteTree(entry);
                }
            }
        } catch (NoSuchFileException e) {
            return;
        }
        Files.deleteIfExists(directory);
    }
}
