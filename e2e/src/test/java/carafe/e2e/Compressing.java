package carafe.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/// Files compressed as people do with `bzip2` and `xz`.
final class Compressing {

    private Compressing() {}

    /// A new file beside `file`, `file.bz2`.
    static Path bzip2(Path file) throws IOException {
        Path packed = Path.of(file + ".bz2");
        try (var out = new BZip2CompressorOutputStream(Files.newOutputStream(packed))) {
            Files.copy(file, out);
        }
        return packed;
    }

    /// A new file beside `file`, `file.xz`.
    static Path xz(Path file) throws IOException {
        Path packed = Path.of(file + ".xz");
        try (var out = new XZOutputStream(Files.newOutputStream(packed), new LZMA2Options())) {
            Files.copy(file, out);
        }
        return packed;
    }
}
