package carafe.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/// A piece of a stream that is deflated apart from the others: it has the end of the piece before as its dictionary, so
/// nothing is lost at the cut, and ends at a byte's border, so that the pieces one after the other are one deflate
/// stream. What would not get smaller (archives, pictures) is found out by samples and stored as it is.
///
/// One thread fills and writes it, another deflates it meanwhile; once written it may be filled again.
/// Source: RFC 1951; zlib.h, deflateSetDictionary and Z_SYNC_FLUSH.
final class DeflatedPiece {

    static final int BYTES = 512 << 10;

    private static final int WINDOW = 32 << 10;
    private static final int SAMPLES = 8;
    private static final int SAMPLE_BYTES = 1 << 10;
    private static final int MOST_STORED = 0xFFFF;
    private static final int MOST_PACKED = BYTES + BYTES / 64 + 64; // more than zlib's deflateBound and its marker
    private static final int WORTH_IT = 99; // percent that must be left at most of what was sampled

    private final Deflater deflater;
    private final byte[] plain = new byte[WINDOW + BYTES]; // the dictionary ends and the piece begins at WINDOW
    private final byte[] packed = new byte[MOST_PACKED];
    private int dictionaryLength;
    private int length;
    private int packedLength;
    private @Nullable Future<?> work;

    /// One that is deflated as hard as zlib's `level` says.
    DeflatedPiece(int level) {
        deflater = new Deflater(level, true);
    }

    /// Takes the next bytes of `from`, all that is left or a full piece; `crc` sees them. How many they are.
    int fill(InputStream from, @Nullable DeflatedPiece before, CRC32 crc) throws IOException {
        dictionaryLength = before == null ? 0 : WINDOW; // one that others follow is full
        if (before != null) {
            System.arraycopy(before.plain, BYTES, plain, 0, WINDOW);
        }
        length = from.readNBytes(plain, WINDOW, BYTES);
        crc.update(plain, WINDOW, length);
        return length;
    }

    /// Whether it ends the stream.
    boolean isLast() {
        return length < BYTES;
    }

    /// Has it deflated by one of `workers`.
    void begin(ExecutorService workers) {
        work = workers.submit(this::deflate);
    }

    /// Waits until it is deflated, and writes it.
    void writeTo(OutputStream out) throws IOException {
        try {
            if (work != null) {
                work.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("cancelled");
        } catch (ExecutionException e) {
            throw new IOException("the layer could not be compressed: " + e.getCause(), e);
        }
        out.write(packed, 0, packedLength);
    }

    /// Frees what it holds outside of the heap; nobody may be deflating it.
    void end() {
        deflater.end();
    }

    private void deflate() {
        if (!isWorthIt()) {
            store();
            return;
        }
        deflater.reset();
        if (dictionaryLength > 0) {
            deflater.setDictionary(plain, WINDOW - dictionaryLength, dictionaryLength);
        }
        deflater.setInput(plain, WINDOW, length);
        if (isLast()) {
            deflater.finish();
        }
        // In one call: one that ends where the room does is followed by another marker, and the bytes would differ.
        packedLength = deflater.deflate(packed, 0, packed.length, Deflater.SYNC_FLUSH);
        if (packedLength == packed.length) {
            throw new IllegalStateException(length + " bytes became more than " + packedLength);
        }
    }

    /// Whether samples of the piece get smaller; always for the last.
    private boolean isWorthIt() {
        if (isLast()) {
            return true;
        }
        byte[] out = new byte[SAMPLE_BYTES];
        int left = 0;
        for (int i = 0; i < SAMPLES; i++) {
            deflater.reset();
            deflater.setInput(plain, WINDOW + i * (BYTES / SAMPLES), SAMPLE_BYTES);
            deflater.finish();
            left += deflater.deflate(out);
        }
        return left * 100 <= SAMPLES * SAMPLE_BYTES * WORTH_IT;
    }

    /// Stored blocks: three bits and padding, the length, its complement, the bytes.
    private void store() {
        var blocks = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < length; at += MOST_STORED) {
            int taken = Math.min(MOST_STORED, length - at);
            blocks.put((byte) 0).putShort((short) taken).putShort((short) ~taken).put(plain, WINDOW + at, taken);
        }
        packedLength = blocks.position();
    }
}
