package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import javax.net.ssl.SSLSocket;

/// A TCP socket with TLS. Half-close needs TLS 1.3; with 1.2 the end of one way is the end of both.
/// Source: RFC 8446 §6.1.
final class TlsWire implements Wire {

    private static final int PIECE = 16 << 10; // a TLS record

    private final Socket socket;
    private final SSLSocket tls;
    private volatile boolean broken;

    /// Owns both; `tls` runs over `socket`.
    TlsWire(Socket socket, SSLSocket tls) {
        this.socket = socket;
        this.tls = tls;
    }

    /// Shakes hands, which checks certificates. Blocks.
    void handshake() throws IOException {
        tls.startHandshake();
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        try {
            if (into.hasArray()) {
                int offset = into.arrayOffset() + into.position();
                int read = tls.getInputStream().read(into.array(), offset, into.remaining());
                into.position(into.position() + Math.max(read, 0));
                return read;
            }
            var bytes = new byte[Math.min(PIECE, into.remaining())];
            int read = tls.getInputStream().read(bytes);
            if (read > 0) {
                into.put(bytes, 0, read);
            }
            return read;
        } catch (IOException e) {
            broken = true;
            throw e;
        }
    }

    @Override
    public void write(ByteBuffer from) throws IOException {
        try {
            if (from.hasArray()) {
                tls.getOutputStream().write(from.array(), from.arrayOffset() + from.position(), from.remaining());
                from.position(from.limit());
                return;
            }
            var bytes = new byte[Math.min(PIECE, from.remaining())];
            while (from.hasRemaining()) {
                int piece = Math.min(bytes.length, from.remaining());
                from.get(bytes, 0, piece);
                tls.getOutputStream().write(bytes, 0, piece);
            }
        } catch (IOException e) {
            broken = true;
            throw e;
        }
    }

    @Override
    public void write(ByteBuffer first, ByteBuffer second) throws IOException {
        write(first);
        write(second);
    }

    @Override
    public void transfer(FileChannel file, long offset, long length) throws IOException {
        var piece = ByteBuffer.allocate((int) Math.min(4L * PIECE, length));
        long at = offset;
        long end = offset + length;
        while (at < end) {
            piece.clear().limit((int) Math.min(piece.capacity(), end - at));
            int read = file.read(piece, at);
            if (read <= 0) {
                broken = true;
                throw new EOFException("the file ends before the answer does");
            }
            write(piece.flip());
            at += read;
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        tls.shutdownOutput();
    }

    @Override
    public boolean broken() {
        return broken || socket.isClosed();
    }

    @Override
    public boolean tellsStale() {
        return false;
    }

    @Override
    public boolean stale() {
        return false;
    }

    @Override
    public boolean canHangUp() {
        return false;
    }

    @Override
    public boolean hungUp() {
        return false;
    }

    @Override
    public void close() {
        try {
            socket.close(); // not through TLS, whose farewell could block behind a peer that does not read
        } catch (IOException e) {
            broken = true; // the descriptor is gone either way
        }
    }
}
