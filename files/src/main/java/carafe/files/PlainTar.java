package carafe.files;

import carafe.kernel.Gzip;
import carafe.spec.EngineException;
import carafe.spec.tar.Busy;
import carafe.spec.tar.SentTar;
import carafe.spec.tar.TarCompression;
import carafe.spec.tar.TarReader;
import carafe.spec.tar.UnpackBounds;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.zip.ZipException;

/// A tar that a client sends, whatever it is compressed with.
final class PlainTar {

    private static final int BUFFER = 64 << 10;
    private static final long CHECKED_BYTES = 8 << 20;

    private PlainTar() {}

    /// Work on the members.
    @FunctionalInterface
    interface Work {
        void on(TarReader tar) throws IOException, EngineException;
    }

    /// Does `work` on the tar that is sent, plain, gzip, bzip2 or xz, which is read to its end and stays open. Ends when
    /// it is abandoned, also while little of what was sent still becomes much.
    /// @throws EngineException.Invalid the bytes are at fault, end too early, are zstd's, or a bomb
    /// @throws EngineException.Unavailable nobody waits any more, or too many of its kind are read at a time
    static void read(SentTar sent, Work work) throws IOException, EngineException {
        read(sent, () -> { }, work);
    }

    /// Asked from time to time whether it may go on.
    @FunctionalInterface
    interface Check {
        void check() throws EngineException;
    }

    /// The same; every 8 MiB of the tar `check` may refuse to go on.
    static void read(SentTar sent, Check check, Work work) throws IOException, EngineException {
        var packed = new Packed(sent.bytes());
        byte[] head = packed.readNBytes(TarCompression.HEAD_BYTES);
        var whole = new PushbackInputStream(packed, head.length + 1);
        whole.unread(head);
        var compression = TarCompression.of(head);
        try (InputStream plain = switch (compression) {
            case NONE -> whole;
            case GZIP -> Gzip.decompressing(whole);
            case ZSTD -> throw new EngineException.Invalid(
                    "the archive is compressed by zstd; send it plain, or by gzip, bzip2 or xz");
            case BZIP2, XZ -> compression.decompressing(whole);
        }) {
            var watched = new Watched(plain, compression == TarCompression.NONE ? Optional.empty() : Optional.of(packed),
                    sent.abandoned(), check);
            var tar = new TarReader(new BufferedInputStream(watched, BUFFER));
            work.on(tar);
            tar.drain(); // the checksum comes behind the tar's end
        } catch (ZipException | EOFException e) {
            throw new EngineException.Invalid("the archive cannot be read: " + e.getMessage());
        } catch (Refused e) {
            throw e.reason;
        } catch (Abandoned | Busy e) {
            throw new EngineException.Unavailable("the archive was not read to its end: " + e.getMessage(), e);
        }
    }

    private static final class Abandoned extends IOException {
        Abandoned() {
            super("nobody waits for it any more");
        }
    }

    private static final class Refused extends IOException {
        private final EngineException reason;

        Refused(EngineException reason) {
            super(reason);
            this.reason = reason;
        }
    }

    /// The tar on its way out of the decompression.
    private static final class Watched extends FilterInputStream {
        private final Optional<Packed> packed;
        private final BooleanSupplier abandoned;
        private final Check check;
        private long bytes;
        private long nextCheck = CHECKED_BYTES;

        /// `packed` is what `plain` comes of, if it is compressed.
        Watched(InputStream plain, Optional<Packed> packed, BooleanSupplier abandoned, Check check) {
            super(plain);
            this.packed = packed;
            this.abandoned = abandoned;
            this.check = check;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            if (abandoned.getAsBoolean() || Thread.currentThread().isInterrupted()) {
                throw new Abandoned();
            }
            if (bytes >= nextCheck) {
                nextCheck = bytes + CHECKED_BYTES;
                try {
                    check.check();
                } catch (EngineException e) {
                    throw new Refused(e);
                }
            }
            int count = in.read(to, offset, length);
            bytes += Math.max(0, count);
            if (packed.isPresent()) {
                var excess = UnpackBounds.DEFAULT.excess(bytes, packed.get().bytes);
                if (excess.isPresent()) {
                    throw new ZipException("it " + excess.get() + "; send it uncompressed if it is what it should be");
                }
            }
            return count;
        }
    }

    /// What is sent, counted; the stream is the sender's.
    private static final class Packed extends FilterInputStream {
        private long bytes;

        Packed(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            int count = in.read(to, offset, length);
            bytes += Math.max(0, count);
            return count;
        }

        @Override
        public void close() {
            // the archive is the caller's
        }
    }
}
