package carafe.spec.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;
import java.util.zip.ZipException;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class TarCompressionTest {

    private static byte[] packed(TarCompression how, byte[] text) throws IOException {
        var out = new ByteArrayOutputStream();
        if (how == TarCompression.BZIP2) {
            try (var bzip2 = new BZip2CompressorOutputStream(out)) {
                bzip2.write(text);
            }
        } else {
            try (var xz = new XZOutputStream(out, new LZMA2Options(1))) {
                xz.write(text);
            }
        }
        return out.toByteArray();
    }

    private static byte[] plain(TarCompression how, byte[] packed) throws IOException {
        assertThat(TarCompression.of(Arrays.copyOf(packed, Math.min(packed.length, TarCompression.HEAD_BYTES))))
                .isEqualTo(how);
        try (var in = how.decompressing(new ByteArrayInputStream(packed))) {
            return in.readAllBytes();
        }
    }

    private static byte[] text(int size) {
        byte[] text = new byte[size];
        new Random(size).nextBytes(text);
        Arrays.fill(text, size / 4, size / 2, (byte) 'x');
        return text;
    }

    private static byte[] join(byte[] one, byte[] two) {
        byte[] whole = Arrays.copyOf(one, one.length + two.length);
        System.arraycopy(two, 0, whole, one.length, two.length);
        return whole;
    }

    @ParameterizedTest
    @EnumSource(names = {"BZIP2", "XZ"})
    void whatWasCompressedComesOut(TarCompression how) throws IOException {
        for (int size : new int[] {0, 1, 5000, 2_000_000}) {
            assertThat(plain(how, packed(how, text(size)))).isEqualTo(text(size));
        }
        assertThat(plain(how, join(packed(how, text(3000)), packed(how, text(70)))))
                .isEqualTo(join(text(3000), text(70)));
    }

    @ParameterizedTest
    @EnumSource(names = {"BZIP2", "XZ"})
    void cutOffOrChangedDataAreRefused(TarCompression how) throws IOException {
        byte[] text = text(400);
        byte[] packed = packed(how, text);
        for (int length = TarCompression.HEAD_BYTES; length < packed.length; length++) {
            byte[] part = Arrays.copyOf(packed, length);
            assertThatThrownBy(() -> plain(how, part)).as("after %d bytes", length)
                    .isInstanceOfAny(ZipException.class, EOFException.class);
        }
        for (int i = TarCompression.HEAD_BYTES; i < packed.length; i++) {
            byte[] changed = packed.clone();
            changed[i] ^= 4;
            try {
                assertThat(plain(how, changed)).as("byte %d", i).isEqualTo(text);
            } catch (ZipException | EOFException expected) {
                assertThat(expected).hasMessageMatching("(?s).+");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"BZIP2", "XZ"})
    void anyBytesBehindAHeadEndInARefusal(TarCompression how) throws IOException {
        long seed = Long.getLong("carafe.seed", System.nanoTime());
        var random = new Random(seed);
        byte[] head = Arrays.copyOf(packed(how, text(100)), 12);
        for (int i = 0; i < 500; i++) {
            byte[] noise = new byte[random.nextInt(3000)];
            random.nextBytes(noise);
            assertThatThrownBy(() -> plain(how, join(head, noise))).as("-Dcarafe.seed=%d", seed)
                    .isInstanceOfAny(ZipException.class, EOFException.class);
        }
    }

    /// The dictionary is what the archive asks for; it would be taken before a byte of it is read.
    @Test
    void aDictionaryThatTakesTooMuchMemoryIsRefused() throws IOException {
        byte[] packed = packed(TarCompression.XZ, text(1000));
        assertThat(packed[15]).isEqualTo((byte) 1); // properties of LZMA2: one byte, the dictionary's size
        packed[16] = 36; // 1 GiB
        var crc = new CRC32();
        crc.update(packed, 12, 8);
        for (int i = 0; i < 4; i++) {
            packed[20 + i] = (byte) (crc.getValue() >> 8 * i);
        }
        assertThatThrownBy(() -> plain(TarCompression.XZ, packed)).isInstanceOf(ZipException.class)
                .hasMessageMatching("it needs \\d+ MiB of memory, and may have 66; xz -9 or less makes one that fits");
    }

    @Test
    void xzAtItsHighestLevelFits() throws IOException {
        var out = new ByteArrayOutputStream();
        var options = new LZMA2Options(1);
        options.setDictSize(64 << 20);
        try (var xz = new XZOutputStream(out, options)) {
            xz.write(text(10));
        }
        assertThat(plain(TarCompression.XZ, out.toByteArray())).isEqualTo(text(10));
    }

    @Test
    void twoXzStreamsAreReadAtATimeAndTheNextWaits() throws Exception {
        byte[] packed = packed(TarCompression.XZ, text(10));
        var one = TarCompression.XZ.decompressing(new ByteArrayInputStream(packed));
        try (var pool = Executors.newVirtualThreadPerTaskExecutor();
                var two = TarCompression.XZ.decompressing(new ByteArrayInputStream(packed))) {
            assertThat(one.read()).isEqualTo(text(10)[0] & 0xFF);
            assertThat(two.read()).isEqualTo(text(10)[0] & 0xFF);
            var third = pool.submit(() -> plain(TarCompression.XZ, packed));
            assertThat(third.isDone()).isFalse();
            one.close();
            assertThat(third.get()).isEqualTo(text(10));
        }
        for (int i = 0; i < 10; i++) { // one that is refused gives its place back
            assertThatThrownBy(() -> plain(TarCompression.XZ, Arrays.copyOf(packed, 11))).isInstanceOf(IOException.class);
        }
        assertThat(plain(TarCompression.XZ, packed)).isEqualTo(text(10));
    }

    @Test
    void layersAreReadWhileArchivesHaveAllTheirPlaces() throws IOException {
        byte[] packed = packed(TarCompression.XZ, text(10));
        try (var one = TarCompression.XZ.decompressing(new ByteArrayInputStream(packed));
                var two = TarCompression.XZ.decompressing(new ByteArrayInputStream(packed));
                var layer = TarCompression.XZ.decompressingLayer(new ByteArrayInputStream(packed))) {
            assertThat(one.read()).isEqualTo(two.read());
            assertThat(layer.readAllBytes()).isEqualTo(text(10));
        }
    }

    @Test
    void whoFindsNoPlaceIsToldToTryAgainNotThatTheDataAreWrong() throws IOException {
        byte[] packed = packed(TarCompression.XZ, text(10));
        var places = new XzPlaces(1, Duration.ofMillis(1), Duration.ofHours(1));
        var first = TarCompression.XZ.decompressing(new ByteArrayInputStream(packed), places);
        try (var second = TarCompression.XZ.decompressing(new ByteArrayInputStream(packed), places)) {
            assertThat(first.read()).isEqualTo(text(10)[0] & 0xFF);
            assertThatThrownBy(second::read).isInstanceOf(Busy.class)
                    .hasMessageMatching("the engine has been busy with other xz archives for .*; try again, or use gzip");
            first.close();
            assertThat(second.readAllBytes()).isEqualTo(text(10));
        }
    }

    /// On either kind of thread; the thread is as it was afterwards.
    @Test
    void aSenderWhoStallsLosesItsPlaceToOneWhoWaits() throws Exception {
        byte[] packed = packed(TarCompression.XZ, text(10));
        var places = new XzPlaces(1, Duration.ofHours(1), Duration.ofMillis(1));
        for (var kind : new ThreadFactory[] {Thread.ofPlatform().factory(), Thread.ofVirtual().factory()}) {
            var pipe = Pipe.open();
            pipe.sink().write(ByteBuffer.wrap(packed, 0, 20));
            try (var pool = Executors.newThreadPerTaskExecutor(kind)) {
                var holds = new CountDownLatch(1);
                var arriving = new FilterInputStream(Channels.newInputStream(pipe.source())) {
                    @Override
                    public int read(byte[] to, int offset, int length) throws IOException {
                        holds.countDown();
                        return super.read(to, offset, length);
                    }
                };
                var stalls = pool.submit(() -> {
                    try (var plain = TarCompression.XZ.decompressing(arriving, places)) {
                        assertThatThrownBy(plain::readAllBytes).isInstanceOf(Busy.class)
                                .hasMessageMatching("nothing more of an xz archive came for .* try again");
                    }
                    return Thread.interrupted();
                });
                holds.await();
                try (var plain = TarCompression.XZ.decompressing(new ByteArrayInputStream(packed), places)) {
                    assertThat(plain.readAllBytes()).isEqualTo(text(10));
                }
                assertThat(stalls.get()).isFalse();
            }
            pipe.sink().close();
            pipe.source().close();
        }
    }

    @Test
    void theSourceKeepsItsFailuresAndStaysOpen() throws IOException {
        byte[] packed = packed(TarCompression.BZIP2, text(1000));
        var failing = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the line went dead");
            }
        };
        var in = new SequenceInputStream(new ByteArrayInputStream(packed, 0, 100), failing);
        assertThatThrownBy(() -> TarCompression.BZIP2.decompressing(in).readAllBytes())
                .isExactlyInstanceOf(IOException.class).hasMessage("the line went dead");
        var closed = new AtomicBoolean();
        var source = new ByteArrayInputStream(packed) {
            @Override
            public void close() {
                closed.set(true);
            }
        };
        try (var plain = TarCompression.BZIP2.decompressing(source)) {
            plain.readAllBytes();
        }
        assertThat(closed).isFalse();
    }

    /// Decoders ask for single bytes, and each would pass through every layer of streams below.
    @ParameterizedTest
    @EnumSource(names = {"BZIP2", "XZ"})
    void theSourceIsReadInLargePieces(TarCompression how) throws IOException {
        byte[] packed = packed(how, text(2_000_000));
        var calls = new AtomicInteger();
        var source = new FilterInputStream(new ByteArrayInputStream(packed)) {
            @Override
            public int read() throws IOException {
                calls.incrementAndGet();
                return super.read();
            }

            @Override
            public int read(byte[] to, int offset, int length) throws IOException {
                calls.incrementAndGet();
                return super.read(to, offset, length);
            }
        };
        try (var plain = how.decompressing(source)) {
            assertThat(plain.readAllBytes()).hasSize(2_000_000);
        }
        assertThat(calls.get()).isLessThan(packed.length / 5_000);
    }

    @Test
    void whatOnlyLooksLikeItIsNone() {
        assertThat(TarCompression.of("BZh1 and no block".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo(TarCompression.NONE);
        assertThat(TarCompression.of(new byte[0])).isEqualTo(TarCompression.NONE);
        assertThat(TarCompression.of(new byte[] {0x1F, (byte) 0x8B})).isEqualTo(TarCompression.NONE);
    }
}
