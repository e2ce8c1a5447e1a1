package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images come in by every way and go again, all with layers in common, while collections run without a pause: what has
/// a name is whole at every moment, what a container stands on stays, and in the end nothing is left.
class CollectionStressTest {

    private static final int ROUNDS = 60;
    private static final List<byte[]> TARS = tars();

    @TempDir
    private Path root;
    private Images images;
    private final AtomicBoolean over = new AtomicBoolean();
    private final AtomicInteger collections = new AtomicInteger();
    private final AtomicInteger sent = new AtomicInteger();

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root);
    }

    @AfterEach
    void close() {
        images.close();
    }

    private static List<byte[]> tars() {
        var tars = new ArrayList<byte[]>();
        for (int i = 0; i < 6; i++) {
            tars.add(new TestTar().add(TestTar.file("f" + i, ("layer " + i).repeat(500 * i + 1))).bytes());
        }
        return tars;
    }

    private static List<byte[]> some(Random random) {
        return List.of(TARS.get(random.nextInt(3)), TARS.get(3 + random.nextInt(3)));
    }

    /// As a pull does it: documents and layers by digest, those that are here not fetched.
    private void pull(String name, List<byte[]> tars) throws Exception {
        var image = TestImage.of(name, tars.toArray(byte[][]::new));
        var blobs = tars.stream().map(tar -> Descriptor.of(MediaTypes.OCI_LAYER, tar)).toList();
        byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, image.config()), blobs).toJson().printBytes();
        try (var intake = images.intake()) {
            for (int i = 0; i < tars.size(); i++) {
                byte[] tar = tars.get(i);
                if (!intake.has(Digest.sha256(tar))) {
                    intake.layer(new Intake.Layer(blobs.get(i), Digest.sha256(tar), "far.example/app"),
                            () -> new ByteArrayInputStream(tar));
                }
            }
            intake.commit(image.config(), manifest, List.of(Reference.parse(name)), Optional.empty());
        }
    }

    /// As a build does it: layers that it makes itself.
    private void build(String name, List<byte[]> tars) throws Exception {
        var image = TestImage.of(name, tars.toArray(byte[][]::new));
        try (var intake = images.intake()) {
            var layers = new ArrayList<Descriptor>();
            for (byte[] tar : tars) {
                layers.add(intake.layer(new ByteArrayInputStream(tar)).blob());
            }
            byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, image.config()), layers).toJson().printBytes();
            intake.commit(image.config(), manifest, List.of(Reference.parse(name)), Optional.empty());
        }
    }

    private void load(String name, List<byte[]> tars) throws Exception {
        images.load(new ByteArrayInputStream(TestImage.of(name, tars.toArray(byte[][]::new)).ociArchive()),
                LoadProgress.SILENT);
    }

    private void assertWhole(String name, List<byte[]> tars) throws Exception {
        try (var outgoing = images.outgoing(name)) {
            for (int i = 0; i < tars.size(); i++) {
                try (var tar = outgoing.images().getFirst().layers().get(i).tar()) {
                    assertThat(Digest.sha256(tar.readAllBytes())).isEqualTo(Digest.sha256(tars.get(i)));
                }
            }
        }
    }

    /// One who takes images in and lets them go; every image has a container for a while.
    private Callable<Boolean> worker(int number, long seed) {
        return () -> {
            var random = new Random(seed + number);
            String name = "docker.io/library/worker-" + number + ":1";
            for (int round = 0; round < ROUNDS; round++) {
                var tars = some(random);
                switch (number % 3) {
                    case 0 -> pull(name, tars);
                    case 1 -> build(name, tars);
                    default -> load(name, tars);
                }
                assertWhole(name, tars);
                sendAll();
                String container = "c" + number + "-" + round;
                var plan = images.snapshots().prepare(container, images.find(name));
                images.remove(name, true, ImageUsers.NONE);
                assertThat(plan.lowers()).as("what a container stands on").allMatch(lower -> lower.toFile().isDirectory());
                images.snapshots().remove(container);
            }
            return true;
        };
    }

    /// Sends whatever images there are, others' too, as a push and a save do: what begins to be sent is whole.
    private void sendAll() throws Exception {
        for (var image : images.list()) {
            String id = image.id().toString();
            try (var outgoing = images.outgoing(id); var archive = images.save(List.of(id), Optional.empty())) {
                for (var layer : outgoing.images().getFirst().layers()) {
                    try (var tar = layer.tar()) {
                        assertThat(Digest.sha256(tar.readAllBytes())).isEqualTo(layer.diffId());
                    }
                }
                archive.write(OutputStream.nullOutputStream());
                sent.incrementAndGet();
                images.history(id);
                images.departures().manifests(image.id());
            } catch (EngineException.NotFound e) {
                assertThat(e).hasMessage("No such image: " + id);
            }
        }
        images.layerUses();
    }

    @Test
    void nothingThatIsNamedOrComingIsCollected() throws Exception {
        long seed = Long.getLong("carafe.seed", System.nanoTime());
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var collector = pool.submit(() -> {
                while (!over.get()) {
                    images.collectGarbage();
                    collections.incrementAndGet();
                }
                return true;
            });
            var done = new ExecutorCompletionService<Boolean>(pool);
            for (int number = 0; number < 6; number++) {
                done.submit(worker(number, seed));
            }
            try {
                for (int number = 0; number < 6; number++) {
                    done.take().get();
                }
            } catch (ExecutionException e) {
                throw new AssertionError("with -Dcarafe.seed=" + seed, e.getCause());
            } finally {
                over.set(true);
            }
            collector.get();
        }
        assertThat(collections.get()).isGreaterThan(ROUNDS);
        assertThat(sent.get()).isPositive();
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
        images.collectGarbage();
        assertThat(images.layerUses()).isEmpty();
        assertThat(ContentStore.open(root.resolve("content")).list()).isEmpty();
    }
}
