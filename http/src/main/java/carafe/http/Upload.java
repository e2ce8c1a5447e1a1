package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Sends a request's body, in chunks or with its length known, while the answer is read. Owns the body's stream.
final class Upload extends Thread {

    private static final int PIECE = 64 << 10;

    private final ClientRequest.Body body;
    private final Wire wire;
    private volatile boolean complete;
    private volatile @Nullable IOException unreadable;

    private Upload(ClientRequest.Body body, Wire wire) {
        super("carafe-upload");
        setDaemon(true);
        this.body = body;
        this.wire = wire;
    }

    /// To be started; null when `body` goes with the header.
    static @Nullable Upload of(ClientRequest.Body body, Wire wire) {
        boolean apart = body instanceof ClientRequest.Body.Streamed
                || body instanceof ClientRequest.Body.Sized
                || body instanceof ClientRequest.Body.Written;
        return apart ? new Upload(body, wire) : null;
    }

    /// Whether all of it has been sent.
    boolean complete() {
        return complete;
    }

    /// Why the body could not be had, if that is so.
    @Nullable IOException unreadable() {
        return unreadable;
    }

    @Override
    public void run() {
        try {
            if (body instanceof ClientRequest.Body.Streamed streamed) {
                try (var stream = streamed.stream()) {
                    sendChunks(stream);
                }
            } else if (body instanceof ClientRequest.Body.Sized sized) {
                try (var stream = sized.stream()) {
                    sendAll(stream, sized.length());
                }
            } else if (body instanceof ClientRequest.Body.Written written) {
                sendWritten(written.writer());
            }
            complete = true;
        } catch (IOException e) {
            if (unreadable != null) {
                wire.close(); // the server must not take the torn body for a whole one, nor wait for its rest
            } // else the server does not want more: its answer says why
        } catch (RuntimeException | Error e) { // a fault of what makes the body: nobody is to wait for the rest
            unreadable = new IOException(e.toString(), e);
            wire.close();
        }
    }

    private void sendChunks(InputStream stream) throws IOException {
        var piece = new byte[PIECE];
        for (int read = next(stream, piece, PIECE - 2); read >= 0; read = next(stream, piece, PIECE - 2)) {
            if (read > 0) {
                wire.write(size(read), end(piece, read));
            }
        }
        wire.write(last());
    }

    private void sendAll(InputStream stream, long length) throws IOException {
        var piece = new byte[PIECE];
        long left = length;
        while (left > 0) {
            int read = next(stream, piece, (int) Math.min(PIECE, left));
            if (read < 0) {
                var torn = new EOFException("it ends " + left + " bytes early");
                unreadable = torn;
                throw torn;
            }
            wire.write(ByteBuffer.wrap(piece, 0, read));
            left -= read;
        }
    }

    private void sendWritten(ClientRequest.Writer writer) throws IOException {
        var chunks = new Chunks();
        try {
            writer.writeTo(chunks);
        } catch (IOException | RuntimeException e) {
            if (!chunks.failed) {
                unreadable = e instanceof IOException known ? known : new IOException(e.toString(), e);
            }
            throw e instanceof IOException known ? known : new IOException(e.toString(), e);
        }
        wire.write(last());
    }

    private int next(InputStream stream, byte[] piece, int room) throws IOException {
        try {
            return stream.read(piece, 0, room);
        } catch (IOException e) {
            unreadable = e;
            throw e;
        }
    }

    private static ByteBuffer size(int bytes) {
        return ByteBuffer.wrap((Integer.toHexString(bytes) + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    private static ByteBuffer end(byte[] piece, int filled) {
        piece[filled] = '\r';
        piece[filled + 1] = '\n';
        return ByteBuffer.wrap(piece, 0, filled + 2);
    }

    private static ByteBuffer last() {
        return ByteBuffer.wrap("0\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
    }

    /// Makes a chunk of each piece that is written.
    private final class Chunks extends OutputStream {

        private boolean failed;

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            if (length == 0) {
                return; // it would be the last chunk
            }
            try {
                wire.write(size(length), ByteBuffer.wrap(from, offset, length));
                wire.write(ByteBuffer.wrap(new byte[] {'\r', '\n'}));
            } catch (IOException e) {
                failed = true;
                throw e;
            }
        }
    }
}
