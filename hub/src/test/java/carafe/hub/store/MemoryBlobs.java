package carafe.hub.store;

import carafe.hub.store.Refusal.Reason;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// Storage that can what an object store can, and no more: whole objects with a version, put, got, deleted and listed;
/// no files, no renames, nothing to sync.
class MemoryBlobs implements Blobs {

    private record Stored(byte[] bytes, long version) {}

    private final Map<Digest, Stored> objects = new ConcurrentHashMap<>();
    private final Map<String, Growing> uploads = new ConcurrentHashMap<>();
    private final AtomicLong versions = new AtomicLong();

    /// Puts other bytes in the place of a blob's, as a broken disk does.
    void damage(Digest digest, byte[] bytes) {
        objects.put(digest, new Stored(bytes, versions.incrementAndGet()));
    }

    @Override
    public OptionalLong size(Digest digest) {
        var stored = objects.get(digest);
        return stored == null ? OptionalLong.empty() : OptionalLong.of(stored.bytes.length);
    }

    @Override
    public Optional<StoredBlob> open(Digest digest) {
        return Optional.ofNullable(objects.get(digest)).map(Open::new);
    }

    private record Open(Stored stored) implements StoredBlob {
        @Override
        public long size() {
            return stored.bytes.length;
        }

        @Override
        public String stamp() {
            return String.valueOf(stored.version);
        }

        @Override
        public Optional<FileChannel> file() {
            return Optional.empty();
        }

        @Override
        public InputStream from(long offset) {
            return new ByteArrayInputStream(stored.bytes, (int) offset, stored.bytes.length - (int) offset);
        }

        @Override
        public void close() {}
    }

    @Override
    public void delete(Digest digest) {
        objects.remove(digest);
    }

    @Override
    public void settle(Collection<Digest> digests) throws IOException {}

    @Override
    public Optional<String> stamp(Digest digest) {
        return Optional.ofNullable(objects.get(digest)).map(stored -> String.valueOf(stored.version));
    }

    @Override
    public void setAside(Digest digest) {
        objects.remove(digest);
    }

    @Override
    public void dropDamaged(Instant limit) {}

    @Override
    public void each(Consumer<Digest> visitor) {
        List.copyOf(objects.keySet()).forEach(visitor);
    }

    @Override
    public Upload begin(String owner, Digest.Algorithm algorithm) {
        var upload = new Growing(owner, UUID.randomUUID().toString());
        uploads.put(upload.id, upload);
        return upload;
    }

    @Override
    public Optional<Upload> resume(String owner, String id) {
        return Optional.ofNullable(uploads.get(id)).filter(upload -> upload.owner.equals(owner)).map(upload -> upload);
    }

    @Override
    public int dropUploads(Instant limit) {
        int dropped = 0;
        for (var upload : uploads.values()) {
            if (upload.written.isBefore(limit)) {
                upload.cancel();
                dropped++;
            }
        }
        return dropped;
    }

    @Override
    public int uploads() {
        return uploads.size();
    }

    private final class Growing implements Upload {
        private final String owner;
        private final String id;
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private volatile Instant written = Instant.now();

        Growing(String owner, String id) {
            this.owner = owner;
            this.id = id;
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public synchronized long size() {
            return bytes.size();
        }

        @Override
        public synchronized void append(InputStream from, long offset, long limitBytes) throws IOException, Refusal {
            requireOpen();
            if (offset >= 0 && offset != bytes.size()) {
                throw new Refusal(Reason.RANGE_INVALID, "the upload continues at byte " + bytes.size());
            }
            var piece = new byte[1000];
            for (int read = from.read(piece); read > 0; read = from.read(piece)) {
                if (bytes.size() + read > limitBytes) {
                    throw new Refusal(Reason.DENIED, "larger than " + limitBytes);
                }
                bytes.write(piece, 0, read);
            }
            written = Instant.now();
        }

        private void requireOpen() throws Refusal {
            if (uploads.get(id) != this) {
                throw new Refusal(Reason.BLOB_UPLOAD_UNKNOWN, "the upload is over");
            }
        }

        @Override
        public synchronized InputStream soFar(long offset) {
            byte[] now = bytes.toByteArray();
            return new ByteArrayInputStream(Arrays.copyOfRange(now, (int) offset, now.length));
        }

        @Override
        public synchronized void commit(Digest digest) throws Refusal {
            requireOpen();
            uploads.remove(id);
            byte[] whole = bytes.toByteArray();
            if (!digest.matches(whole)) {
                throw new Refusal(Reason.DIGEST_INVALID, "unexpected digest");
            }
            objects.put(digest, new Stored(whole, versions.incrementAndGet()));
        }

        @Override
        public synchronized void cancel() {
            uploads.remove(id, this);
        }
    }
}
