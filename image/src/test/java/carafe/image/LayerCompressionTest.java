package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;
import java.util.zip.GZIPInputStream;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerCompressionTest {

    private static final int PIECE = DeflatedPiece.BYTES;
    private static final int HEADER = 10;
    private static final int TRAILER = 8;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 7 * PIECE + 12_345})
    void whatWasCompressedComesBack(int length) throws IOException {
        byte[] tar = text(length);

        byte[] blob = compressed(tar, 2);

        assertThat(new GZIPInputStream(new ByteArrayInputStream(blob)).readAllBytes()).isEqualTo(tar);
    }

    @Test
    void theBlobIsDescribed() throws IOException {
        var out = new ByteArrayOutputStream();

        var blob = LayerCompression.gzip(new ByteArrayInputStream(text(PIECE + 5)), out);

        assertThat(blob).isEqualTo(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, out.toByteArray()));
    }

    @Test
    void piecesAreOneMemberAndOneDeflateStream() throws Exception {
        byte[] tar = text(3 * PIECE + 1);
        byte[] blob = compressed(tar, 3);
        byte[] plain = new byte[tar.length + 1];

        try (var inflater = new Inflater(true)) {
            inflater.setInput(blob, HEADER, blob.length - HEADER);
            assertThat(inflater.inflate(plain)).isEqualTo(tar.length);
            assertThat(inflater.finished()).isTrue();
            assertThat(inflater.getRemaining()).isEqualTo(TRAILER);
        }
    }

    @Test
    void theBytesDoNotDependOnTheNumberOfThreads() throws IOException {
        byte[] tar = mixed();
        byte[] alone = compressed(tar, 1);

        for (int threads : new int[] {2, 3, 8}) {
            assertThat(compressed(tar, threads)).as("with %s threads", threads).isEqualTo(alone);
        }
    }

    @Test
    void norOnWhatAPieceHeldBefore() throws IOException { // pieces that come out around half a piece's length
        var random = new Random(3);
        byte[] noise = new byte[PIECE];
        random.nextBytes(noise);
        for (int packed = PIECE / 2 - 3; packed <= PIECE / 2 + 8; packed++) {
            byte[] tar = new byte[4 * PIECE];
            System.arraycopy(noise, 0, tar, 0, PIECE * 3 / 4);
            System.arraycopy(noise, 0, tar, 2 * PIECE, noiseThatBecomes(packed, noise));
            assertThat(compressed(tar, 1)).as("packed %s", packed).isEqualTo(compressed(tar, 8));
        }
    }

    /// How many bytes of `noise`, and zeros up to a piece's length, are deflated to `packed` bytes or the next length.
    private static int noiseThatBecomes(int packed, byte[] noise) {
        int least = 0;
        int most = noise.length;
        byte[] out = new byte[2 * PIECE];
        while (most - least > 1) {
            int middle = (least + most) / 2;
            byte[] piece = new byte[PIECE];
            System.arraycopy(noise, 0, piece, 0, middle);
            try (var deflater = new Deflater(Deflater.BEST_SPEED, true)) {
                deflater.setDictionary(new byte[32 << 10]);
                deflater.setInput(piece);
                if (deflater.deflate(out, 0, out.length, Deflater.SYNC_FLUSH) <= packed) {
                    least = middle;
                } else {
                    most = middle;
                }
            }
        }
        return least;
    }

    @Test
    void theBytesDoNotDependOnHowTheTarArrives() throws IOException {
        byte[] tar = mixed();
        var inBits = new InputStream() {
            private int at;

            @Override
            public int read() {
                return at == tar.length ? -1 : tar[at++] & 0xFF;
            }

            @Override
            public int read(byte[] into, int offset, int length) {
                int n = Math.min(Math.min(length, 777), tar.length - at);
                System.arraycopy(tar, at, into, offset, n);
                at += n;
                return n == 0 && length > 0 ? -1 : n;
            }
        };
        var out = new ByteArrayOutputStream();

        LayerCompression.gzip(inBits, out, 1, 2);

        assertThat(out.toByteArray()).isEqualTo(compressed(tar, 2));
    }

    @Test
    void cutsCostLessThanOnePercent() throws IOException {
        byte[] tar = text(8 * PIECE);
        byte[] whole = new byte[tar.length];
        int wholeLength;
        try (var deflater = new Deflater(Deflater.BEST_SPEED, true)) {
            deflater.setInput(tar);
            deflater.finish();
            wholeLength = deflater.deflate(whole);
        }

        assertThat(compressed(tar, 2).length).isLessThan(wholeLength + wholeLength / 100);
    }

    @Test
    void whatDoesNotGetSmallerIsStored() throws IOException {
        byte[] noise = noise(2 * PIECE);

        byte[] blob = compressed(noise, 2);

        assertThat(blob.length).isLessThan(noise.length + noise.length / 1000);
        assertThat(new GZIPInputStream(new ByteArrayInputStream(blob)).readAllBytes()).isEqualTo(noise);
    }

    @Test
    void piecesOfBothKindsFollowEachOther() throws IOException {
        byte[] tar = mixed();

        byte[] blob = compressed(tar, 2);

        assertThat(new GZIPInputStream(new ByteArrayInputStream(blob)).readAllBytes()).isEqualTo(tar);
        assertThat(blob.length).isLessThan(tar.length * 3 / 4);
    }

    @Test
    void aReaderThatGoesAwayEndsIt() {
        var gone = new OutputStream() {
            private int left = 100_000;

            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b}, 0, 1);
            }

            @Override
            public void write(byte[] from, int offset, int length) throws IOException {
                left -= length;
                if (left < 0) {
                    throw new IOException("Broken pipe");
                }
            }
        };

        assertThatThrownBy(() -> LayerCompression.gzip(new ByteArrayInputStream(text(20 * PIECE)), gone))
                .isInstanceOf(IOException.class).hasMessage("Broken pipe");
        awaitNoThread();
    }

    @Test
    void aTarThatCannotBeReadEndsIt() {
        var broken = new SequenceInputStream(new ByteArrayInputStream(text(5 * PIECE)), new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("Input/output error");
            }
        });

        assertThatThrownBy(() -> LayerCompression.gzip(broken, OutputStream.nullOutputStream()))
                .isInstanceOf(IOException.class).hasMessage("Input/output error");
        awaitNoThread();
    }

    /// A pool's threads are gone a moment after the pool has ended.
    private static void awaitNoThread() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (Thread.getAllStackTraces().keySet().stream().anyMatch(thread -> thread.getName().startsWith("deflate-"))) {
            assertThat(System.nanoTime()).as("a thread still deflates").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    private static byte[] compressed(byte[] tar, int threads) throws IOException {
        var out = new ByteArrayOutputStream();
        LayerCompression.gzip(new ByteArrayInputStream(tar), out, 1, threads);
        return out.toByteArray();
    }

    /// Text, two pieces and more of noise, text.
    private static byte[] mixed() {
        byte[] all = Arrays.copyOf(text(2 * PIECE + 1000), 7 * PIECE);
        System.arraycopy(noise(2 * PIECE + 500), 0, all, 2 * PIECE + 1000, 2 * PIECE + 500);
        System.arraycopy(text(2 * PIECE), 0, all, 5 * PIECE - 40_000, 2 * PIECE);
        return all;
    }

    private static byte[] text(int length) {
        var random = new Random(7);
        var words = new StringBuilder(length + 16);
        while (words.length() < length) {
            words.append("word").append(random.nextInt(2000)).append(random.nextInt(9) == 0 ? '\n' : ' ');
        }
        return Arrays.copyOf(words.toString().getBytes(StandardCharsets.US_ASCII), length);
    }

    private static byte[] noise(int length) {
        byte[] bytes = new byte[length];
        new Random(11).nextBytes(bytes);
        return bytes;
    }
}
