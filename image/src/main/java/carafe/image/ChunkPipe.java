package carafe.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Bytes of one member on their way from the thread that reads an archive to the thread that unpacks the member. Many
/// pipes share one budget of chunks, so the reader may run ahead into further members, but only so far. There is no
/// deadlock: members before the one being read are whole in their pipes, so their unpackers go on and free chunks.
final class ChunkPipe extends InputStream {

    static final int CHUNK_BYTES = 256 << 10;

    private final Semaphore budget;
    private final Consumer<byte[]> done;
    private final ArrayDeque<byte[]> chunks = new ArrayDeque<>(); // guarded by this, as are the next three
    private boolean ended;
    private boolean abandoned;
    private @Nullable IOException failure;

    private byte[] current = {}; // the unpacker's own, as is the next
    private int at;

    /// A pipe that takes its chunks from `budget`, one permit each.
    ChunkPipe(Semaphore budget) {
        this(budget, _ -> {});
    }

    /// The same; `done` gets each chunk that was read to its end, to use it again.
    ChunkPipe(Semaphore budget, Consumer<byte[]> done) {
        this.budget = budget;
        this.done = done;
    }

    /// Hands over `chunk`, which is the pipe's from now on and not empty; waits while the budget is spent.
    /// @return false when the unpacker wants no more
    boolean put(byte[] chunk) throws InterruptedIOException {
        try {
            budget.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
        synchronized (this) {
            if (abandoned) {
                budget.release();
                return false;
            }
            chunks.add(chunk);
            notifyAll();
            return true;
        }
    }

    /// A stream that hands over what is written to it, each write as it comes; closing it ends nothing.
    OutputStream output() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                if (length > 0 && !put(Arrays.copyOfRange(bytes, offset, offset + length))) {
                    throw new IOException("the layer is not wanted any more");
                }
            }
        };
    }

    /// All bytes were handed over.
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /// No further bytes will come, because of `cause`; the unpacker gets it after the bytes that are here.
    synchronized void fail(IOException cause) {
        failure = cause;
        end();
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (at == current.length && !next()) {
            return -1;
        }
        int count = Math.min(length, current.length - at);
        System.arraycopy(current, at, buffer, offset, count);
        at += count;
        return count;
    }

    private synchronized boolean next() throws IOException {
        if (current.length > 0) {
            done.accept(current);
            current = new byte[0];
            at = 0;
            budget.release();
        }
        while (chunks.isEmpty()) {
            if (failure != null) {
                throw failure;
            }
            if (ended) {
                return false;
            }
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            }
        }
        current = chunks.remove();
        return true;
    }

    /// The unpacker wants no more: chunks that are here or come are dropped.
    @Override
    public synchronized void close() {
        abandoned = true;
        budget.release(chunks.size() + (current.length > 0 ? 1 : 0));
        chunks.clear();
        current = new byte[0];
        at = 0;
    }
}
