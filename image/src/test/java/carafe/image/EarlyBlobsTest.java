package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Blobs made before they are sent, over a real store of layers whose tars stop in the middle until [#gate] opens.
@Timeout(60)
class EarlyBlobsTest {

    private static final int STOPS_AT = 3 * DeflatedPiece.BYTES;
    private static final byte[] TAR = new TestTar().add(TestTar.file("f", words(6 * DeflatedPiece.BYTES))).bytes();
    private static final Digest DIFF_ID = Digest.sha256(TAR);

    @TempDir
    private Path root;
    private final CountDownLatch gate = new CountDownLatch(1);
    private final Trash trash = new Trash();
    private LayerStore layers;
    private LayerCollector collector;
    private KnownBlobs known;
    private EarlyBlobs early;

    private static String words(int length) {
        var random = new Random(7);
        var text = new StringBuilder();
        while (text.length() < length) {
            text.append(Integer.toString(random.nextInt(), 36)).append(" layer ");
        }
        return text.toString();
    }

    @BeforeEach
    void open() throws Exception {
        var real = LayerStores.open(root.resolve("layers"), trash, LayerBounds.DEFAULT, CommitSteps.REAL);
        layers = (LayerStore) Proxy.newProxyInstance(LayerStore.class.getClassLoader(), new Class<?>[] {LayerStore.class},
                (_, method, arguments) -> {
                    try {
                        var result = method.invoke(real, arguments);
                        return result instanceof InputStream tar && method.getName().equals("tar") ? new Gated(tar) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        collector = new LayerCollector(layers);
        known = KnownBlobs.open(root.resolve("known"));
        open(Duration.ofMinutes(10));
        try (var staged = layers.stage(new ByteArrayInputStream(TAR))) {
            layers.sync(List.of(staged));
            staged.commit();
        }
    }

    private void open(Duration kept) throws IOException {
        early = EarlyBlobs.open(root.resolve("early"), layers, collector, known, kept);
    }

    @AfterEach
    void nothingIsLeft() {
        early.close();
        assertThat(root.resolve("early")).isEmptyDirectory();
        layers.close();
        trash.close();
    }

    /// The test's thread passes.
    private final class Gated extends FilterInputStream {
        private long read;

        Gated(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (read >= STOPS_AT && Thread.currentThread().getName().startsWith("image-early")) {
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted", e);
                }
            }
            int count = super.read(buffer, offset, length);
            read += count;
            return count;
        }
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        while (!condition.call()) { // the test's timeout ends it
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
        }
    }

    private static byte[] asThePushMakesIt() throws IOException {
        var out = new ByteArrayOutputStream();
        LayerCompression.gzip(new ByteArrayInputStream(TAR), out);
        return out.toByteArray();
    }

    private OutgoingLayer outgoing(EarlyBlobs.Hold hold) {
        return new OutgoingLayer(DIFF_ID, layers, known, hold.take(DIFF_ID));
    }

    private List<String> files() throws IOException {
        var names = new ArrayList<String>();
        try (var files = Files.newDirectoryStream(root.resolve("early"))) {
            files.forEach(file -> names.add(file.getFileName().toString()));
        }
        return names;
    }

    private boolean isWhole() throws IOException {
        return files().equals(List.of(DIFF_ID.hex()));
    }

    @Test
    void whatWasMadeEarlyIsWhatThePushWouldMake() throws Exception {
        gate.countDown();
        try (var build = early.hold(); var push = early.hold()) {
            build.begin(DIFF_ID);
            await(this::isWhole);
            assertThat(root.resolve("early").resolve(DIFF_ID.hex())).hasBinaryContent(asThePushMakesIt());
            var out = new ByteArrayOutputStream();
            assertThat(outgoing(push).write(out)).isEqualTo(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, asThePushMakesIt()));
            assertThat(out.toByteArray()).isEqualTo(asThePushMakesIt());
            assertThat(known.of(DIFF_ID)).extracting(OutgoingLayer.KnownBlob::blob)
                    .containsExactly(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, asThePushMakesIt()));
        }
    }

    @Test
    void itIsNotMadeAgainByThePush() throws Exception {
        gate.countDown();
        try (var build = early.hold(); var push = early.hold()) {
            build.begin(DIFF_ID);
            await(this::isWhole);
            byte[] marked = asThePushMakesIt();
            marked[marked.length / 2] ^= 1;
            Files.write(root.resolve("early").resolve(DIFF_ID.hex()), marked);
            var out = new ByteArrayOutputStream();
            outgoing(push).write(out);
            assertThat(out.toByteArray()).isEqualTo(marked);
        }
    }

    @Test
    void aPushReadsAlongAndMakesTheRestOfWhatIsBrokenOff() throws Exception {
        for (boolean brokenOff : List.of(true, false)) {
            try (var push = early.hold()) {
                var build = early.hold();
                build.begin(DIFF_ID);
                await(() -> files().equals(List.of(DIFF_ID.hex() + ".tmp")));
                var layer = outgoing(push);
                var out = new ByteArrayOutputStream();
                var sent = CompletableFuture.supplyAsync(() -> {
                    try {
                        return layer.write(out);
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                });
                await(() -> out.size() > 0);
                assertThat(sent).isNotDone();
                if (brokenOff) {
                    push.take(DIFF_ID).orElseThrow().drop();
                } else {
                    gate.countDown();
                }
                assertThat(sent.get()).isEqualTo(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, asThePushMakesIt()));
                assertThat(out.toByteArray()).isEqualTo(asThePushMakesIt());
                build.close();
            }
            assertThat(files()).isEmpty();
            Files.delete(root.resolve("known").resolve(DIFF_ID.hex()));
        }
    }

    @Test
    void whatABuildThatFailedHasBegunIsBrokenOff() throws Exception {
        try (var build = early.hold()) {
            build.begin(DIFF_ID);
            await(() -> files().equals(List.of(DIFF_ID.hex() + ".tmp")));
            assertThat(collector.collect(() -> _ -> false)).isEmpty(); // it needs the layer
        }
        assertThat(files()).isEmpty();
        await(() -> collector.collect(() -> _ -> false).equals(Set.of(DIFF_ID)));
        assertThat(files()).isEmpty();
    }

    @Test
    void whatABuildLeavesStaysForThePushOnly() throws Exception {
        gate.countDown();
        early.close();
        open(Duration.ofMillis(200));
        try (var build = early.hold()) {
            build.begin(DIFF_ID);
            try (var failed = early.hold()) {
                failed.begin(DIFF_ID);
                await(this::isWhole);
            }
            build.stay();
        }
        try (var push = early.hold()) {
            assertThat(push.take(DIFF_ID)).isPresent();
            push.stay();
            TimeUnit.MILLISECONDS.sleep(400); // longer than it is kept for nobody
            assertThat(isWhole()).isTrue();
        }
        await(() -> files().isEmpty());
        try (var later = early.hold()) {
            assertThat(later.take(DIFF_ID)).isEmpty();
        }
    }

    @Test
    void whatARegistryHasNeedsNone() throws Exception {
        known.add(DIFF_ID, Descriptor.of(MediaTypes.OCI_LAYER_GZIP, new byte[] {1}), "registry.example.com/app");
        try (var build = early.hold()) {
            build.begin(DIFF_ID);
            assertThat(build.take(DIFF_ID)).isEqualTo(Optional.empty());
        }
    }

    @Test
    void whatOnlyAnArchiveBroughtIsMade() throws Exception {
        gate.countDown();
        known.add(DIFF_ID, Descriptor.of(MediaTypes.OCI_LAYER, TAR), "");
        try (var build = early.hold()) {
            build.begin(DIFF_ID);
            await(this::isWhole);
        }
    }

    @Test
    void whatACrashLeftIsGoneAfterTheNextStart() throws Exception {
        Files.writeString(root.resolve("early").resolve(DIFF_ID.hex() + ".tmp"), "half");
        Files.writeString(root.resolve("early").resolve(DIFF_ID.hex()), "whole");
        open(Duration.ofMinutes(10));
        assertThat(files()).isEmpty();
    }
}
