package carafe.image;

import carafe.kernel.Gzip;
import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import carafe.spec.tar.TarCompression;
import carafe.spec.tar.UnpackBounds;
import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.zip.ZipException;

/// The tar inside a blob: found plain, gzip, zstd, bzip2 or xz by its first bytes, never by what a document says of it.
/// Counts and hashes what passes, on both sides of the decompression, and stops a bomb, which is what [UnpackBounds] says.
///
/// Errors: [Broken] when the bytes are at fault; [carafe.spec.tar.Busy] when too many of its kind are read at a time; any
/// other [IOException] is the source's own.
final class LayerStream extends InputStream {

    /// The bytes are no tar in a compression that we know, or lie about themselves.
    static final class Broken extends IOException {
        Broken(String message) {
            super(message);
        }
    }

    private final Kind kind;
    private final UnpackBounds bounds;
    private final Counter blob;
    private final InputStream plain;
    private final TarCompression compression;
    private final MessageDigest plainHash = Digest.Algorithm.SHA256.hasher();
    private final OutputStream copy;
    private boolean plainHashing = true;
    private long plainBytes;

    /// What is wanted of xz's places: inside an archive that holds one, a layer must not wait for another of them.
    private enum Kind { ARCHIVE, LAYER }

    /// A layer's blob. Reads `source`, which the caller closes, and writes the tar to `copy` as it is read, which stays
    /// the caller's.
    LayerStream(InputStream source, UnpackBounds bounds, OutputStream copy) throws IOException {
        this(source, bounds, copy, Kind.LAYER);
    }

    private LayerStream(InputStream source, UnpackBounds bounds, OutputStream copy, Kind kind) throws IOException {
        this.kind = kind;
        this.bounds = bounds;
        this.copy = copy;
        this.blob = new Counter(source);
        byte[] head = blob.readNBytes(TarCompression.HEAD_BYTES);
        this.compression = TarCompression.of(head);
        blob.hashing = compressed();
        if (compressed()) {
            blob.hash.update(head);
        }
        var whole = new PushbackInputStream(blob, head.length + 1);
        whole.unread(head);
        this.plain = switch (compression) {
            case NONE -> whole;
            case GZIP -> Gzip.decompressing(whole);
            case ZSTD -> new ZstdInputStreamNoFinalizer(whole).setContinuous(false);
            case BZIP2, XZ -> kind == Kind.LAYER
                    ? compression.decompressingLayer(whole) : compression.decompressing(whole);
        };
    }

    private boolean compressed() {
        return compression != TarCompression.NONE;
    }

    /// A layer's blob whose tar somebody else hashes, if anybody: [#hashes] wants to be told.
    static LayerStream hashedElsewhere(InputStream source, UnpackBounds bounds) throws IOException {
        return unhashed(source, bounds, Kind.LAYER);
    }

    /// An archive that is no layer but may hold some; nobody hashes it.
    static LayerStream ofArchive(InputStream source) throws IOException {
        return unhashed(source, UnpackBounds.DEFAULT, Kind.ARCHIVE);
    }

    private static LayerStream unhashed(InputStream source, UnpackBounds bounds, Kind kind) throws IOException {
        var stream = new LayerStream(source, bounds, OutputStream.nullOutputStream(), kind);
        stream.plainHashing = false;
        return stream;
    }

    /// True when these first bytes of something are those of a compressed file.
    static boolean isCompressed(byte[] head) {
        return TarCompression.of(head) != TarCompression.NONE;
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
        int count;
        try {
            count = plain.read(buffer, offset, length);
        } catch (ZipException | EOFException e) {
            throw new Broken(e instanceof EOFException ? "unexpected EOF"
                    : "invalid " + compression.name().toLowerCase(Locale.ROOT) + " data: " + e.getMessage());
        } catch (ZstdIOException e) {
            throw new Broken("invalid zstd data: " + e.getMessage());
        }
        if (count > 0) {
            if (plainHashing) {
                plainHash.update(buffer, offset, count);
            }
            plainBytes += count;
            copy.write(buffer, offset, count);
            check();
        }
        return count;
    }

    private void check() throws Broken {
        var excess = compressed() ? bounds.excess(plainBytes, blob.bytes) : bounds.excess(plainBytes);
        if (excess.isPresent()) {
            throw new Broken((kind == Kind.LAYER ? "layer " : "the archive ") + excess.get());
        }
    }

    /// Reads and hashes what is left, as archives end with padding that nobody needs.
    void drain() throws IOException {
        byte[] waste = new byte[64 << 10];
        while (read(waste, 0, waste.length) >= 0) {
            // only passes through
        }
        while (blob.read(waste, 0, waste.length) >= 0) {
            // bytes behind the compressed data belong to the blob's digest
        }
    }

    /// Frees what the decompressor holds; the source stays open.
    @Override
    public void close() throws IOException {
        plain.close();
    }

    /// Bytes of the tar so far.
    long plainBytes() {
        return plainBytes;
    }

    /// Bytes of the blob so far.
    long blobBytes() {
        return blob.bytes;
    }

    /// The digest of the tar, after [#drain]; once.
    Hashes hashes() {
        return hashes(Digest.finish(Digest.Algorithm.SHA256, plainHash.digest()));
    }

    /// The same where `diffId` was found elsewhere.
    Hashes hashes(Digest diffId) {
        return new Hashes(diffId, compressed() ? Digest.finish(Digest.Algorithm.SHA256, blob.hash.digest()) : diffId,
                blob.bytes, plainBytes);
    }

    /// What a whole blob turned out to be.
    record Hashes(Digest diffId, Digest blob, long blobBytes, long plainBytes) {}

    /// Refuses `e` in the words of a user when it says that the bytes were at fault.
    static EngineException.Invalid invalid(Broken e) {
        return new EngineException.Invalid(String.valueOf(e.getMessage()));
    }

    /// Counts, and hashes when told to, what the decompressor takes.
    private static final class Counter extends FilterInputStream {
        private final MessageDigest hash = Digest.Algorithm.SHA256.hasher();
        private boolean hashing;
        private long bytes;

        Counter(InputStream in) {
            super(in);
        }

        @Override
        public void close() {
            // the source belongs to the caller
        }

        @Override
        public int read() throws IOException {
            int value = in.read();
            if (value >= 0) {
                bytes++;
                if (hashing) {
                    hash.update((byte) value);
                }
            }
            return value;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = in.read(buffer, offset, length);
            if (count > 0) {
                bytes += count;
                if (hashing) {
                    hash.update(buffer, offset, count);
                }
            }
            return count;
        }
    }
}
