package carafe.hub.upstream;

import carafe.hub.store.Blobs;
import carafe.hub.store.Refusal;
import carafe.hub.store.Refusal.Reason;
import carafe.hub.store.Upload;
import carafe.spec.oci.Digest;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One blob arriving from an upstream into an upload, and those who read it while it grows. A slow reader slows nobody.
/// The digest is known only at the end: a transfer that fails then tears its readers' answers.
public final class Transfer {

    private static final Logger LOG = LoggerFactory.getLogger(Transfer.class);
    private static final Duration STALLED = Duration.ofSeconds(90);
    private static final int PIECE = 64 << 10;

    private enum State { STARTING, RUNNING, COMPLETE, MISSING, FAILED }

    private final Upload upload;
    private final Blobs blobs;
    private final Digest digest;

    /// Guards the fields below.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private State state = State.STARTING;
    private long size;
    private String reason = "";

    /// Of `digest`, into a fresh upload of `blobs`.
    Transfer(Blobs blobs, String repository, Digest digest) {
        this.blobs = blobs;
        this.digest = digest;
        this.upload = blobs.begin(repository, digest.algorithm());
    }

    Upload upload() {
        return upload;
    }

    /// Writes what arrives, waking readers as it does. On the fetching thread.
    void receive(Upstream.Incoming incoming, long limitBytes) throws IOException, Refusal {
        become(State.RUNNING, incoming.size(), "");
        upload.append(new Announced(incoming.bytes()), 0, Math.min(limitBytes, incoming.size()));
        if (upload.size() != incoming.size()) {
            throw new IOException("the upstream sent " + upload.size() + " of " + incoming.size() + " bytes");
        }
    }

    void missing() {
        become(State.MISSING, 0, "");
    }

    void complete() {
        become(State.COMPLETE, upload.size(), "");
    }

    void failed(String why) {
        become(State.FAILED, 0, why);
    }

    void end() {
        try {
            upload.cancel();
        } catch (IOException e) {
            LOG.warn("a broken upload stays until the next collection: {}", e.getMessage());
        }
    }

    private void become(State next, long length, String why) {
        lock.lock();
        try {
            state = next;
            size = length;
            reason = why;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// The blob's length, once the upstream has told; empty when it has no such blob.
    /// @throws Refusal UNAVAILABLE it cannot be had
    public OptionalLong awaitSize() throws IOException, Refusal {
        lock.lock();
        try {
            while (state == State.STARTING) {
                await();
            }
            return switch (state) {
                case RUNNING, COMPLETE -> OptionalLong.of(size);
                case FAILED -> throw new Refusal(Reason.UNAVAILABLE, "the upstream failed: " + reason);
                case MISSING, STARTING -> OptionalLong.empty();
            };
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
            var blob = blobs.open(digest); // committed since
            if (blob.isEmpty()) {
                throw new IOException("the upstream failed: " + reason, e);
            }
            return blob.get().from(offset);
        }
    }

    private long awaitMoreThan(long bytes) throws IOException {
        lock.lock();
        try {
            while (upload.size() <= bytes) {
                if (state == State.FAILED || state == State.COMPLETE) {
                    throw new IOException("the upstream failed: " + reason);
                }
                await();
            }
            return upload.size();
        } finally {
            lock.unlock();
        }
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
