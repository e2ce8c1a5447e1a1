package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Blobs of layers that a build has made while it goes on, because its image is sent to a registry next. One at a time is
/// made, on as many threads as a push would take for it (see [LayerCompression]). They are kept as long as somebody holds
/// them and a while longer, for the push that follows; what a crash leaves is deleted at the next start.
///
/// A layer that a registry is known to have needs none: it is asked for that blob first.
public final class EarlyBlobs implements AutoCloseable {

    /// What comes between a build and its push, or between two pushes of its image.
    private static final System.Logger LOG = System.getLogger("carafe.image");
    private static final Duration KEPT = Duration.ofMinutes(1);
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(5);

    private final Path directory;
    private final LayerStore layers;
    private final LayerCollector collector;
    private final KnownBlobs known;
    private final Duration kept;
    private final ThreadPoolExecutor maker = new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
            task -> Thread.ofPlatform().name("image-early").daemon().unstarted(task));
    private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1,
            task -> Thread.ofPlatform().name("image-early-clock").daemon().unstarted(task));
    /// Guarded by itself. Files are deleted under it: their names are free before a blob is made again.
    private final Map<Digest, Entry> entries = new HashMap<>();

    /// A blob, its making, how many hold it, and until when it stays without them. Guarded by `entries`.
    private static final class Entry {
        private final EarlyBlob blob;
        private final Future<?> making;
        private int holders;
        private long until = System.nanoTime();

        Entry(EarlyBlob blob, Future<?> making) {
            this.blob = blob;
            this.making = making;
        }

        long left() {
            return until - System.nanoTime();
        }
    }

    private EarlyBlobs(Path directory, LayerStore layers, LayerCollector collector, KnownBlobs known, Duration kept) {
        this.directory = directory;
        this.layers = layers;
        this.collector = collector;
        this.known = known;
        this.kept = kept;
        maker.allowCoreThreadTimeOut(true);
        clock.setKeepAliveTime(5, TimeUnit.SECONDS);
        clock.allowCoreThreadTimeOut(true);
    }

    static EarlyBlobs open(Path directory, LayerStore layers, LayerCollector collector, KnownBlobs known)
            throws IOException {
        return open(directory, layers, collector, known, KEPT);
    }

    /// In `directory`, which is made and emptied; what nobody holds stays for `kept`.
    static EarlyBlobs open(Path directory, LayerStore layers, LayerCollector collector, KnownBlobs known, Duration kept)
            throws IOException {
        Durable.makeDirectory(directory);
        try (var left = Files.newDirectoryStream(directory)) {
            for (Path file : left) {
                Files.delete(file);
            }
        }
        return new EarlyBlobs(directory, layers, collector, known, kept);
    }

    /// One that holds nothing yet; to be closed.
    public Hold hold() {
        return new Hold();
    }

    /// Somebody who wants blobs: a build that has them made, or who sends its image. For several threads.
    public final class Hold implements AutoCloseable {
        private final Set<Digest> held = new HashSet<>(); // guarded by `entries`
        private boolean stays; // guarded by `entries`

        private Hold() {}

        /// Has the layer's blob made in the background, unless there is no need. One that is here is held.
        public void begin(Digest diffId) {
            try {
                if (known.of(diffId).stream().anyMatch(blob -> !blob.repositories().isEmpty())) {
                    return;
                }
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "layer {0} is compressed when it is sent: {1}", diffId, e.getMessage());
                return; // nothing but time depends on it
            }
            synchronized (entries) {
                if (!maker.isShutdown()) {
                    entries.computeIfAbsent(diffId, _ -> entry(diffId));
                    take(diffId);
                }
            }
        }

        /// Holds the layer's blob if there is one.
        Optional<EarlyBlob> take(Digest diffId) {
            synchronized (entries) {
                var entry = entries.get(diffId);
                if (entry == null) {
                    return Optional.empty();
                }
                if (held.add(diffId)) {
                    entry.holders++;
                }
                return Optional.of(entry.blob);
            }
        }

        /// What is held stays a while longer than this: somebody is about to send it.
        public void stay() {
            synchronized (entries) {
                stays = true;
            }
        }

        /// Lets go; what nobody else wants is broken off and deleted.
        @Override
        public void close() {
            synchronized (entries) {
                for (var diffId : List.copyOf(held)) {
                    var entry = entries.get(diffId);
                    if (entry != null) {
                        entry.holders--;
                        entry.until = stays ? System.nanoTime() + kept.toNanos() : entry.until;
                        letGo(diffId, entry);
                    }
                }
                held.clear();
            }
        }
    }

    private Entry entry(Digest diffId) {
        var blob = new EarlyBlob(diffId, directory);
        return new Entry(blob, maker.submit(() -> blob.make(layers, collector)));
    }

    /// Deletes what nobody holds, now or when its time is over; the caller has the lock.
    private void letGo(Digest diffId, Entry entry) {
        if (entry.holders > 0 || entries.get(diffId) != entry) {
            return;
        }
        if (entry.left() <= 0 || clock.isShutdown()) {
            entries.remove(diffId);
            entry.making.cancel(true);
            entry.blob.drop();
        } else {
            clock.schedule(() -> {
                synchronized (entries) {
                    letGo(diffId, entry);
                }
            }, entry.left(), TimeUnit.NANOSECONDS);
        }
    }

    /// Breaks off what is being made, and deletes all.
    @Override
    public void close() {
        synchronized (entries) {
            clock.shutdownNow();
            maker.shutdownNow();
            entries.values().forEach(entry -> entry.blob.drop());
            entries.clear();
        }
        try {
            maker.awaitTermination(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
