package carafe.hub.store;

import carafe.hub.store.Refusal.Reason;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// An upload into a file, hashed as it is written. After a restart the hash is made anew from the file.
final class FileUpload implements Upload {

    private static final int PIECE = 128 << 10;
    private static final long TURN_SECONDS = 20;

    private final FileBlobs store;
    private final String id;
    private final Path file;

    /// Held by the one sender, for as long as it sends; guards all below but `size` and `written`, which others read.
    private final ReentrantLock lock = new ReentrantLock();

    private Digest.Algorithm algorithm;
    private @Nullable MessageDigest hash;
    private @Nullable FileChannel channel;
    private boolean over;
    private volatile long size;
    private volatile Instant written = Instant.now();

    /// `size` bytes are in the file already.
    FileUpload(FileBlobs store, String id, Path file, Digest.Algorithm algorithm, long size) {
        this.store = store;
        this.id = id;
        this.file = file;
        this.algorithm = algorithm;
        this.size = size;
        this.hash = size == 0 ? algorithm.hasher() : null;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public long size() {
        return size;
    }

    /// When somebody last sent something.
    Instant lastWritten() {
        return lock.isLocked() ? Instant.now() : written;
    }

    @Override
    public void append(InputStream from, long offset, long limitBytes) throws IOException, Refusal {
        takeTurn();
        try {
            if (offset >= 0 && offset != size) {
                throw new Refusal(Reason.RANGE_INVALID, "the chunk begins at byte " + offset
                        + " but the upload continues at byte " + size);
            }
            var buffer = ByteBuffer.allocate(PIECE);
            for (int read = fill(from, buffer); read > 0; read = fill(from, buffer)) {
                if (size + read > limitBytes) {
                    throw new Refusal(Reason.DENIED, "the blob is larger than the " + limitBytes
                            + " bytes that its namespace has left");
                }
                write(buffer.flip());
            }
        } finally {
            written = Instant.now();
            close();
            lock.unlock();
        }
    }

    /// Fills the buffer as far as the stream yields without an end; the bytes before a torn end are kept.
    private int fill(InputStream from, ByteBuffer buffer) throws IOException {
        buffer.clear();
        try {
            while (buffer.hasRemaining()) {
                int read = from.read(buffer.array(), buffer.position(), buffer.remaining());
                if (read < 0) {
                    break;
                }
                buffer.position(buffer.position() + read);
            }
        } catch (IOException e) {
            write(buffer.flip());
            throw e;
        }
        return buffer.position();
    }

    private void write(ByteBuffer bytes) throws IOException {
        if (!bytes.hasRemaining()) {
            return;
        }
        var open = open();
        var running = hash;
        if (running != null) {
            running.update(bytes.array(), 0, bytes.limit());
        }
        int length = bytes.remaining();
        try {
            Disk.write(open, bytes);
        } catch (IOException e) {
            hash = null; // what stands in the file now is not what was hashed
            open.truncate(size);
            throw e;
        }
        size += length;
    }

    @Override
    public InputStream soFar(long offset) throws IOException {
        var reading = FileChannel.open(file, StandardOpenOption.READ);
        try {
            return Channels.newInputStream(reading.position(offset));
        } catch (IOException e) {
            reading.close();
            throw e;
        }
    }

    private FileChannel open() throws IOException {
        var open = channel;
        if (open == null) {
            open = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                    StandardOpenOption.READ);
            open.truncate(size).position(size);
            channel = open;
        }
        return open;
    }

    private void close() throws IOException {
        var open = channel;
        channel = null;
        if (open != null) {
            open.close();
        }
    }

    @Override
    public void commit(Digest digest) throws IOException, Refusal {
        takeTurn();
        try {
            var open = open();
            Digest found = digest(digest.algorithm(), open);
            if (!found.equals(digest)) {
                end();
                throw new Refusal(Reason.DIGEST_INVALID, "the bytes received have the digest " + found + ", not " + digest);
            }
            open.force(true);
            close();
            store.adopt(file, digest);
            over = true;
            store.forget(file);
        } finally {
            close();
            lock.unlock();
        }
    }

    private Digest digest(Digest.Algorithm wanted, FileChannel open) throws IOException {
        var running = hash;
        if (running == null || wanted != algorithm) {
            running = wanted.hasher();
            var buffer = ByteBuffer.allocate(PIECE);
            for (long at = 0; at < size; at += buffer.limit()) {
                buffer.clear();
                if (open.read(buffer, at) <= 0) {
                    throw new IOException("the upload's file is shorter than what was received");
                }
                running.update(buffer.array(), 0, buffer.flip().limit());
            }
        }
        hash = null; // used up: a second commit hashes anew
        algorithm = wanted;
        return Digest.finish(wanted, running.digest());
    }

    @Override
    public void cancel() throws IOException {
        try {
            takeTurn();
        } catch (Refusal e) {
            return; // it is over
        }
        try {
            end();
        } finally {
            lock.unlock();
        }
    }

    private void end() throws IOException {
        over = true;
        store.forget(file);
        close();
        Files.deleteIfExists(file);
    }

    private void takeTurn() throws IOException, Refusal {
        try {
            if (!lock.tryLock(TURN_SECONDS, TimeUnit.SECONDS)) {
                throw new Refusal(Reason.TOO_MANY_REQUESTS, "another request is still writing to this upload");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the upload");
        }
        if (over) {
            lock.unlock();
            throw new Refusal(Reason.BLOB_UPLOAD_UNKNOWN, "the upload is over");
        }
    }
}
