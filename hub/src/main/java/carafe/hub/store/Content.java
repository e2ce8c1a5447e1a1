package carafe.hub.store;

import carafe.hub.store.Refusal.Reason;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The bytes all repositories share, and the barrier between those who link bytes and the collector who deletes them.
///
/// Whoever links a digest into a repository does it under that digest's lock and reports it before he lets go. The
/// collector opens an epoch, reads which digests are linked, and deletes a digest only under its lock, if it was neither
/// linked when he looked nor reported since. A link made before he looked he saw; one made after is reported.
public final class Content {

    private static final int STRIPES = 256;
    private static final long CACHE_BYTES = 64 << 20;

    private final Blobs blobs;
    private final ReentrantLock[] locks = new ReentrantLock[STRIPES];
    private final Cache cache = new Cache();
    private volatile @Nullable Set<Digest> reported;

    /// Over `blobs`.
    public Content(Blobs blobs) {
        this.blobs = blobs;
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

    /// Stores a small document unless it is here. Under the digest's lock.
    void store(Document document, String owner) throws IOException, Refusal {
        if (blobs.size(document.digest()).isEmpty()) {
            var upload = blobs.begin(owner, document.digest().algorithm());
            try {
                upload.append(new java.io.ByteArrayInputStream(document.bytes()), 0, Manifest.MAX_BYTES);
                upload.commit(document.digest());
            } finally {
                upload.cancel();
            }
        }
    }

    /// The bytes of a document, verified when they come from the store. Empty when they are gone.
    /// @throws Refusal UNAVAILABLE they are damaged
    public Optional<byte[]> document(Digest digest) throws IOException, Refusal {
        byte[] known = cache.find(digest);
        if (known != null) {
            return Optional.of(known);
        }
        byte[] bytes;
        try (var blob = blobs.open(digest).orElse(null)) {
            if (blob == null) {
                return Optional.empty();
            }
            bytes = blob.from(0).readNBytes(Manifest.MAX_BYTES + 1);
        }
        if (bytes.length > Manifest.MAX_BYTES || !digest.matches(bytes)) {
            throw new Refusal(Reason.UNAVAILABLE, "the stored bytes of " + digest + " are damaged; push them again");
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
