package carafe.image;

import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;

/// Little-endian numbers and bytes written one behind the other into a file, from some offset on, and hashed.
final class ErofsOutput {

    private static final int BUFFER = 128 << 10;
    private static final byte[] ZEROS = new byte[4096];

    private final Fd file;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    private final MessageDigest hash = Digest.Algorithm.SHA256.hasher();
    private long flushed;

    ErofsOutput(Fd file, long start) {
        this.file = file;
        this.flushed = start;
    }

    /// Where in the file the next byte goes.
    long position() {
        return flushed + buffer.position();
    }

    private void need(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            flush();
        }
    }

    void putShort(int value) throws IOException {
        need(Short.BYTES);
        buffer.putShort((short) value);
    }

    void putInt(int value) throws IOException {
        need(Integer.BYTES);
        buffer.putInt(value);
    }

    void putLong(long value) throws IOException {
        need(Long.BYTES);
        buffer.putLong(value);
    }

    void put(byte[] bytes) throws IOException {
        put(bytes, bytes.length);
    }

    private void put(byte[] bytes, int length) throws IOException {
        for (int at = 0; at < length; ) {
            need(1);
            int part = Math.min(length - at, buffer.remaining());
            buffer.put(bytes, at, part);
            at += part;
        }
    }

    /// Writes zeros.
    void pad(long bytes) throws IOException {
        if (bytes < 0) {
            throw new AssertionError("something was written over its place, by " + -bytes + " bytes");
        }
        for (long left = bytes; left > 0; ) {
            int part = (int) Math.min(left, ZEROS.length);
            put(ZEROS, part);
            left -= part;
        }
    }

    /// Hands what was put to the kernel.
    void flush() throws IOException {
        FdStream.writeAt(file, flushed, buffer.array(), 0, buffer.position());
        hash.update(buffer.array(), 0, buffer.position());
        flushed += buffer.position();
        buffer.clear();
    }

    /// The hash of all that was flushed, to which more may be added.
    MessageDigest hash() {
        return hash;
    }
}
