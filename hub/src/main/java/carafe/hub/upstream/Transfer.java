package carafe.hub.upstream;

import carafe.hub.store.Blobs;
import carafe.hub.store.Refusal;
import carafe.hub.store.Upload;
import carafe.spec.oci.Descriptor;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One blob arriving from an upstream into an upload, and those who read it while it grows. A slow reader slows nobody.
/// The digest is known only at the end: the
/// last byte is held back until then, and a transfer that fails tears its readers' answers.
public final class Transfer {

    private static final Logger LOG = LoggerFactory.getLogger(Transfer.class);
    private static final Duration STALLED = Duration.ofSeconds(90);
    private static final int PIECE = 64 << 10;

    private enum State { RUNNING, COMPLETE, FAILED }

    private final Upload upload;
    private final Blobs blobs;
    private final Descriptor blob;

    /// Guards the fields below.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private State state = State.RUNNING;
    private String reason = "";

    /// Of `blob`, into a fresh upload of `blobs`.
    Transfer(Blobs blobs, String repository, Descriptor blob) {
        this.blobs = blobs;
        this.blob = blob;
        this.upload = blobs.begin(repository, blob.digest().algorithm());
    }

    Upload upload() {
        return upload;
    }

    /// What is on its way.
    public Descriptor blob() {
        return blob;
    }

    /// Writes what arrives, waking readers as it does. On the fetching thread.
    void receive(InputStream incoming, long limitBytes) throws IOException, Refusal {
        upload.append(new Announced(incoming), 0, Math.min(limitBytes, blob.size()));
        if (upload.size() != blob.size()) {
            throw new IOException("the upstream sent " + upload.size() + " of " + blob.size() + " bytes");
        }
    }

    void complete() {
        become(State.COMPLETE, "");
    }

    void failed(String why) {
        become(State.FAILED, why);
    }

    void end() {
        try {
            upload.cancel();
        } catch (IOException e) {
            LOG.warn("a broken upload stays until the next collection: {}", e.getMessage());
        }
    }

    private void become(State next, String why) {
        lock.lock();
        try {
            state = next;
            reason = why;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Waits until the first bytes are here.
    /// @throws Refusal UNAVAILABLE none will come
    public void awaitStart() throws IOException, Refusal {
        lock.lock();
        try {
            while (state == State.RUNNING && upload.size() == 0) {
                await();
            }
            if (state == State.FAILED) {
                throw new Refusal(Refusal.Reason.UNAVAILABLE, "the upstream failed: " + reason);
            }
        } finally {
            lock.unlock();
        }
    }

    /// Waits until it is over.
    /// @throws IOException it failed
    void awaitEnd() throws IOException {
        lock.lock();
        try {
            while (state == State.RUNNING) {
                await();
            }
            if (state == State.FAILED) {
                throw new IOException("the upstream failed: " + reason);
            }
        } finally {
            lock.unlock();
        }
    }

    /// Writes `length` bytes from `offset` on to `out`, as they arrive.
    public void copy(OutputStream out, long offset, long length) throws IOException {
        var piece = new byte[PIECE];
        long at = offset;
        long end = offset + length;
        InputStream from = null;
        try {
            while (at < end) {
                long here = awaitMoreThan(at);
                if (from == null) {
                    from = open(offset);
                }
                int read = from.read(piece, 0, (int) Math.min(piece.length, Math.min(end, here) - at));
                if (read <= 0) {
                    throw new IOException("the fetched bytes are gone");
                }
                out.write(piece, 0, read);
                at += read;
            }
        } finally {
            if (from != null) {
                from.close();
            }
        }
    }

    private InputStream open(long offset) throws IOException {
        try {
            return upload.soFar(offset);
        } catch (NoSuchFileException e) {
            var whole = blobs.open(blob.digest()); // committed since
            if (whole.isEmpty()) {
                throw new IOException("the upstream failed: " + reason, e);
            }
            return whole.get().from(offset);
        }
    }

    /// How many bytes may be shown, once it is more than `bytes`: all but the last while it is not known that all are
    /// right, so that a blob that is wrong is never complete for anybody.
    private long awaitMoreThan(long bytes) throws IOException {
        lock.lock();
        try {
            while (state == State.RUNNING && shown() <= bytes) {
                await();
            }
            if (state == State.FAILED) {
                throw new IOException("the upstream failed: " + reason);
            }
            return shown();
        } finally {
            lock.unlock();
        }
    }

    private long shown() {
        return state == State.COMPLETE ? blob.size() : Math.min(upload.size(), blob.size() - 1);
    }

    private void await() throws IOException {
        long before = upload.size();
        try {
            long left = changed.awaitNanos(STALLED.toNanos());
            if (left <= 0 && upload.size() == before) {
                throw new IOException("the upstream stalled");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the upstream");
        }
    }

    /// Tells readers of progress whenever the writer comes for more.
    private final class Announced extends FilterInputStream {

        Announced(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            lock.lock();
            try {
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            return super.read(into, offset, length);
        }
    }
}
