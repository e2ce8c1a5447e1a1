package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What arrives on a connection: one buffer that heads, bodies and raw streams are read from in turn, so that bytes
/// behind a head are never lost to the next reader.
///
/// While a server's handler runs and the body is read, a watcher may read ahead, for that is the only way to learn
/// that the client left. At most one thread reads the wire at a time (`reading`); it appends behind `end`, while others
/// take from `start` under the lock. Only the reading thread moves or replaces `bytes`, before it reads.
final class Inbound {

    private static final int SMALL = 8 << 10;
    private static final int WATCH_AHEAD = 64 << 10;

    private final Wire wire;

    /// Guards every field below.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private byte[] bytes = new byte[SMALL];
    private int start;
    private int end;
    private boolean ended;
    private boolean reading;
    private boolean watching;
    private @Nullable IOException failure;
    private @Nullable Runnable gone;

    Inbound(Wire wire) {
        this.wire = wire;
    }

    /// The bytes of the next message head, with its closing empty line; null when the peer ends before a first byte.
    /// `started` runs once its first byte is there.
    /// @throws HttpException 414 when its first line is too long, 431 when the rest is
    byte @Nullable [] head(int lineBytes, int headerBytes, Runnable started) throws IOException {
        int scanned = 0;
        int line = -1;
        boolean announced = false;
        while (true) {
            lock.lock();
            try {
                skipEmptyLines(scanned);
                if (end > start && (bytes[start] <= ' ' && bytes[start] != '\r' || bytes[start] == 0x7f)) {
                    throw new HttpException(400, "this is not HTTP"); // TLS begins so: its client need not wait
                }
                if (line < 0) {
                    int past = past("\r\n", start + Math.max(0, scanned - 1));
                    line = past < 0 ? -1 : past - start;
                }
                int past = line < 0 ? -1 : past("\r\n\r\n", start + Math.max(line - 2, scanned - 3));
                int size = (past < 0 ? end : past) - start;
                if ((line < 0 ? size : line) > lineBytes) {
                    throw new HttpException(414, "the first line is longer than " + lineBytes + " bytes");
                }
                if (line >= 0 && size - line > headerBytes) {
                    throw new HttpException(431, "the header is longer than " + headerBytes + " bytes");
                }
                if (past >= 0) {
                    return take(size);
                }
                scanned = size;
            } finally {
                lock.unlock();
            }
            if (scanned > 0 && !announced) {
                announced = true;
                started.run();
            }
            if (!more(scanned)) {
                if (scanned == 0) {
                    return null;
                }
                throw new EOFException("the connection ended inside a header");
            }
        }
    }

    /// The next line without its CRLF, which must come within `limitBytes`.
    String line(int limitBytes) throws IOException {
        int scanned = 0;
        while (true) {
            lock.lock();
            try {
                int past = past("\r\n", start + Math.max(0, scanned - 1));
                if (past >= 0 && past - start <= limitBytes) {
                    byte[] line = take(past - start);
                    return new String(line, 0, line.length - 2, StandardCharsets.ISO_8859_1);
                }
                scanned = end - start;
                if (past >= 0 || scanned > limitBytes) {
                    throw new HttpException(400, "the body's framing has a line longer than " + limitBytes + " bytes");
                }
            } finally {
                lock.unlock();
            }
            if (!more(scanned)) {
                throw new EOFException("the connection ended inside the body");
            }
        }
    }

    /// Takes what is buffered, else reads from the wire; -1 at the peer's end.
    int read(ByteBuffer into) throws IOException {
        lock.lock();
        try {
            awaitTurn(0);
            if (end > start) {
                int taken = Math.min(end - start, into.remaining());
                into.put(bytes, start, taken);
                start += taken;
                return taken;
            }
            if (atEnd()) {
                return -1;
            }
            reading = true;
        } finally {
            lock.unlock();
        }
        return readWire(into, false);
    }

    /// Runs `action` once, on this or the watcher's thread, when the peer ends or fails while it is watched. A peer
    /// that has sent a lot ahead is no longer watched.
    void watch(Runnable action) {
        boolean now;
        lock.lock();
        try {
            now = ended || failure != null;
            gone = now ? null : action;
            if (!now && !watching) {
                watching = true;
                Thread.ofVirtual().name("carafe-http-watch").start(this::watchWire);
            }
        } finally {
            lock.unlock();
        }
        if (now) {
            action.run();
        }
    }

    /// Forgets the watched action. A read that is under way goes on and its bytes are kept.
    void unwatch() {
        lock.lock();
        try {
            gone = null;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void watchWire() {
        while (true) {
            Runnable due;
            lock.lock();
            try {
                while (reading && gone != null) {
                    changed.awaitUninterruptibly();
                }
                boolean over = ended || failure != null;
                if (gone != null && !over && end - start < WATCH_AHEAD) {
                    makeRoom();
                    reading = true;
                    due = null;
                } else {
                    watching = false;
                    due = over ? gone : null;
                    gone = null;
                    if (due == null) {
                        return;
                    }
                }
            } finally {
                lock.unlock();
            }
            if (due != null) {
                due.run();
                return;
            }
            try {
                readWire(ByteBuffer.wrap(bytes, end, bytes.length - end), true);
            } catch (IOException e) {
                continue; // kept in `failure`
            }
        }
    }

    /// Waits for more than the `known` bytes that are buffered; false at the peer's end.
    private boolean more(int known) throws IOException {
        lock.lock();
        try {
            awaitTurn(known);
            if (end - start > known) {
                return true;
            }
            if (atEnd()) {
                return false;
            }
            makeRoom();
            reading = true;
        } finally {
            lock.unlock();
        }
        return readWire(ByteBuffer.wrap(bytes, end, bytes.length - end), true) >= 0;
    }

    private void awaitTurn(int known) {
        while (reading && end - start <= known) {
            changed.awaitUninterruptibly();
        }
    }

    private boolean atEnd() throws IOException {
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
        return ended;
    }

    /// The caller has set `reading`.
    private int readWire(ByteBuffer into, boolean append) throws IOException {
        int read = 0;
        IOException thrown = null;
        try {
            read = wire.read(into);
            return read;
        } catch (IOException e) {
            thrown = e;
            throw e;
        } finally {
            lock.lock();
            try {
                reading = false;
                failure = thrown;
                ended = read < 0;
                if (append && read > 0) {
                    end += read;
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void makeRoom() {
        if (start == end) {
            start = 0;
            end = 0;
            if (bytes.length > SMALL) {
                bytes = new byte[SMALL];
            }
        } else if (end == bytes.length) {
            byte[] room = start > bytes.length / 2 ? bytes : new byte[2 * bytes.length];
            System.arraycopy(bytes, start, room, 0, end - start);
            bytes = room;
            end -= start;
            start = 0;
        }
    }

    private void skipEmptyLines(int scanned) {
        if (scanned <= 2) {
            while (end - start >= 2 && bytes[start] == '\r' && bytes[start + 1] == '\n') {
                start += 2; // RFC 9112 §2.2
            }
        }
    }

    private byte[] take(int size) {
        byte[] taken = Arrays.copyOfRange(bytes, start, start + size);
        start += size;
        return taken;
    }

    private int past(String mark, int from) {
        for (int i = from; i + mark.length() <= end; i++) {
            int matched = 0;
            while (matched < mark.length() && bytes[i + matched] == mark.charAt(matched)) {
                matched++;
            }
            if (matched == mark.length()) {
                return i + matched;
            }
        }
        return -1;
    }
}
