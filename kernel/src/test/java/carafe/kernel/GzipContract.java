package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.ZipException;
import org.junit.jupiter.api.Test;

/// How gzip is read here, whoever inflates.
abstract class GzipContract {

    /// The library that is tried; empty for the JDK.
    abstract Optional<LibIsal> library();

    private Gunzip gunzip(InputStream source) {
        return new Gunzip(source, library().<Inflation>map(IsalInflation::new).orElseGet(Inflation.Jdk::new));
    }

    private byte[] plain(byte[] packed) throws IOException {
        try (var in = gunzip(new ByteArrayInputStream(packed))) {
            return in.readAllBytes();
        }
    }

    @Test
    void whatIsStoredHuffmanCodedOrMatchedComesOut() throws IOException {
        for (int size : new int[] {0, 1, 2, 100, 65_535, 65_536, 300_000, 2_000_001}) {
            byte[] text = text(size);
            for (int level : new int[] {0, 1, 4, 9}) {
                for (int strategy : new int[] {Deflater.DEFAULT_STRATEGY, Deflater.FILTERED, Deflater.HUFFMAN_ONLY}) {
                    assertThat(plain(member(text, level, strategy))).isEqualTo(text);
                }
            }
        }
    }

    @Test
    void itDoesNotMatterInWhichPiecesBytesComeAndGo() throws IOException {
        byte[] text = text(40_000);
        byte[] packed = join(member(text), member(text(0)), member(text(3)), member(text));
        byte[] expected = join(text, text(3), text);
        for (int in : new int[] {1, 2, 3, 7, 8, 9, 1000, 1 << 20}) {
            for (int out : new int[] {1, 13, 4096, 1 << 20}) {
                try (var stream = gunzip(new Dripping(packed, in))) {
                    var read = new ByteArrayOutputStream();
                    byte[] buffer = new byte[out];
                    for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
                        read.write(buffer, 0, count);
                    }
                    assertThat(read.toByteArray()).isEqualTo(expected);
                    assertThat(stream.read()).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void membersFollowEachOther() throws IOException {
        var packed = new ByteArrayOutputStream();
        var expected = new ByteArrayOutputStream();
        for (int i = 0; i < 5000; i++) {
            byte[] text = text(i % 70);
            packed.write(member(text));
            expected.write(text);
        }
        assertThat(plain(packed.toByteArray())).isEqualTo(expected.toByteArray());
    }

    @Test
    void anEndTooEarlyIsSeenWhereverItIs() {
        byte[] packed = member(text(500));
        for (int length = 0; length < packed.length; length++) {
            byte[] part = Arrays.copyOf(packed, length);
            assertThatThrownBy(() -> plain(part)).as("after %d bytes", length).isInstanceOf(EOFException.class);
        }
        byte[] second = join(packed, Arrays.copyOf(packed, packed.length - 1));
        assertThatThrownBy(() -> plain(second)).isInstanceOf(EOFException.class);
    }

    @Test
    void noChangedBitChangesWhatComesOut() {
        byte[] text = text(300);
        byte[] packed = member(text);
        int passed = 0;
        for (int i = 10; i < packed.length; i++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] changed = packed.clone();
                changed[i] ^= (byte) (1 << bit);
                try {
                    assertThat(plain(changed)).as("bit %d of byte %d", bit, i).isEqualTo(text);
                    passed++;
                } catch (IOException e) {
                    assertThat(e).isInstanceOfAny(ZipException.class, EOFException.class);
                }
            }
        }
        assertThat(passed).isLessThan(8); // the bits that fill up the last block's last byte
    }

    @Test
    void checksumAndLengthAreVerified() {
        byte[] packed = member(text(70_000));
        byte[] checksum = packed.clone();
        checksum[packed.length - 8] ^= 1;
        assertThatThrownBy(() -> plain(checksum)).isInstanceOf(ZipException.class).hasMessage("wrong checksum");
        byte[] length = packed.clone();
        length[packed.length - 1] ^= 1;
        assertThatThrownBy(() -> plain(length)).isInstanceOf(ZipException.class).hasMessage("wrong length");
    }

    @Test
    void whatFollowsTheLastMemberIsLeftOut() throws IOException {
        byte[] text = text(1000);
        for (byte[] tail : new byte[][] {{0}, {0x1F}, {0x1F, 0}, new byte[512], "garbage".getBytes(StandardCharsets.US_ASCII)}) {
            assertThat(plain(join(member(text), tail))).isEqualTo(text);
            try (var dripping = gunzip(new Dripping(join(member(text), tail), 1))) {
                assertThat(dripping.readAllBytes()).isEqualTo(text);
            }
        }
        assertThatThrownBy(() -> plain(join(member(text), new byte[] {0x1F, (byte) 0x8B, 9})))
                .isInstanceOf(ZipException.class);
    }

    @Test
    void everyFieldOfAHeaderIsReadAndBounded() throws IOException {
        byte[] text = text(1000);
        byte[] body = Arrays.copyOfRange(member(text), 10, member(text).length);
        byte[] extra = {3, 0, 'a', 'b', 'c'};
        byte[] name = "name\0".getBytes(StandardCharsets.US_ASCII);
        byte[] comment = "comment\0".getBytes(StandardCharsets.US_ASCII);
        assertThat(plain(join(head(4 | 8 | 16), extra, name, comment, body))).isEqualTo(text);
        byte[] summed = join(head(2 | 4 | 8 | 16), extra, name, comment);
        var crc = new CRC32();
        crc.update(summed);
        byte[] sum = {(byte) crc.getValue(), (byte) (crc.getValue() >> 8)};
        assertThat(plain(join(summed, sum, body))).isEqualTo(text);
        sum[0]++;
        assertThatThrownBy(() -> plain(join(summed, sum, body))).isInstanceOf(ZipException.class);
        assertThatThrownBy(() -> plain(join(head(0x20), body))).isInstanceOf(ZipException.class)
                .hasMessage("unknown flags");
        byte[] endless = new byte[1 << 20];
        Arrays.fill(endless, (byte) 'x');
        assertThatThrownBy(() -> plain(join(head(8), endless))).isInstanceOf(ZipException.class)
                .hasMessageContaining("more than 65536 bytes");
        assertThatThrownBy(() -> plain(text("not gzip"))).isInstanceOf(ZipException.class)
                .hasMessage("not in gzip format");
    }

    @Test
    void anyBytesAreRefusedInTheSameTwoWays() {
        long seed = Long.getLong("carafe.seed", System.nanoTime());
        var random = new Random(seed);
        for (int i = 0; i < 3000; i++) {
            byte[] noise = new byte[random.nextInt(2000)];
            random.nextBytes(noise);
            byte[] packed = join(head(0), noise);
            try {
                plain(packed);
            } catch (ZipException | EOFException expected) {
                continue;
            } catch (IOException | RuntimeException | Error e) {
                throw new AssertionError("-Dcarafe.seed=" + seed, e);
            }
        }
    }

    @Test
    void aSourceThatFailsIsHeard() {
        assertThatThrownBy(() -> gunzip(new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the line went dead");
            }
        }).readAllBytes()).isInstanceOf(IOException.class).hasMessage("the line went dead");
    }

    @Test
    void nothingIsHeldAfterTheEnd() throws IOException {
        byte[] text = text(300_000);
        byte[] packed = member(text);
        for (int i = 0; i < 50; i++) {
            plain(packed);
        }
        long before = residentKib();
        for (int i = 0; i < 2000; i++) {
            plain(packed);
        }
        assertThat(residentKib() - before).isLessThan(400 << 10); // 2000 states would be 2 GB
        var stream = gunzip(new ByteArrayInputStream(packed));
        stream.close();
        stream.close();
        assertThatThrownBy(stream::read).isInstanceOf(IOException.class);
    }

    private static long residentKib() throws IOException {
        try (var lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:")).map(line -> line.replaceAll("\\D", ""))
                    .mapToLong(Long::parseLong).findFirst().orElseThrow();
        }
    }

    /// Some text that repeats, near and far, and some that does not.
    private static byte[] text(int size) {
        byte[] text = new byte[size];
        var random = new Random(size);
        for (int i = 0; i < size; i++) {
            text[i] = (byte) (i % 5000 < 4000 ? "carafe ".charAt(i % 7) + i / 20_000 : random.nextInt(64));
        }
        return text;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] member(byte[] text) {
        return member(text, 6, Deflater.DEFAULT_STRATEGY);
    }

    private static byte[] member(byte[] text, int level, int strategy) {
        var deflater = new Deflater(level, true);
        deflater.setStrategy(strategy);
        deflater.setInput(text);
        deflater.finish();
        byte[] body = new byte[text.length + text.length / 2 + 100];
        int length = 0;
        while (!deflater.finished()) {
            length += deflater.deflate(body, length, body.length - length);
        }
        deflater.end();
        var crc = new CRC32();
        crc.update(text);
        byte[] trailer = new byte[8];
        for (int i = 0; i < 4; i++) {
            trailer[i] = (byte) (crc.getValue() >> 8 * i);
            trailer[4 + i] = (byte) (text.length >> 8 * i);
        }
        return join(head(0), Arrays.copyOf(body, length), trailer);
    }

    private static byte[] head(int flags) {
        return new byte[] {0x1F, (byte) 0x8B, 8, (byte) flags, 0, 0, 0, 0, 0, 3};
    }

    private static byte[] join(byte[]... parts) {
        var whole = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            whole.writeBytes(part);
        }
        return whole.toByteArray();
    }

    /// Hands out a few bytes at a time, and says that none are there.
    private static final class Dripping extends InputStream {
        private final byte[] bytes;
        private final int portion;
        private int at;

        Dripping(byte[] bytes, int portion) {
            this.bytes = bytes;
            this.portion = portion;
        }

        @Override
        public int read() {
            return at < bytes.length ? bytes[at++] & 0xFF : -1;
        }

        @Override
        public int read(byte[] to, int offset, int length) {
            if (at == bytes.length) {
                return -1;
            }
            int count = Math.min(Math.min(length, portion), bytes.length - at);
            System.arraycopy(bytes, at, to, offset, count);
            at += count;
            return count;
        }
    }
}
