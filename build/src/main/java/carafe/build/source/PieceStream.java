package carafe.build.source;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/// One of several streams in another: pieces, each a length (four bytes, the highest first) and as many bytes; the length
/// 0 ends it. Closing reads to its end and leaves what follows.
final class PieceStream extends InputStream {

    private static final int MAX_PIECE = 16 << 20;

    private final InputStream in;
    private int left;
    private boolean ended;

    PieceStream(InputStream in) {
        this.in = in;
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
        if (left == 0 && !begin()) {
            return -1;
        }
        int count = in.read(buffer, offset, Math.min(length, left));
        if (count < 0) {
            throw new EOFException("a context that is sent in pieces breaks off");
        }
        left -= count;
        return count;
    }

    private boolean begin() throws IOException {
        if (ended) {
            return false;
        }
        byte[] head = in.readNBytes(4);
        if (head.length < 4) {
            throw new EOFException("a context that is sent in pieces breaks off");
        }
        left = (head[0] & 0xFF) << 24 | (head[1] & 0xFF) << 16 | (head[2] & 0xFF) << 8 | head[3] & 0xFF;
        if (left < 0 || left > MAX_PIECE) {
            throw new IOException("a context that is sent in pieces has one of " + Integer.toUnsignedString(left) + " bytes");
        }
        ended = left == 0;
        return !ended;
    }

    @Override
    public void close() throws IOException {
        byte[] rest = new byte[8192];
        while (read(rest, 0, rest.length) >= 0) {
            continue;
        }
    }
}
