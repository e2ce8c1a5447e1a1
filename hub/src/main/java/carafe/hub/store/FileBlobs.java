package carafe.hub.store;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// Blobs as files of an OCI layout, `blobs/ALGORITHM/HEX`, and uploads beside them, `uploads/ID-OWNER`.
/// An upload is written, synced, compared with its digest, then renamed into place and the directory synced.
/// Source: OCI image-spec image-layout.md.
public final class FileBlobs implements Blobs {

    private static final byte[] LAYOUT = "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8);
    private static final int OWNER_HEX = 16;

    private final Path root;
    private final Map<String, FileUpload> uploads = new ConcurrentHashMap<>();

    private FileBlobs(Path root) {
        this.root = root;
    }

    /// Opens the store in `root`, making it where it is missing. One per directory at a time.
    public static FileBlobs open(Path root) throws IOException {
        for (var algorithm : Digest.Algorithm.values()) {
            Disk.makeDirectory(root.resolve("blobs").resolve(algorithm.label()));
        }
        Disk.makeDirectory(root.resolve("uploads"));
        if (!Files.exists(root.resolve("oci-layout"))) {
            Disk.replace(root.resolve("oci-layout"), root.resolve("uploads/oci-layout"), LAYOUT);
        }
        return new FileBlobs(root);
    }

    private Path path(Digest digest) {
        return root.resolve("blobs").resolve(digest.algorithm().label()).resolve(digest.hex());
    }

    @Override
    public OptionalLong size(Digest digest) throws IOException {
        try {
            return OptionalLong.of(Files.size(path(digest)));
        } catch (NoSuchFileException e) {
            return OptionalLong.empty();
        }
    }

    @Override
    public Optional<StoredBlob> open(Digest digest) throws IOException {
        try {
            var channel = FileChannel.open(path(digest), StandardOpenOption.READ);
            try {
                return Optional.of(new OpenFile(channel, channel.size()));
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
        Files.deleteIfExists(path(digest));
    }

    @Override
    public void each(Consumer<Digest> visitor) throws IOException {
        for (var algorithm : Digest.Algorithm.values()) {
            try (var files = Files.newDirectoryStream(root.resolve("blobs").resolve(algorithm.label()))) {
                for (Path file : files) {
                    try {
                        visitor.accept(Digest.parse(algorithm.label() + ":" + file.getFileName()));
                    } catch (EngineException.Invalid e) {
                        continue; // not ours; left alone
                    }
                }
            }
        }
    }

    @Override
    public Upload begin(String owner, Digest.Algorithm algorithm) {
        String id = UUID.randomUUID().toString();
        var upload = new FileUpload(this, id, file(owner, id), algorithm, 0);
        uploads.put(key(owner, id), upload);
        return upload;
    }

    @Override
    public Optional<Upload> resume(String owner, String id) throws IOException {
        if (!isUuid(id)) {
            return Optional.empty();
        }
        var known = uploads.get(key(owner, id));
        if (known == null && Files.exists(file(owner, id))) {
            long size = Files.size(file(owner, id));
            var found = new FileUpload(this, id, file(owner, id), Digest.Algorithm.SHA256, size);
            known = uploads.computeIfAbsent(key(owner, id), _ -> found);
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

    private Path file(String owner, String id) {
        return root.resolve("uploads").resolve(key(owner, id));
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
        try (var files = Files.newDirectoryStream(root.resolve("uploads"))) {
            for (Path file : files) {
                boolean open = uploads.containsKey(String.valueOf(file.getFileName()));
                if (!open && Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
                    Files.deleteIfExists(file);
                    dropped++;
                }
            }
        }
        return dropped;
    }

    @Override
    public int uploads() {
        return uploads.size();
    }

    /// Takes in what an upload wrote and synced.
    void adopt(Path file, Digest digest) throws IOException {
        if (Files.exists(path(digest))) {
            Files.delete(file);
        } else {
            Disk.move(file, path(digest));
        }
    }

    /// An upload is over.
    void forget(Path file) {
        uploads.remove(String.valueOf(file.getFileName()));
    }

    private record OpenFile(FileChannel channel, long size) implements StoredBlob {
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
