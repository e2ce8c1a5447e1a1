package carafe.cli.build;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/// A stream of unknown length made one of several in another: pieces, each its length (four bytes) and as many bytes,
/// ended by one of length 0. Closes what it reads.
public final class Pieces extends InputStream {

    private static final int PIECE = 64 << 10;

    private final InputStream in;
    private ByteBuffer piece = ByteBuffer.allocate(0);
    private boolean ended;

    /// The pieces of `in`.
    public Pieces(InputStream in) {
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
        if (!piece.hasRemaining()) {
            if (ended) {
                return -1;
            }
            byte[] bytes = in.readNBytes(PIECE);
            ended = bytes.length == 0;
            piece = ByteBuffer.allocate(4 + bytes.length).putInt(bytes.length).put(bytes).flip();
        }
        int count = Math.min(length, piece.remaining());
        piece.get(buffer, offset, count);
        return count;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
