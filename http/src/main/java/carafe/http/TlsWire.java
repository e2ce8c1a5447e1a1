package carafe.http;

import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/// A TCP socket with TLS. Half-close needs TLS 1.3; with 1.2 the end of one way is the end of both.
/// Source: RFC 8446 §6.1.
final class TlsWire implements Wire {

    private static final int PIECE = 16 << 10; // a TLS record

    private final Socket socket;
    private final SSLSocket tls;
    private final BooleanSupplier askedInVain;
    private final @Nullable Origin peer;
    private volatile boolean broken;
    private volatile boolean heard;

    /// Owns both; `tls` runs over `socket`.
    TlsWire(Socket socket, SSLSocket tls) {
        this(socket, tls, () -> false, null);
    }

    /// The same for a client. `askedInVain`: `peer` wanted a certificate of ours and got none.
    TlsWire(Socket socket, SSLSocket tls, BooleanSupplier askedInVain, @Nullable Origin peer) {
        this.socket = socket;
        this.tls = tls;
        this.askedInVain = askedInVain;
        this.peer = peer;
    }

    /// Shakes hands, which checks certificates. Blocks.
    void handshake() throws IOException {
        try {
            tls.startHandshake();
        } catch (IOException e) {
            throw reason(e);
        }
    }

    /// A server that gets no certificate ends the connection, with TLS 1.3 after the client thinks that all is well.
    private IOException reason(IOException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException || cause instanceof CertPathValidatorException) {
                return e; // it is we who do not believe the server
            }
            if (cause instanceof InterruptedIOException || cause instanceof Stalled) {
                return e; // it said nothing in time
            }
        }
        return !heard && peer != null && askedInVain.getAsBoolean() ? new CertificateWanted(peer, e) : e;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        try {
            if (into.hasArray()) {
                int offset = into.arrayOffset() + into.position();
                int read = tls.getInputStream().read(into.array(), offset, into.remaining());
                into.position(into.position() + Math.max(read, 0));
                heard |= read > 0;
                return read;
            }
            var bytes = new byte[Math.min(PIECE, into.remaining())];
            int read = tls.getInputStream().read(bytes);
            if (read > 0) {
                into.put(bytes, 0, read);
                heard = true;
            }
            return read;
        } catch (IOException e) {
            broken = true;
            throw reason(e);
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
            throw reason(e);
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
