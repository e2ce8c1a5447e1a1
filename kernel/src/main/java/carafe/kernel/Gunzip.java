package carafe.kernel;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.ZipException;

/// What is inside gzip's members, one after the other, each with its checksum and length verified. What follows the
/// last member and does not begin like one is left out, as gzip(1) has it. DEFLATE is libisal's where the host has it,
/// else the JDK's. Belongs to one thread; blocks as its source does. Source: RFC 1952.
final class Gunzip extends InputStream {

    private static final int BUFFER = 128 << 10;
    private static final int KEPT = 8;
    private static final int FIRST_PORTION = 2 << 10;
    private static final int MAX_TEXT_BYTES = 64 << 10; // of a name or a comment in a header
    private static final int FHCRC = 2;
    private static final int FEXTRA = 4;
    private static final int FNAME = 8;
    private static final int FCOMMENT = 16;
    private static final int RESERVED = 0xE0;

    private final InputStream source;
    private final Inflation inflation;
    private final CRC32 headerSum = new CRC32();
    private final CRC32 sum = new CRC32();
    private final byte[] in = new byte[KEPT + BUFFER]; // what was read before the last fill ends in the first bytes
    private int at = KEPT;
    private int end = KEPT;
    private int portion;
    private long length;
    private State state = State.BEFORE_FIRST;
    private boolean closed;

    private enum State { BEFORE_FIRST, INSIDE, ENDED }

    Gunzip(InputStream source, Inflation inflation) {
        this.source = source;
        this.inflation = inflation;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] to, int offset, int wanted) throws IOException {
        if (closed) {
            throw new IOException("the stream is closed");
        }
        if (wanted == 0) {
            return 0;
        }
        if (state == State.BEFORE_FIRST) {
            header();
        }
        while (state == State.INSIDE) {
            int count = inflate(to, offset, wanted);
            if (count > 0) {
                sum.update(to, offset, count);
                length += count;
                return count;
            }
            if (inflation.finished()) {
                at -= inflation.unused();
                trailer();
                next();
            } else if (fill()) {
                int given = Math.min(end - at, portion);
                inflation.input(in, at, given);
                at += given;
                portion = Math.min(BUFFER, portion * 2); // small at first, so that small members cost little
            } else {
                throw new EOFException("unexpected EOF");
            }
        }
        return -1;
    }

    private int inflate(byte[] to, int offset, int wanted) throws ZipException {
        try {
            return inflation.output(to, offset, wanted);
        } catch (DataFormatException e) {
            throw broken(String.valueOf(e.getMessage()));
        }
    }

    private void header() throws IOException {
        headerSum.reset();
        if (headerByte() != 0x1F || headerByte() != 0x8B) {
            throw broken("not in gzip format");
        }
        if (headerByte() != 8) {
            throw broken("unknown method of compression");
        }
        int flags = headerByte();
        if ((flags & RESERVED) != 0) {
            throw broken("unknown flags");
        }
        for (int i = 0; i < 6; i++) { // time, extra flags, operating system
            headerByte();
        }
        if ((flags & FEXTRA) != 0) {
            for (int left = headerByte() | headerByte() << 8; left > 0; left--) {
                headerByte();
            }
        }
        if ((flags & FNAME) != 0) {
            skipText();
        }
        if ((flags & FCOMMENT) != 0) {
            skipText();
        }
        if ((flags & FHCRC) != 0) {
            int expected = (int) headerSum.getValue() & 0xFFFF;
            if ((headerByte() | headerByte() << 8) != expected) {
                throw broken("wrong checksum of a header");
            }
        }
        sum.reset();
        length = 0;
        portion = FIRST_PORTION;
        state = State.INSIDE;
    }

    private void skipText() throws IOException {
        for (int bytes = 0; headerByte() != 0; bytes++) {
            if (bytes == MAX_TEXT_BYTES) {
                throw broken("a name of more than " + MAX_TEXT_BYTES + " bytes");
            }
        }
    }

    private int headerByte() throws IOException {
        int value = one();
        headerSum.update(value);
        return value;
    }

    private int one() throws IOException {
        if (!fill()) {
            throw new EOFException("unexpected EOF");
        }
        return in[at++] & 0xFF;
    }

    private long four() throws IOException {
        return one() | one() << 8 | one() << 16 | (long) one() << 24;
    }

    private void trailer() throws IOException {
        if (four() != sum.getValue()) {
            throw broken("wrong checksum");
        }
        if (four() != (length & 0xFFFF_FFFFL)) {
            throw broken("wrong length");
        }
    }

    /// Goes on to the next member, if there is one.
    private void next() throws IOException {
        if (!fill()) {
            state = State.ENDED;
            return;
        }
        int first = in[at++] & 0xFF;
        boolean another = first == 0x1F && fill() && in[at] == (byte) 0x8B;
        at--;
        if (another) {
            inflation.reset();
            header();
        } else {
            state = State.ENDED;
        }
    }

    /// Whether there is a byte at `at`, waiting for it if need be.
    private boolean fill() throws IOException {
        if (at < end) {
            return true;
        }
        System.arraycopy(in, end - KEPT, in, 0, KEPT);
        at = KEPT;
        end = KEPT + Math.max(0, source.read(in, KEPT, BUFFER));
        return at < end;
    }

    private static ZipException broken(String how) {
        return new ZipException(how);
    }

    /// Frees the memory and closes the source.
    @Override
    public void close() throws IOException {
        if (!closed) {
            closed = true;
            inflation.close();
            source.close();
        }
    }
}
