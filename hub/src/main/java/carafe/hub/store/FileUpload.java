package carafe.hub.store;

import carafe.hub.store.Refusal.Reason;
import carafe.image.Ingest;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// An upload into an ingest of the content store, which hashes as it writes.
final class FileUpload implements Upload {

    private static final int PIECE = 128 << 10;
    private static final long TURN_SECONDS = 20;

    private final FileBlobs blobs;
    private final String id;
    private final String key;

    /// Held by the one sender for as long as it sends; guards the fields below, but for `size` and `written`, which
    /// others read.
    private final ReentrantLock lock = new ReentrantLock();

    private @Nullable Ingest ingest;
    private boolean over;
    private volatile long size;
    private volatile Instant written = Instant.now();

    /// `size` bytes are here already.
    FileUpload(FileBlobs blobs, String id, String key, long size) {
        this.blobs = blobs;
        this.id = id;
        this.key = key;
        this.size = size;
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
            giveTurn();
        }
    }

    /// Fills the buffer as far as the stream yields; the bytes before a torn end are kept.
    private int fill(InputStream from, ByteBuffer buffer) throws IOException, Refusal {
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
            if (buffer.position() > 0) {
                write(buffer.flip());
            }
            throw e;
        }
        return buffer.position();
    }

    private void write(ByteBuffer bytes) throws IOException, Refusal {
        var open = open();
        try {
            open.write(bytes);
        } catch (IOException e) {
            end(); // the ingest has dropped what it had
            throw e;
        }
        size = open.offset();
    }

    private Ingest open() throws IOException, Refusal {
        var open = ingest;
        if (open == null) {
            try {
                open = blobs.store().upload(key);
            } catch (EngineException e) {
                throw new Refusal(Reason.BLOB_UPLOAD_INVALID, String.valueOf(e.getMessage()));
            }
            ingest = open;
        }
        return open;
    }

    @Override
    public InputStream soFar(long offset) throws IOException {
        var reading = blobs.store().openUpload(key);
        try {
            return Channels.newInputStream(reading.position(offset));
        } catch (IOException e) {
            reading.close();
            throw e;
        }
    }

    @Override
    public void commit(Digest digest) throws IOException, Refusal {
        commit(ingest -> ingest.commit(digest));
    }

    @Override
    public void commitUnsettled(Digest digest) throws IOException, Refusal {
        commit(ingest -> ingest.commitUnsynced(digest));
    }

    @FunctionalInterface
    private interface Ending {
        void end(Ingest ingest) throws IOException, EngineException.Invalid;
    }

    private void commit(Ending ending) throws IOException, Refusal {
        takeTurn();
        try {
            ending.end(open());
            end();
        } catch (EngineException.Invalid e) {
            end();
            throw new Refusal(Reason.DIGEST_INVALID, String.valueOf(e.getMessage()));
        } finally {
            giveTurn();
        }
    }

    @Override
    public void cancel() throws IOException {
        try {
            takeTurn();
        } catch (Refusal e) {
            return; // it is over
        }
        try {
            if (size > 0 || ingest != null) {
                open().abort();
            }
            end();
        } catch (Refusal e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            giveTurn();
        }
    }

    private void end() throws IOException {
        over = true;
        closeIngest();
        blobs.forget(key);
    }

    private void closeIngest() throws IOException {
        var open = ingest;
        ingest = null;
        if (open != null) {
            open.close();
        }
    }

    /// Closes the file while nobody sends; who sends next has it hashed anew.
    void closeFile() throws IOException {
        if (lock.tryLock()) {
            try {
                closeIngest();
            } finally {
                lock.unlock();
            }
        }
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
        blobs.unpause(key);
    }

    private void giveTurn() throws IOException {
        try {
            if (ingest != null) {
                blobs.pause(key, this);
            }
        } finally {
            lock.unlock();
        }
    }
}
