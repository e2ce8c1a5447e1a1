package carafe.hub.store;

import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Clock;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The bytes all repositories share, and the barrier between those who link bytes and the collector who deletes them.
///
/// Whoever links a digest into a repository does it under that digest's lock and reports it before he lets go. The
/// collector opens an epoch, reads which digests are linked, and deletes a digest only under its lock, if it was neither
/// linked when he looked nor reported since. A link made before he looked he saw; one made after is reported.
public final class Content {

    private static final int STRIPES = 256;
    private static final long CACHE_BYTES = 64 << 20;
    private static final int PIECE = 256 << 10;
    private static final Logger LOG = LoggerFactory.getLogger(Content.class);

    private final Blobs blobs;
    private final ReentrantLock[] locks = new ReentrantLock[STRIPES];
    private final Cache cache = new Cache();
    private final Verified verified;

    /// Blobs that a power cut may still take, each with a mark of its own for every time it was stored. What is durable,
    /// and so all that something durable names, has none.
    private final Map<Digest, Mark> unsettled = new ConcurrentHashMap<>();

    private final LongAdder damaged = new LongAdder();
    private volatile @Nullable Set<Digest> reported;

    /// Over `blobs`; what was read and right is believed to be so for a day of `clock`.
    public Content(Blobs blobs, Clock clock) {
        this.blobs = blobs;
        this.verified = new Verified(clock);
        for (int i = 0; i < STRIPES; i++) {
            locks[i] = new ReentrantLock();
        }
    }

    /// The storage.
    public Blobs blobs() {
        return blobs;
    }

    /// That the bytes are not durable.
    private static final class Mark {
        /// The disk did not take them.
        private volatile boolean lost;
    }

    /// What is done while a digest is locked.
    @FunctionalInterface
    interface Linking<T> {
        T run() throws IOException, Refusal;
    }

    /// Ends an upload: durable only by [#settle], if nothing can name the blob yet. Under the digest's lock.
    void commit(Upload upload, Digest digest) throws IOException, Refusal {
        if (blobs.size(digest).isPresent()) {
            upload.commit(digest);
            unsettled.remove(digest);
            return;
        }
        var mark = new Mark();
        unsettled.put(digest, mark); // before the bytes can be seen
        try {
            upload.commitUnsettled(digest);
        } catch (Refusal e) {
            unsettled.remove(digest, mark);
            throw e;
        }
        unsettled.put(digest, new Mark()); // who settled meanwhile did it before the bytes were there
    }

    /// Makes those of `digests` durable that are not: before the first thing that names them is.
    /// @throws IOException the disk did not take them, which it says only once: they are deleted, to be pushed again
    void settle(Collection<Digest> digests) throws IOException {
        var marks = new HashMap<Digest, Mark>();
        for (var digest : digests) {
            var mark = unsettled.get(digest);
            if (mark != null) {
                marks.put(digest, mark);
            }
        }
        if (marks.isEmpty()) {
            return;
        }
        try {
            if (marks.values().stream().anyMatch(mark -> mark.lost)) {
                throw new IOException("pushed blobs could not be written to the disk and must be pushed again");
            }
            blobs.settle(marks.keySet());
        } catch (ClosedByInterruptException e) {
            throw e; // the disk was not asked
        } catch (IOException e) {
            for (var each : marks.entrySet()) {
                drop(each.getKey(), each.getValue());
            }
            throw e;
        }
        marks.forEach(unsettled::remove); // not what was stored again meanwhile
    }

    private void drop(Digest digest, Mark mark) throws IOException {
        mark.lost = true;
        var lock = lock(digest);
        if (lock.tryLock()) { // see #document; who holds it settles after this, and drops it then
            try {
                if (unsettled.get(digest) == mark) {
                    blobs.delete(digest);
                    unsettled.remove(digest);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /// Runs what links `digest` into a repository; the bytes must be there when it links them. Files are written under
    /// this lock on purpose: it is what keeps the collector away from them.
    <T> T linking(Digest digest, Linking<T> action) throws IOException, Refusal {
        var lock = lock(digest);
        lock.lock();
        try {
            T result = action.run();
            var epoch = reported;
            if (epoch != null) {
                epoch.add(digest);
            }
            return result;
        } finally {
            lock.unlock();
        }
    }

    /// The collector begins to look at links. One at a time.
    void openEpoch() {
        reported = ConcurrentHashMap.newKeySet();
    }

    /// Deletes `digest` if nobody linked it since the epoch began. True when it is gone.
    boolean deleteUnlinked(Digest digest) throws IOException {
        var lock = lock(digest);
        lock.lock();
        try {
            var epoch = reported;
            if (epoch == null || epoch.contains(digest)) {
                return false;
            }
            blobs.delete(digest);
            unsettled.remove(digest);
            cache.drop(digest);
            return true;
        } finally {
            lock.unlock();
        }
    }

    void closeEpoch() {
        reported = null;
    }

    private ReentrantLock lock(Digest digest) {
        return locks[Math.floorMod(digest.hex().hashCode(), STRIPES)];
    }

    /// Stores a small document, durably, unless it is here as it should be. `durable` when it was stored here before:
    /// else the bytes may be a blob's that is not, or those that a crash left. Under the digest's lock.
    void store(Document document, boolean durable, String owner) throws IOException, Refusal {
        store(document.digest(), document.bytes(), durable, owner);
    }

    private void store(Digest digest, byte[] bytes, boolean durable, String owner) throws IOException, Refusal {
        if (holds(digest, bytes)) {
            if (!durable || unsettled.containsKey(digest)) {
                blobs.settle(List.of(digest));
                unsettled.remove(digest);
            }
            return;
        }
        var upload = blobs.begin(owner, digest.algorithm());
        try {
            upload.append(new java.io.ByteArrayInputStream(bytes), 0, Manifest.MAX_BYTES);
            upload.commit(digest);
            unsettled.remove(digest);
        } finally {
            upload.cancel();
        }
    }

    private boolean holds(Digest digest, byte[] bytes) {
        try (var blob = blobs.open(digest).orElse(null)) {
            return blob != null && blob.size() == bytes.length
                    && Arrays.equals(blob.from(0).readNBytes(bytes.length), bytes);
        } catch (IOException e) {
            LOG.warn("{} cannot be read and is stored anew: {}", digest, e.getMessage());
            return false;
        }
    }

    /// Whether the bytes of `digest` that `stamp` stands for were read whole and right not long ago.
    public boolean verified(Digest digest, String stamp) {
        return verified.knows(digest, stamp);
    }

    /// Somebody read the bytes of `stamp` whole, and they were right.
    public void foundRight(Digest digest, String stamp) {
        verified.remember(digest, stamp);
    }

    /// Somebody read the bytes of `stamp` whole, and they were not those of `digest`. Reads them once more, and takes
    /// them away if it was not the reader: then a push to `owner` or an upstream brings sound ones, or at once the memory.
    public void foundWrong(Digest digest, String owner) throws IOException, Refusal {
        var found = examine(digest);
        if (found.isPresent() && found.get().fault().isPresent() && !found.get().unreadable()) {
            takeAway(digest, found.get().stamp());
            restore(digest, owner);
        }
    }

    /// What a blob was read to be: its length, and what is wrong with it.
    record Examined(String stamp, long size, Optional<String> fault, boolean unreadable) {}

    /// Reads the blob whole, holding no lock; empty when it is not here.
    /// @throws IOException it cannot be opened, or the thread was interrupted: neither says anything of the bytes
    Optional<Examined> examine(Digest digest) throws IOException {
        var stamp = blobs.stamp(digest);
        try (var blob = stamp.isEmpty() ? null : blobs.open(digest).orElse(null)) {
            return blob == null ? Optional.empty() : Optional.of(examine(digest, stamp.get(), blob));
        }
    }

    private Examined examine(Digest digest, String stamp, StoredBlob blob) throws ClosedByInterruptException {
        long size = 0;
        try {
            var hasher = digest.algorithm().hasher();
            var buffer = new byte[PIECE];
            var from = blob.from(0);
            for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
                hasher.update(buffer, 0, read);
                size += read;
            }
            if (!Digest.finish(digest.algorithm(), hasher.digest()).equals(digest)) {
                return new Examined(stamp, size, Optional.of("its bytes have another digest"), false);
            }
            verified.remember(digest, stamp);
            return new Examined(stamp, size, Optional.empty(), false);
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            return new Examined(stamp, size, Optional.of("it cannot be read: " + e.getMessage()), true);
        }
    }

    /// Takes away the bytes that `stamp` stands for, if they are still those that are here.
    void takeAway(Digest digest, String stamp) throws IOException {
        var lock = lock(digest);
        lock.lock();
        try {
            takeAwayLocked(digest, stamp);
        } finally {
            lock.unlock();
        }
    }

    private void takeAwayLocked(Digest digest, String stamp) throws IOException {
        if (blobs.stamp(digest).filter(stamp::equals).isPresent()) {
            blobs.setAside(digest);
            damaged.increment();
            LOG.error("the stored bytes of {} are damaged and were set aside; push them again, or run"
                    + " \"carafe hub verify --repair\"", digest);
        }
    }

    /// How many blobs were found damaged and set aside since the start.
    public long damaged() {
        return damaged.sum();
    }

    /// Stores a document anew whose sound bytes are still in memory. False when they are not.
    boolean restore(Digest digest, String owner) throws IOException, Refusal {
        byte[] known = cache.find(digest);
        if (known == null) {
            return false;
        }
        return linking(digest, () -> {
            store(digest, known, false, owner);
            return true;
        });
    }

    /// The bytes of a document, verified when they come from the store. Empty when they are gone; what is damaged is
    /// set aside and gone.
    public Optional<byte[]> document(Digest digest) throws IOException {
        byte[] known = cache.find(digest);
        if (known != null) {
            return Optional.of(known);
        }
        byte[] bytes;
        var stamp = blobs.stamp(digest);
        try (var blob = stamp.isEmpty() ? null : blobs.open(digest).orElse(null)) {
            if (blob == null) {
                return Optional.empty();
            }
            bytes = blob.from(0).readNBytes(Manifest.MAX_BYTES + 1);
        }
        if (bytes.length > Manifest.MAX_BYTES || !digest.matches(bytes)) {
            var lock = lock(digest);
            if (lock.tryLock()) { // the caller may hold a repository's lock, which comes after this one: never wait here
                try {
                    takeAwayLocked(digest, stamp.get());
                } finally {
                    lock.unlock();
                }
            }
            return Optional.empty();
        }
        cache.keep(digest, bytes);
        return Optional.of(bytes);
    }

    /// Documents read lately; the oldest leave when they are too many bytes together.
    private static final class Cache {

        /// Guarded by this, as is `held`.
        private final Map<Digest, byte[]> documents = new LinkedHashMap<>(16, 0.75f, true);

        private long held;

        synchronized byte @Nullable [] find(Digest digest) {
            return documents.get(digest);
        }

        synchronized void keep(Digest digest, byte[] bytes) {
            if (documents.put(digest, bytes) == null) {
                held += bytes.length;
            }
            var eldest = documents.entrySet().iterator();
            while (held > CACHE_BYTES && eldest.hasNext()) {
                held -= eldest.next().getValue().length;
                eldest.remove();
            }
        }

        synchronized void drop(Digest digest) {
            byte[] dropped = documents.remove(digest);
            held -= dropped == null ? 0 : dropped.length;
        }
    }
}
