package carafe.engine;

import carafe.spec.EngineException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Reads one container's log for one client, and goes on at its end while the container runs if the client follows.
/// Reading, converting and waiting happen on the client's thread; [#wake] and [#close] may come from others.
final class LogReader implements ByteSource {
    private static final int INPUT = 256 * 1024;
    private static final int OUTPUT = 128 * 1024;
    private static final int SAFETY_SECONDS = 5;

    private final LogFiles files;
    private final LogRecords records;
    private final Semaphore wakeups = new Semaphore(0);
    private final Object lock = new Object(); // guards `files` against being closed while they are read
    private byte[] in = new byte[INPUT];
    private byte[] out = new byte[OUTPUT];
    private int filled;
    private volatile boolean following;
    private volatile boolean closed;
    private @Nullable Runnable onClose;

    /// `following`: whether more may come; [#end] says when no longer.
    LogReader(Path log, LogQuery query, LogRecords records, boolean following) throws IOException {
        this.files = LogFiles.open(log, query.tail());
        this.records = records;
        this.following = following;
    }

    /// What to do once when the client leaves.
    void onClose(Runnable action) {
        onClose = action;
    }

    /// The log may have grown.
    void wake() {
        if (wakeups.availablePermits() == 0) {
            wakeups.release();
        }
    }

    /// The log has grown for the last time.
    void end() {
        following = false;
        wakeups.release();
    }

    @Override
    public Optional<ByteBuffer> next() throws EngineException, InterruptedException {
        while (!closed) {
            boolean more = following; // read before the file: what came before the end is then in the file
            int produced = convert();
            if (produced > 0) {
                return Optional.of(ByteBuffer.wrap(out, 0, produced));
            }
            if (records.pastUntil() || !more) {
                return Optional.empty();
            }
            boolean woken = wakeups.tryAcquire(SAFETY_SECONDS, TimeUnit.SECONDS);
            if (woken) {
                wakeups.drainPermits();
            }
        }
        return Optional.empty();
    }

    @Override
    public void close() {
        Runnable action;
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            action = onClose;
            try {
                files.close();
            } catch (IOException e) {
                throw new AssertionError("closing a file that was only read failed", e);
            }
        }
        if (action != null) {
            action.run();
        }
        wakeups.release();
    }

    /// Converts records until the output is full or the input ends; answers the bytes in the output.
    private int convert() throws EngineException {
        int produced = 0;
        while (!records.pastUntil()) {
            int consumed = 0;
            int newline;
            while ((newline = LogRecords.newline(in, consumed, filled)) < filled) {
                int most = records.mostOutput(newline - consumed);
                if (produced + most > out.length) {
                    if (produced > 0) {
                        compact(consumed);
                        return produced;
                    }
                    out = new byte[most]; // a record of foreign make, larger than any of ours
                }
                produced = records.convert(in, consumed, newline, out, produced);
                consumed = newline + 1;
            }
            compact(consumed);
            if (filled == in.length) {
                filled = 0; // a "record" without an end: not a log of ours, skip it
            }
            int count = read();
            if (count == 0) {
                return produced;
            }
            filled += count;
        }
        return produced;
    }

    private int read() throws EngineException {
        synchronized (lock) {
            if (closed) {
                return 0;
            }
            try {
                return files.read(in, filled);
            } catch (IOException e) {
                throw Failures.io("cannot read the log", e);
            }
        }
    }

    private void compact(int consumed) {
        System.arraycopy(in, consumed, in, 0, filled - consumed);
        filled -= consumed;
    }
}
