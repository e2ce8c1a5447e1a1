package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// Blobs by digest, in the directory form of an OCI layout. A blob is visible only when it is whole, verified and
/// durable: it is written under `ingest/`, synced, compared with what was promised, then renamed into `blobs/`.
/// Equal blobs may be written by several threads at once; the last rename wins and changes nothing.
/// Source: OCI image-spec image-layout.md.
final class ContentStore {

    private static final byte[] LAYOUT = "{\"imageLayoutVersion\":\"1.0.0\"}".getBytes(StandardCharsets.UTF_8);

    private final Path root;
    private final CommitSteps steps;
    private final AtomicLong ingests = new AtomicLong();

    private ContentStore(Path root, CommitSteps steps) {
        this.root = root;
        this.steps = steps;
    }

    /// Opens the store in `root`, making it where it is missing, and sweeps ingests that nobody finished. One store
    /// per directory at a time.
    static ContentStore open(Path root, CommitSteps steps) throws IOException {
        for (var algorithm : Digest.Algorithm.values()) {
            Durable.makeDirectory(root.resolve("blobs").resolve(algorithm.label()));
        }
        Durable.makeDirectory(root.resolve("ingest"));
        try (var abandoned = Files.newDirectoryStream(root.resolve("ingest"))) {
            for (Path file : abandoned) {
                Files.delete(file);
            }
        }
        if (!Files.exists(root.resolve("oci-layout"))) {
            Durable.replace(root.resolve("oci-layout"), root.resolve("ingest/oci-layout"), LAYOUT, CommitSteps.REAL);
        }
        return new ContentStore(root, steps);
    }

    /// The store's directory, an OCI layout.
    Path root() {
        return root;
    }

    /// A fresh name for a file that is not yet anything.
    Path temporary() {
        return root.resolve("ingest").resolve(Long.toString(ingests.incrementAndGet()));
    }

    private Path path(Digest digest) {
        return root.resolve("blobs").resolve(digest.algorithm().label()).resolve(digest.hex());
    }

    /// True when the blob is here, whole.
    boolean exists(Digest digest) {
        return Files.exists(path(digest));
    }

    /// The blob's length in bytes; empty when it is not here.
    Optional<Long> size(Digest digest) throws IOException {
        try {
            return Optional.of(Files.size(path(digest)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// The blob as a stream that the caller closes.
    /// @throws NoSuchFileException it is not here
    InputStream read(Digest digest) throws IOException {
        return Files.newInputStream(path(digest));
    }

    /// The whole of a small blob, at most `limitBytes`, verified.
    byte[] readAll(Digest digest, int limitBytes) throws IOException {
        try (var in = read(digest)) {
            byte[] bytes = in.readNBytes(limitBytes + 1);
            if (bytes.length > limitBytes || !digest.matches(bytes)) {
                throw new IOException("blob " + digest + " is damaged");
            }
            return bytes;
        }
    }

    /// Stores `bytes` unless they are here already.
    Digest put(byte[] bytes) throws IOException, EngineException.Invalid {
        var digest = Digest.sha256(bytes);
        if (!exists(digest)) {
            try (var ingest = ingest(digest, bytes.length)) {
                ingest.write(bytes);
                ingest.commit();
            }
        }
        return digest;
    }

    /// Begins to write the blob that will have `digest` and `size` bytes.
    Ingest ingest(Digest digest, long size) throws IOException {
        return new Ingest(digest, size, temporary());
    }

    /// Removes a blob; one that is not here is fine.
    void delete(Digest digest) throws IOException {
        Files.deleteIfExists(path(digest));
    }

    /// All blobs; files with other names are none.
    List<Digest> list() throws IOException {
        var digests = new ArrayList<Digest>();
        for (var algorithm : Digest.Algorithm.values()) {
            try (var files = Files.newDirectoryStream(root.resolve("blobs").resolve(algorithm.label()))) {
                for (Path file : files) {
                    try {
                        digests.add(Digest.parse(algorithm.label() + ":" + file.getFileName()));
                    } catch (EngineException.Invalid e) {
                        // not ours; left alone
                    }
                }
            }
        }
        return digests;
    }

    /// One blob being written. Bytes are hashed as they pass; [#commit] makes them visible, closing without it drops
    /// them. Not for several threads.
    final class Ingest extends OutputStream {
        private final Digest digest;
        private final long size;
        private final Path temporary;
        private final FileChannel channel;
        private final MessageDigest hasher;
        private long written;

        private Ingest(Digest digest, long size, Path temporary) throws IOException {
            this.digest = digest;
            this.size = size;
            this.temporary = temporary;
            this.hasher = digest.algorithm().hasher();
            steps.before("create ingest");
            this.channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        /// @throws IOException the disk's; more bytes than promised are refused at [#commit], not stored
        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            written += length;
            if (written <= size) {
                hasher.update(bytes, offset, length);
                Durable.writeAll(channel, ByteBuffer.wrap(bytes, offset, length));
            }
        }

        /// Makes the blob durable and visible under its digest.
        /// @throws EngineException.Invalid the bytes are not those promised
        void commit() throws IOException, EngineException.Invalid {
            if (written != size) {
                throw new EngineException.Invalid("unexpected size of " + digest + ": expected " + size + " bytes, got "
                        + written);
            }
            var found = Digest.finish(digest.algorithm(), hasher.digest());
            if (!found.equals(digest)) {
                throw new EngineException.Invalid("unexpected digest: expected " + digest + ", got " + found);
            }
            steps.before("sync blob");
            channel.force(true);
            Path target = path(digest);
            steps.before("rename blob");
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            steps.before("sync blob directory");
            Durable.syncNameOf(target);
        }

        /// Ends the ingest; what was not committed is gone.
        @Override
        public void close() throws IOException {
            channel.close();
            Files.deleteIfExists(temporary);
        }
    }
}
