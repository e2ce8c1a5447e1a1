package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Optional;

/// One blob being written into a [ContentStore]. Bytes are hashed as they pass; [#commit] verifies them and makes them
/// visible. [#close] without it keeps the bytes of an ingest that can be gone on with, [#abort] drops them. Bytes that
/// turn out to be wrong are dropped. Not for several threads.
public final class Ingest extends OutputStream {

    /// What an ingest's file is called that can be gone on with; all others are swept.
    static final String KEYED = "part-";

    private static final int LARGE = 4 << 20;
    private static final int BUFFER = 256 << 10;

    /// What the blob shall be.
    record Promise(Digest digest, long size) {}

    private final ContentStore store;
    private final Path file;
    private final boolean keyed;
    private final Optional<Promise> promise;
    private final FileChannel channel;
    private final MessageDigest hasher;
    private long written;
    private boolean done;

    private Ingest(ContentStore store, Path file, boolean keyed, Optional<Promise> promise) throws IOException {
        this.store = store;
        this.file = file;
        this.keyed = keyed;
        this.promise = promise;
        store.steps().before("create ingest");
        this.channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        this.hasher = promise.map(Promise::digest).map(Digest::algorithm).orElse(Digest.Algorithm.SHA256).hasher();
    }

    static Ingest fresh(ContentStore store, Digest digest, long size) throws IOException {
        return new Ingest(store, store.temporary(), false, Optional.of(new Promise(digest, size)));
    }

    static Ingest keyed(ContentStore store, String name, Optional<Promise> promise) throws IOException {
        boolean begun = false;
        try {
            var ingest = new Ingest(store, store.ingestFile(name), true, promise);
            ingest.resume();
            begun = true;
            return ingest;
        } finally {
            if (!begun) {
                store.release(name);
            }
        }
    }

    private void resume() throws IOException {
        boolean whole = false;
        try {
            written = channel.size();
            if (promise.isPresent() && written > promise.get().size) { // not what was promised: nothing to go on with
                channel.truncate(0);
                written = 0;
            }
            hash(hasher);
            channel.position(written);
            whole = true;
        } finally {
            if (!whole) {
                channel.close();
            }
        }
    }

    private void hash(MessageDigest into) throws IOException {
        var buffer = ByteBuffer.allocate(BUFFER);
        for (long at = 0; at < written; ) {
            int count = channel.read(buffer.clear(), at);
            if (count < 0) {
                throw new IOException("the file of an ingest was cut: " + file.getFileName());
            }
            into.update(buffer.flip());
            at += count;
        }
    }

    /// How many bytes are here.
    public long offset() {
        return written;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        write(ByteBuffer.wrap(bytes, offset, length));
    }

    /// Adds what remains in `bytes`.
    /// @throws IOException the disk's; more bytes than promised are refused at [#commit], not stored
    public void write(ByteBuffer bytes) throws IOException {
        long after = written + bytes.remaining();
        if (promise.isPresent() && after > promise.get().size) {
            written = after;
            bytes.position(bytes.limit());
            return;
        }
        hasher.update(bytes.duplicate());
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            written = after;
        } catch (IOException e) {
            abort(); // a part of `bytes` may be in the file but not in the count
            throw e;
        }
    }

    /// Makes the promised blob durable and visible.
    /// @throws EngineException.Invalid the bytes are not those promised
    public void commit() throws IOException, EngineException.Invalid {
        var expected = promise.orElseThrow(() -> new IllegalStateException("no digest was promised"));
        if (written != expected.size) {
            abort();
            throw new EngineException.Invalid("unexpected size of " + expected.digest + ": expected " + expected.size
                    + " bytes, got " + written);
        }
        verify(expected.digest, Digest.finish(expected.digest.algorithm(), hasher.digest()));
        publish(expected.digest);
    }

    /// Makes the blob durable and visible, if its digest is this.
    /// @throws EngineException.Invalid the bytes have another digest
    public void commit(Digest digest) throws IOException, EngineException.Invalid {
        verify(digest, found(digest));
        publish(digest);
    }

    private Digest found(Digest digest) throws IOException {
        var found = hasher;
        if (!found.getAlgorithm().equals(digest.algorithm().hasher().getAlgorithm())) {
            found = digest.algorithm().hasher();
            hash(found);
        }
        return Digest.finish(digest.algorithm(), found.digest());
    }

    /// Makes the blob visible, if its digest is this, and durable only with [ContentStore#sync]: until then nobody may
    /// name it. One that is here already, or was set aside as damaged, may have names: it is durable at once. The bytes
    /// of a large one are too, for others go on meanwhile.
    /// @throws EngineException.Invalid the bytes have another digest
    public void commitUnsynced(Digest digest) throws IOException, EngineException.Invalid {
        verify(digest, found(digest));
        if (store.mayBeNamed(digest)) {
            publish(digest);
            return;
        }
        var steps = store.steps();
        if (written > LARGE) {
            steps.before("sync blob");
            channel.force(true);
        }
        rename(store.path(digest));
        end();
    }

    private void verify(Digest digest, Digest found) throws IOException, EngineException.Invalid {
        if (!found.equals(digest)) {
            abort();
            throw new EngineException.Invalid("unexpected digest: expected " + digest + ", got " + found);
        }
    }

    private void publish(Digest digest) throws IOException {
        var steps = store.steps();
        steps.before("sync blob");
        channel.force(true);
        Path target = store.path(digest);
        rename(target);
        steps.before("sync blob directory");
        Durable.syncNameOf(target);
        end();
    }

    private void rename(Path target) throws IOException {
        store.steps().before("rename blob");
        Files.move(file, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /// Ends the ingest and drops its bytes.
    public void abort() throws IOException {
        if (!done) {
            Files.deleteIfExists(file);
            end();
        }
    }

    /// Ends the ingest; without [#commit] before, the next one with the same key or digest goes on where it ended.
    @Override
    public void close() throws IOException {
        if (!keyed) {
            abort();
        }
        end();
    }

    private void end() throws IOException {
        if (!done) {
            done = true;
            channel.close();
            if (keyed) {
                store.release(String.valueOf(file.getFileName()));
            }
        }
    }
}
