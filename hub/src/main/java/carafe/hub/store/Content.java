package carafe.hub.store;

import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.time.Clock;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
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

    /// Blobs that a power cut may still take, each with a mark of its own for every time it was stored.
    private final Map<Digest, Object> unsettled = new ConcurrentHashMap<>();

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

    /// What is done while a digest is locked.
    @FunctionalInterface
    interface Linking<T> {
        T run() throws IOException, Refusal;
    }

    /// Ends an upload whose blob nothing names yet: durable only by [#settle]. Under the digest's lock.
    void commit(Upload upload, Digest digest) throws IOException, Refusal {
        unsettled.put(digest, new Object()); // before the bytes can be seen
        upload.commitUnsettled(digest);
    }

    /// Makes those of `digests` durable that are not: before the first thing that names them is.
    void settle(Collection<Digest> digests) throws IOException {
        var marks = new HashMap<Digest, Object>();
        for (var digest : digests) {
            var mark = unsettled.get(digest);
            if (mark != null) {
                marks.put(digest, mark);
            }
        }
        if (!marks.isEmpty()) {
            blobs.settle(marks.keySet());
            marks.forEach(unsettled::remove); // not what was stored again meanwhile
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

    /// Stores a small document unless it is here as it should be. Under the digest's lock.
    void store(Document document, String owner) throws IOException, Refusal {
        store(document.digest(), document.bytes(), owner);
    }

    private void store(Digest digest, byte[] bytes, String owner) throws IOException, Refusal {
        if (holds(digest, bytes)) {
            return;
        }
        var upload = blobs.begin(owner, digest.algorithm());
        try {
            upload.append(new java.io.ByteArrayInputStream(bytes), 0, Manifest.MAX_BYTES);
            upload.commit(digest);
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
    /// them away if it was not the reader: then a push or an upstream brings sound ones.
    public void foundWrong(Digest digest) throws IOException {
        var found = examine(digest);
        if (found.isPresent() && found.get().fault().isPresent() && !found.get().unreadable()) {
            takeAway(digest, found.get().stamp());
        }
    }

    /// What a blob was read to be: its length, and what is wrong with it.
    record Examined(String stamp, long size, Optional<String> fault, boolean unreadable) {}

    /// Reads the blob whole, holding no lock; empty when it is not here.
    Optional<Examined> examine(Digest digest) throws IOException {
        var stamp = blobs.stamp(digest);
        long size = 0;
        try (var blob = stamp.isEmpty() ? null : blobs.open(digest).orElse(null)) {
            if (blob == null) {
                return Optional.empty();
            }
            var hasher = digest.algorithm().hasher();
            var buffer = new byte[PIECE];
            var from = blob.from(0);
            for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
                hasher.update(buffer, 0, read);
                size += read;
            }
            if (!Digest.finish(digest.algorithm(), hasher.digest()).equals(digest)) {
                return Optional.of(new Examined(stamp.get(), size, Optional.of("its bytes have another digest"), false));
            }
            verified.remember(digest, stamp.get());
            return Optional.of(new Examined(stamp.get(), size, Optional.empty(), false));
        } catch (IOException e) {
            return Optional.of(new Examined(stamp.orElse(""), size, Optional.of("it cannot be read: " + e.getMessage()), true));
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
            store(digest, known, owner);
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
