package carafe.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/// A wire whose every read and write must end within a time. One that does not is closed by a watcher, and whoever
/// waited gets [Stalled]. Sockets of the JDK have a time limit for some reads only, and for no write.
final class PatientWire implements Wire {

    private static final long IDLE = 0;
    private static final int PIECE = 128 << 10;

    private final Wire wire;
    private final Duration patience;
    private final Thread watcher;

    /// When the call under way began, by [#now()], or [#IDLE].
    private volatile long reading = IDLE;

    private volatile long writing = IDLE;

    /// When a byte last passed, either way: who waits for an answer is patient while the request is still going out.
    private volatile long passed = System.nanoTime();

    private volatile boolean stalled;
    private volatile boolean closed;

    /// Owns `wire`.
    PatientWire(Wire wire, Duration patience) {
        this.wire = wire;
        this.patience = patience;
        this.watcher = Thread.ofVirtual().name("carafe-http-patience").start(this::watch);
    }

    private static long now() {
        return System.nanoTime() | 1; // never IDLE
    }

    private void watch() {
        while (!closed) {
            long left = Math.min(left(reading), left(writing));
            if (left <= 0) {
                stalled = true;
                wire.close();
                return;
            }
            LockSupport.parkNanos(left);
        }
    }

    private long left(long since) {
        if (since == IDLE) {
            return patience.toNanos();
        }
        long latest = since - passed > 0 ? since : passed;
        return patience.toNanos() - (System.nanoTime() - latest);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        reading = now();
        try {
            return wire.read(into);
        } catch (IOException e) {
            throw cause(e, "sent nothing");
        } finally {
            reading = IDLE;
            passed = System.nanoTime();
        }
    }

    @Override
    public void write(ByteBuffer from) throws IOException {
        int end = from.limit();
        try {
            while (from.position() < end) { // in pieces, each of which shows that the other side takes something
                writing = now();
                from.limit(Math.min(end, from.position() + PIECE));
                wire.write(from);
                passed = System.nanoTime();
            }
        } catch (IOException e) {
            throw cause(e, "took nothing");
        } finally {
            from.limit(end);
            writing = IDLE;
        }
    }

    @Override
    public void write(ByteBuffer first, ByteBuffer second) throws IOException {
        if (second.remaining() > PIECE) {
            write(first);
            write(second);
            return;
        }
        writing = now();
        try {
            wire.write(first, second);
        } catch (IOException e) {
            throw cause(e, "took nothing");
        } finally {
            writing = IDLE;
            passed = System.nanoTime();
        }
    }

    @Override
    public void transfer(FileChannel file, long offset, long length) throws IOException {
        for (long at = offset; at < offset + length; ) {
            long piece = Math.min(PIECE, offset + length - at);
            writing = now();
            try {
                wire.transfer(file, at, piece);
            } catch (IOException e) {
                throw cause(e, "took nothing");
            } finally {
                writing = IDLE;
                passed = System.nanoTime();
            }
            at += piece;
        }
    }

    private IOException cause(IOException e, String what) {
        if (!stalled) {
            return e;
        }
        String time = patience.toSeconds() > 0 ? patience.toSeconds() + " seconds" : patience.toMillis() + " ms";
        var told = new Stalled("the server " + what + " for " + time);
        told.initCause(e);
        return told;
    }

    @Override
    public void shutdownOutput() throws IOException {
        wire.shutdownOutput();
    }

    @Override
    public boolean broken() {
        return wire.broken();
    }

    @Override
    public boolean tellsStale() {
        return wire.tellsStale();
    }

    @Override
    public boolean stale() {
        return wire.stale();
    }

    @Override
    public boolean canHangUp() {
        return wire.canHangUp();
    }

    @Override
    public boolean hungUp() {
        return wire.hungUp();
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(watcher);
        wire.close();
    }
}
