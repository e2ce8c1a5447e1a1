package carafe.spec.tar;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.zip.ZipException;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.jspecify.annotations.Nullable;
import org.tukaani.xz.MemoryLimitException;
import org.tukaani.xz.XZInputStream;

/// What a tar is compressed with, told by its first bytes, and how the rare ones are read: bzip2, which needs 4 MiB, and
/// xz, which needs what its writer chose, 66 MiB at most (`xz -9`): of archives two are read at a time in the process, and
/// of layers, which may lie in such archives, two more. gzip and zstd are other rooms', whose libraries are native.
///
/// Source: the bzip2 and .xz file formats; RFC 1952, RFC 8878.
public enum TarCompression {
    NONE, GZIP, ZSTD, BZIP2, XZ;

    /// How many first bytes [#of] wants to see.
    public static final int HEAD_BYTES = 10;

    private static final byte[] BZIP2_BLOCK = {0x31, 0x41, 0x59, 0x26, 0x53, 0x59};
    private static final byte[] BZIP2_END = {0x17, 0x72, 0x45, 0x38, 0x50, (byte) 0x90};
    private static final int XZ_LIMIT_MIB = 66;
    private static final int BUFFER = 64 << 10;
    private static final XzPlaces ARCHIVES = new XzPlaces(2, Duration.ofMinutes(1), Duration.ofSeconds(30));
    private static final XzPlaces LAYERS = new XzPlaces(2, Duration.ofMinutes(1), Duration.ofSeconds(30));

    /// What begins with `head`, all of the stream or its first [#HEAD_BYTES]; [#NONE] for anything unknown.
    public static TarCompression of(byte[] head) {
        if (starts(head, 0x1F, 0x8B, 8)) {
            return GZIP;
        }
        if (starts(head, 0x28, 0xB5, 0x2F, 0xFD)
                || head.length >= 4 && (head[0] & 0xF0) == 0x50 && head[1] == 0x2A && head[2] == 0x4D && head[3] == 0x18) {
            return ZSTD; // a frame, or one to skip
        }
        if (starts(head, 0xFD, '7', 'z', 'X', 'Z', 0)) {
            return XZ;
        }
        if (starts(head, 'B', 'Z', 'h') && head.length >= 10 && head[3] >= '1' && head[3] <= '9'
                && (matches(head, BZIP2_BLOCK) || matches(head, BZIP2_END))) {
            return BZIP2;
        }
        return NONE;
    }

    private static boolean starts(byte[] head, int... bytes) {
        for (int i = 0; i < bytes.length; i++) {
            if (i >= head.length || (head[i] & 0xFF) != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    private static boolean matches(byte[] head, byte[] mark) {
        for (int i = 0; i < mark.length; i++) {
            if (head[4 + i] != mark[i]) {
                return false;
            }
        }
        return true;
    }

    /// What is inside `source`, which is [#BZIP2] or [#XZ] and stays open; to be closed. Several streams in a row are
    /// one. More of `source` may be read than what has come out needs. Errors while reading: `ZipException` when the bytes
    /// are at fault, `EOFException` when they end early, [Busy] when too many others are read, else the source's own.
    public InputStream decompressing(InputStream source) {
        return decompressing(source, ARCHIVES);
    }

    /// The same of a layer, which may lie inside an archive that is being read and waits for none.
    public InputStream decompressingLayer(InputStream source) {
        return decompressing(source, LAYERS);
    }

    InputStream decompressing(InputStream source, XzPlaces places) {
        return switch (this) {
            case BZIP2 -> new Careful(source, in -> new BZip2CompressorInputStream(in, true), Optional.empty());
            case XZ -> new Careful(source, in -> new XZInputStream(in, XZ_LIMIT_MIB << 10), Optional.of(places));
            case NONE, GZIP, ZSTD -> throw new IllegalArgumentException(this + " is read elsewhere");
        };
    }

    @FunctionalInterface
    private interface Decoder {
        InputStream open(InputStream source) throws IOException;
    }

    /// Tells the decoder's complaints from the source's, and takes whatever a decoder throws over hostile bytes.
    private static final class Careful extends InputStream {
        private final Source source;
        private final Decoder decoder;
        private final Optional<XzPlaces> places;
        private @Nullable InputStream plain;
        private boolean closed;

        Careful(InputStream source, Decoder decoder, Optional<XzPlaces> places) {
            this.source = new Source(source);
            this.decoder = decoder;
            this.places = places;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            if (closed) {
                throw new IOException("the stream is closed");
            }
            try {
                if (plain == null) {
                    if (places.isPresent() && source.place == null) {
                        source.place = places.get().take();
                    }
                    plain = decoder.open(new BufferedInputStream(source, BUFFER)); // they ask for single bytes
                }
                return plain.read(to, offset, length);
            } catch (ZipException | Busy e) {
                throw e;
            } catch (EOFException e) {
                throw e == source.failure ? e : new EOFException("unexpected EOF");
            } catch (MemoryLimitException e) {
                throw new ZipException("it needs " + (e.getMemoryNeeded() >> 10) + " MiB of memory, and may have "
                        + XZ_LIMIT_MIB + "; xz -9 or less makes one that fits");
            } catch (IOException e) {
                throw e == source.failure || e instanceof InterruptedIOException ? e : broken(e);
            } catch (RuntimeException e) {
                throw broken(e);
            }
        }

        private IOException broken(Exception e) {
            var broken = new ZipException(String.valueOf(e.getMessage()));
            broken.initCause(e);
            return broken;
        }

        @Override
        public void close() throws IOException {
            if (!closed) {
                closed = true;
                try {
                    if (plain != null) {
                        plain.close();
                    }
                } finally {
                    if (source.place != null) {
                        source.place.close();
                    }
                }
            }
        }
    }

    /// Remembers its own failure; is not closed by a decoder. Read at its place, if it has one.
    private static final class Source extends FilterInputStream {
        private @Nullable IOException failure;
        private XzPlaces.@Nullable Place place;

        Source(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            try {
                return place == null ? in.read(to, offset, length) : place.read(in, to, offset, length);
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }

        @Override
        public void close() {
            // the source is the caller's
        }
    }
}
