package carafe.http;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/// An answer of unknown length on its way: its head, then chunks (or bytes until close). Small writes are gathered
/// until a flush or until the buffer is full, so that each chunk is one system call. One writer at a time.
final class StreamedAnswer extends OutputStream {

    /// How the client learns where the body ends.
    enum Framing { CHUNKED, SIZED, UNTIL_CLOSE, NO_BODY }

    private static final int BUFFER = 32 << 10;
    private static final int SIZE_LINE = 10; // eight hexadecimal digits and CRLF
    private static final byte[] LAST_CHUNK = {'0', '\r', '\n', '\r', '\n'};

    private final Wire wire;
    private final Framing framing;
    private final ByteBuffer head;
    private final Runnable onStart;
    private final Runnable onEnd;
    private final byte[] buffer = new byte[SIZE_LINE + BUFFER + 2 + LAST_CHUNK.length];
    private int filled = SIZE_LINE; // data stands between SIZE_LINE and here
    private boolean closed;
    private long owed; // of a sized answer

    /// `onStart` runs right before the head goes out, `onEnd` right before the end does.
    StreamedAnswer(Wire wire, Framing framing, ByteBuffer head, Runnable onStart, Runnable onEnd) {
        this.wire = wire;
        this.framing = framing;
        this.head = head;
        this.onStart = onStart;
        this.onEnd = onEnd;
    }

    /// An answer of `length` bytes.
    StreamedAnswer sized(long length) {
        owed = length;
        return this;
    }

    /// Drops an answer that has not started.
    void abandon() {
        closed = true;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, from.length);
        requireOpen();
        if (framing == Framing.NO_BODY) {
            return;
        }
        if (framing == Framing.SIZED) {
            owed -= length;
            if (owed < 0) {
                throw new IOException("the answer is longer than its head said");
            }
        }
        if (framing != Framing.CHUNKED && length >= BUFFER) {
            send(false); // what is gathered goes first, then the rest as it is
            wire.write(ByteBuffer.wrap(from, offset, length));
            return;
        }
        int done = 0;
        while (done < length) {
            if (filled == SIZE_LINE + BUFFER) {
                send(false);
            }
            int piece = Math.min(length - done, SIZE_LINE + BUFFER - filled);
            System.arraycopy(from, offset + done, buffer, filled, piece);
            filled += piece;
            done += piece;
        }
    }

    @Override
    public void flush() throws IOException {
        requireOpen();
        send(false);
    }

    @Override
    public void close() throws IOException {
        if (!closed) {
            closed = true;
            onEnd.run();
            send(true);
            if (framing == Framing.SIZED && owed > 0) {
                throw new IOException("the answer is shorter than its head said");
            }
        }
    }

    private void send(boolean last) throws IOException {
        int from = SIZE_LINE;
        int to = filled;
        filled = SIZE_LINE;
        if (framing == Framing.CHUNKED) {
            if (to > from) {
                from = putSizeLine(to - from);
                buffer[to++] = '\r';
                buffer[to++] = '\n';
            }
            if (last) {
                System.arraycopy(LAST_CHUNK, 0, buffer, to, LAST_CHUNK.length);
                to += LAST_CHUNK.length;
            }
        }
        var data = ByteBuffer.wrap(buffer, from, to - from);
        if (head.hasRemaining()) {
            onStart.run();
            wire.write(head, data);
        } else if (data.hasRemaining()) {
            wire.write(data);
        }
    }

    /// Writes the size right before the data and returns where it begins.
    private int putSizeLine(int size) {
        int at = SIZE_LINE;
        buffer[--at] = '\n';
        buffer[--at] = '\r';
        for (int left = size; left > 0; left >>>= 4) {
            buffer[--at] = (byte) Character.forDigit(left & 0xf, 16);
        }
        return at;
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the answer is closed");
        }
    }
}
