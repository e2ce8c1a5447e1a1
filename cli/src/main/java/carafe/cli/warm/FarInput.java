package carafe.cli.warm;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Standard input of a process elsewhere: each piece is asked for, so that what nobody reads stays where it is.
final class FarInput extends InputStream {

    /// Asks for one more piece.
    @FunctionalInterface
    interface Wish {
        void want() throws IOException;
    }

    private final Wish wish;
    private byte @Nullable [] piece; // guarded by this, as all below
    private int at;
    private boolean asked;
    private boolean ended;

    FarInput(Wish wish) {
        this.wish = wish;
    }

    /// A piece has come; an empty one is the end.
    synchronized void add(byte[] bytes) {
        asked = false;
        piece = bytes;
        at = 0;
        ended |= bytes.length == 0;
        notifyAll();
    }

    /// Nothing more comes.
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public synchronized int read(byte[] into, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, into.length);
        if (length == 0) {
            return 0;
        }
        while (piece == null || at == piece.length) {
            if (ended) {
                return -1;
            }
            if (!asked) {
                asked = true;
                wish.want();
            }
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for input", e);
            }
        }
        int count = Math.min(length, piece.length - at);
        System.arraycopy(piece, at, into, offset, count);
        at += count;
        return count;
    }
}
