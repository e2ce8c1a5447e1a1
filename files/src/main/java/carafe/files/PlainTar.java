package carafe.files;

import carafe.kernel.Gzip;
import carafe.spec.EngineException;
import carafe.spec.tar.TarCompression;
import carafe.spec.tar.TarReader;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.util.zip.ZipException;

/// A tar that a client sends, whatever it is compressed with.
final class PlainTar {

    private PlainTar() {}

    /// Work on the members.
    @FunctionalInterface
    interface Work {
        void on(TarReader tar) throws IOException, EngineException;
    }

    /// Does `work` on the tar in `archive`, plain, gzip, bzip2 or xz, which is read to its end and stays open.
    /// @throws EngineException.Invalid the bytes are at fault, end too early, or are zstd's
    static void read(InputStream archive, Work work) throws IOException, EngineException {
        byte[] head = archive.readNBytes(TarCompression.HEAD_BYTES);
        var whole = new PushbackInputStream(new StaysOpen(archive), head.length + 1);
        whole.unread(head);
        var compression = TarCompression.of(head);
        try (InputStream plain = switch (compression) {
            case NONE -> whole;
            case GZIP -> Gzip.decompressing(whole);
            case ZSTD -> throw new EngineException.Invalid(
                    "the archive is compressed by zstd; send it plain, or by gzip, bzip2 or xz");
            case BZIP2, XZ -> compression.decompressing(whole);
        }) {
            var buffered = new BufferedInputStream(plain, 64 << 10);
            work.on(new TarReader(buffered));
            buffered.transferTo(OutputStream.nullOutputStream()); // the checksum comes behind the tar's end
        } catch (ZipException | EOFException e) {
            throw new EngineException.Invalid("the archive cannot be read: " + e.getMessage());
        }
    }

    private static final class StaysOpen extends FilterInputStream {
        StaysOpen(InputStream in) {
            super(in);
        }

        @Override
        public void close() {
            // the archive is the caller's
        }
    }
}
