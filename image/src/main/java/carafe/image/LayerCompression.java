package carafe.image;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.OptionalInt;
import java.util.concurrent.Executors;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/// Makes a blob of a layer's tar again: a zstd frame where that is asked for, else a gzip of one member, on as many
/// processors as there are, up to eight. For gzip the tar is cut into pieces that are deflated side by side and written in
/// their order. The same tar gives the same bytes, on every machine with the same version, however many processors it has.
/// Source: RFC 1952; the way of cutting is pigz's.
final class LayerCompression {

    private static final int MOST_THREADS = 8;
    private static final int USUAL_LEVEL = 1;
    private static final int BEST_LEVEL = 9;
    private static final int ZSTD_LEVEL = 3;
    private static final int COPIED = 128 << 10;

    private LayerCompression() {}

    /// Compresses `tar` to `out`, which is flushed and stays open.
    static Descriptor gzip(InputStream tar, OutputStream out) throws IOException {
        return gzip(tar, out, USUAL_LEVEL);
    }

    /// The same as hard as zlib's `level` says.
    static Descriptor gzip(InputStream tar, OutputStream out, int level) throws IOException {
        return gzip(tar, out, level, Math.min(Runtime.getRuntime().availableProcessors(), MOST_THREADS));
    }

    /// The same on `threads` threads of its own, holding a piece for each and one more.
    static Descriptor gzip(InputStream tar, OutputStream out, int level, int threads) throws IOException {
        var hashing = new Hashing(out);
        var begun = new ArrayDeque<DeflatedPiece>();
        var workers = Executors.newFixedThreadPool(threads, Thread.ofPlatform().daemon().name("deflate-", 0).factory());
        try (workers) {
            var crc = new CRC32();
            long length = 0;
            hashing.write(header(level));
            @Nullable DeflatedPiece last = null;
            while (last == null || !last.isLast()) {
                DeflatedPiece piece;
                if (begun.size() <= threads) {
                    piece = new DeflatedPiece(level);
                } else {
                    piece = begun.getFirst();
                    piece.writeTo(hashing);
                    begun.removeFirst();
                }
                begun.addLast(piece);
                length += piece.fill(tar, last, crc);
                piece.begin(workers);
                last = piece;
            }
            for (var piece : begun) {
                piece.writeTo(hashing);
            }
            hashing.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN)
                    .putInt((int) crc.getValue()).putInt((int) length).array());
            hashing.flush();
        } finally {
            begun.forEach(DeflatedPiece::end);
        }
        return hashing.descriptor(MediaTypes.OCI_LAYER_GZIP);
    }

    /// No time, no system; whether it was the fastest or the best.
    private static byte[] header(int level) {
        int effort = level == USUAL_LEVEL ? 4 : level == BEST_LEVEL ? 2 : 0;
        return new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, (byte) effort, (byte) 0xff};
    }

    /// Compresses `tar` to `out`, which is flushed and stays open, as one zstd frame on this thread. An interrupt ends it.
    /// Source: RFC 8878.
    static Descriptor zstd(InputStream tar, OutputStream out, OptionalInt level) throws IOException {
        var hashing = new Hashing(out);
        try (var frame = new ZstdOutputStreamNoFinalizer(new Unclosed(hashing), level.orElse(ZSTD_LEVEL))) {
            byte[] buffer = new byte[COPIED];
            for (int count = tar.read(buffer); count >= 0; count = tar.read(buffer)) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("cancelled");
                }
                frame.write(buffer, 0, count);
            }
        }
        hashing.flush();
        return hashing.descriptor(MediaTypes.OCI_LAYER_ZSTD);
    }

    private static final class Unclosed extends FilterOutputStream {
        Unclosed(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            out.write(from, offset, length);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }

    private static final class Hashing extends FilterOutputStream {
        private final MessageDigest hash = Digest.Algorithm.SHA256.hasher();
        private long bytes;

        Hashing(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            out.write(from, offset, length);
            hash.update(from, offset, length);
            bytes += length;
        }

        Descriptor descriptor(String mediaType) {
            return Descriptor.of(mediaType, Digest.finish(Digest.Algorithm.SHA256, hash.digest()), bytes);
        }
    }
}
