package carafe.hub.store;

import carafe.image.CommitSteps;
import carafe.image.ContentStore;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// Blobs as files, in a content store of its own. Uploads are ingests with a key, `ID-OWNER`; those that pause keep their
/// file and their hash, the last [#PAUSED_OPEN] of them.
public final class FileBlobs implements Blobs {

    private static final int OWNER_HEX = 16;
    private static final int PAUSED_OPEN = 256;

    private final ContentStore store;
    private final Map<String, FileUpload> uploads = new ConcurrentHashMap<>();

    /// Uploads whose file is open although nobody sends, the longest first. Guarded by itself.
    private final LinkedHashMap<String, FileUpload> paused = new LinkedHashMap<>();

    private FileBlobs(ContentStore store) {
        this.store = store;
    }

    /// Opens the store in `root`, making it where it is missing. One per directory at a time. Tells `steps` what it does.
    public static FileBlobs open(Path root, CommitSteps steps) throws IOException {
        return new FileBlobs(ContentStore.open(root, steps));
    }

    ContentStore store() {
        return store;
    }

    @Override
    public OptionalLong size(Digest digest) throws IOException {
        var size = store.size(digest);
        return size.isPresent() ? OptionalLong.of(size.get()) : OptionalLong.empty();
    }

    @Override
    public Optional<StoredBlob> open(Digest digest) throws IOException {
        try {
            String stamp = store.stamp(digest).orElse(""); // before it is opened: an older stamp than the bytes' knows nothing
            var channel = store.open(digest);
            try {
                return Optional.of(new OpenFile(channel, channel.size(), stamp));
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public void delete(Digest digest) throws IOException {
        store.delete(digest);
    }

    @Override
    public void settle(Collection<Digest> digests) throws IOException {
        store.sync(digests);
    }

    @Override
    public Optional<String> stamp(Digest digest) throws IOException {
        return store.stamp(digest);
    }

    @Override
    public void setAside(Digest digest) throws IOException {
        store.setAside(digest);
    }

    @Override
    public void dropDamaged(Instant limit) throws IOException {
        store.sweepDamaged(limit);
    }

    @Override
    public void each(Consumer<Digest> visitor) throws IOException {
        store.list().forEach(visitor);
    }

    @Override
    public Upload begin(String owner, Digest.Algorithm algorithm) {
        String id = UUID.randomUUID().toString();
        var upload = new FileUpload(this, id, key(owner, id), 0);
        uploads.put(key(owner, id), upload);
        return upload;
    }

    @Override
    public Optional<Upload> resume(String owner, String id) throws IOException {
        if (!isUuid(id)) {
            return Optional.empty();
        }
        String key = key(owner, id);
        var known = uploads.get(key);
        if (known == null) {
            var size = store.uploaded(key);
            if (size.isPresent()) {
                var found = new FileUpload(this, id, key, size.get());
                known = uploads.computeIfAbsent(key, _ -> found);
            }
        }
        return Optional.ofNullable(known);
    }

    private static boolean isUuid(String id) {
        return id.length() == 36 && id.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c == '-');
    }

    private static String key(String owner, String id) {
        byte[] name = owner.getBytes(StandardCharsets.UTF_8);
        return id + "-" + Digest.sha256(name).hex().substring(0, OWNER_HEX);
    }

    @Override
    public int dropUploads(Instant limit) throws IOException {
        int dropped = 0;
        for (var upload : uploads.values()) {
            if (upload.lastWritten().isBefore(limit)) {
                upload.cancel();
                dropped++;
            }
        }
        store.sweepIngests(limit);
        return dropped;
    }

    @Override
    public int uploads() {
        return uploads.size();
    }

    /// Nobody sends to `upload` now: it may keep its file open, and the one that has done so longest closes his.
    void pause(String key, FileUpload upload) throws IOException {
        FileUpload longest = null;
        synchronized (paused) {
            paused.remove(key);
            paused.put(key, upload);
            if (paused.size() > PAUSED_OPEN) {
                longest = paused.pollFirstEntry().getValue();
            }
        }
        if (longest != null) {
            longest.closeFile();
        }
    }

    /// Somebody sends again.
    void unpause(String key) {
        synchronized (paused) {
            paused.remove(key);
        }
    }

    /// An upload is over.
    void forget(String key) {
        unpause(key);
        uploads.remove(key);
    }

    private record OpenFile(FileChannel channel, long size, String stamp) implements StoredBlob {
        @Override
        public Optional<FileChannel> file() {
            return Optional.of(channel);
        }

        @Override
        public InputStream from(long offset) throws IOException {
            return Channels.newInputStream(channel.position(offset));
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
