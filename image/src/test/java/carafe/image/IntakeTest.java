package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Index;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Platform;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IntakeTest {

    private static final byte[] TAR = new TestTar().add(TestTar.file("f", "x".repeat(5000))).bytes();
    private static final Digest DIFF_ID = Digest.sha256(TAR);
    private static final String REPOSITORY = "registry.example.com/team/app";
    private static final Reference NAME = new Reference("registry.example.com", "team/app", Optional.of("1"),
            Optional.empty());

    @TempDir
    private Path root;
    private Images images;
    private final TestImage image = TestImage.of("x:1", TAR);
    private byte[] blob = {};

    @BeforeEach
    void open() throws Exception {
        images = Images.open(root);
        blob = TestImage.gzip(TAR);
    }

    @AfterEach
    void close() throws Exception {
        images.awaitDeletion();
        images.close();
    }

    private Intake.Layer layer() {
        return new Intake.Layer(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, blob), DIFF_ID, REPOSITORY);
    }

    private byte[] manifest(byte[] config) {
        return Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, config), List.of(layer().blob())).toJson().printBytes();
    }

    private Intake.Source source() {
        return () -> new ByteArrayInputStream(blob);
    }

    @Test
    void anImageIsVisibleWhenItIsCommittedAndKeepsItsDocuments() throws Exception {
        byte[] manifest = manifest(image.config());
        try (var intake = images.intake()) {
            assertThat(intake.has(DIFF_ID)).isFalse();
            intake.layer(layer(), source());
            assertThat(intake.has(DIFF_ID)).isTrue();
            assertThat(images.list()).isEmpty();
            assertThat(intake.commit(image.config(), manifest, List.of(NAME), Optional.empty())).isEmpty();
        }
        try (var all = images.outgoing("registry.example.com/team/app:1")) {
            var outgoing = all.images().getFirst();
            assertThat(all.index()).isEmpty();
            assertThat(outgoing.image().id()).isEqualTo(image.id());
            assertThat(outgoing.manifest()).isEqualTo(manifest);
            assertThat(outgoing.config()).isEqualTo(image.config());
            var layer = outgoing.layers().getFirst();
            assertThat(layer.known()).extracting(OutgoingLayer.KnownBlob::blob).containsExactly(layer().blob());
            assertThat(layer.known().getFirst().repositories()).containsExactly(REPOSITORY);
            try (var tar = layer.tar()) {
                assertThat(tar.readAllBytes()).isEqualTo(TAR);
            }
            var first = new ByteArrayOutputStream();
            var descriptor = layer.write(first);
            assertThat(Digest.sha256(first.toByteArray())).isEqualTo(descriptor.digest());
            assertThat(first.size()).isEqualTo((int) descriptor.size());
            var second = new ByteArrayOutputStream();
            layer.write(second);
            assertThat(second.toByteArray()).isEqualTo(first.toByteArray());
            assertThat(layer.known().getFirst().blob()).isEqualTo(descriptor);
        }
    }

    /// The collector has seen that nobody keeps the layer and is about to remove it, when somebody finds it there.
    @Test
    void aLayerThatComesInWhileItsOldCopyIsRemovedStays() throws Exception {
        images.close();
        var removing = new AtomicReference<Runnable>(() -> { });
        images = Images.open(root, LayerBounds.DEFAULT, step -> {
            if (step.equals("remove layer")) {
                removing.getAndSet(() -> { }).run();
            }
        });
        try (var intake = images.intake()) {
            intake.layer(new ByteArrayInputStream(TAR));
        }
        try (var intake = images.intake()) {
            var failed = new AtomicReference<Exception>();
            var comes = Thread.ofPlatform().unstarted(() -> {
                try {
                    intake.layer(new ByteArrayInputStream(TAR));
                } catch (EngineException e) {
                    failed.set(e);
                }
            });
            removing.set(() -> {
                comes.start();
                while (comes.isAlive() && !waitsToHold(comes)) {
                    Thread.onSpinWait();
                }
            });
            images.collectGarbage();
            comes.join();
            assertThat(failed).hasNullValue();
            assertThat(intake.has(DIFF_ID)).isTrue();
        }
    }

    private static boolean waitsToHold(Thread thread) {
        return thread.getState() == Thread.State.WAITING
                && Stream.of(thread.getStackTrace()).anyMatch(frame -> frame.getMethodName().equals("hold"));
    }

    @Test
    void layersOfParallelIntakesAreFetchedOnce() throws Exception {
        var opened = new AtomicInteger();
        var go = new CountDownLatch(1);
        Intake.Source slow = () -> {
            opened.incrementAndGet();
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return new ByteArrayInputStream(blob);
        };
        var tasks = new ArrayList<Callable<Boolean>>();
        for (int i = 0; i < 8; i++) {
            tasks.add(() -> {
                try (var intake = images.intake()) {
                    intake.layer(layer(), slow);
                    return intake.has(DIFF_ID);
                }
            });
        }
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var results = tasks.stream().map(pool::submit).toList();
            go.countDown();
            for (var result : results) {
                assertThat(result.get()).isTrue();
            }
        }
        assertThat(opened).hasValue(1);
    }

    @Test
    void aFailedFetchIsTriedByTheNextOne() throws Exception {
        try (var intake = images.intake()) {
            assertThatThrownBy(() -> intake.layer(layer(), () -> {
                throw new IOException("connection reset");
            })).isInstanceOf(EngineException.Unavailable.class).hasMessageContaining("connection reset");
            intake.layer(layer(), source());
            assertThat(intake.has(DIFF_ID)).isTrue();
        }
    }

    @Test
    void wrongBytesNeverBecomeALayer() throws Exception {
        byte[] other = TestImage.gzip(new TestTar().add(TestTar.file("g", "x")).bytes());
        var rightSize = new Intake.Layer(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, layer().blob().digest(),
                other.length), DIFF_ID, "");
        var wrongDiffId = new Intake.Layer(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, other), DIFF_ID, "");
        try (var intake = images.intake()) {
            Intake.Source wrong = () -> new ByteArrayInputStream(other);
            assertThatThrownBy(() -> intake.layer(layer(), wrong)).hasMessageContaining("unexpected size");
            assertThatThrownBy(() -> intake.layer(rightSize, wrong)).hasMessageContaining("verification failed");
            assertThatThrownBy(() -> intake.layer(wrongDiffId, wrong)).hasMessageContaining("configuration says");
            assertThatThrownBy(() -> intake.layer(layer(),
                    () -> new ByteArrayInputStream("<html>".getBytes(StandardCharsets.UTF_8))))
                    .isInstanceOf(EngineException.Invalid.class);
            assertThatThrownBy(() -> intake.layer(layer(), () -> new ByteArrayInputStream(blob, 0, blob.length - 9)))
                    .isInstanceOf(EngineException.Invalid.class);
            assertThatThrownBy(() -> intake.commit(image.config(), manifest(image.config()), List.of(NAME),
                    Optional.empty())).hasMessageContaining("missing");
            assertThatThrownBy(() -> intake.commit("{}".getBytes(StandardCharsets.UTF_8), manifest(image.config()),
                    List.of(NAME), Optional.empty())).hasMessageContaining("config verification failed");
        }
        assertThat(images.list()).isEmpty();
        assertThat(images.layerBytes()).isZero();
    }

    @Test
    void whatIsSaidOfALayerThatIsHereIsNotBelieved() throws Exception {
        byte[] other = TestImage.gzip(new TestTar().add(TestTar.file("g", "x")).bytes());
        var lie = new Intake.Layer(Descriptor.of(MediaTypes.OCI_LAYER_GZIP, other), DIFF_ID, REPOSITORY);
        Intake.Source never = () -> {
            throw new IOException("opened");
        };
        try (var intake = images.intake()) {
            intake.layer(layer(), source());
            intake.layer(lie, never);
            intake.layer(new Intake.Layer(layer().blob(), DIFF_ID, "registry.example.com/team/other"), never);
            assertThat(intake.blob(DIFF_ID, layer().blob())).isEqualTo(layer().blob());
            assertThat(intake.blob(DIFF_ID, lie.blob()))
                    .isEqualTo(Descriptor.of(MediaTypes.OCI_LAYER, DIFF_ID, TAR.length));
            byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, image.config()), List.of(lie.blob()))
                    .toJson().printBytes();
            intake.commit(image.config(), manifest, List.of(NAME), Optional.empty());
        }
        try (var outgoing = images.outgoing(NAME.toString())) {
            var known = outgoing.images().getFirst().layers().getFirst().known();
            assertThat(known).extracting(OutgoingLayer.KnownBlob::blob).containsExactly(layer().blob());
            assertThat(known.getFirst().repositories()).containsExactlyInAnyOrder(REPOSITORY,
                    "registry.example.com/team/other");
        }
        try (var intake = images.intake()) {
            var honest = TestImage.of("honest:1", new TestTar().add(TestTar.file("g", "x")).bytes());
            images.load(honest.stream(), LoadProgress.SILENT); // an archive's blob is not taken for what the lie says
            assertThat(images.find("honest:1").id()).isEqualTo(honest.id());
            assertThat(intake.has(DIFF_ID)).isTrue();
        }
    }

    @Test
    void anotherHashThanSha256IsVerifiedToo() throws Exception {
        var hasher = Digest.Algorithm.SHA512.hasher();
        var wide = Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.finish(Digest.Algorithm.SHA512,
                hasher.digest(blob)), blob.length);
        var lie = Descriptor.of(MediaTypes.OCI_LAYER_GZIP, Digest.finish(Digest.Algorithm.SHA512,
                hasher.digest(TAR)), blob.length);
        try (var intake = images.intake()) {
            assertThatThrownBy(() -> intake.layer(new Intake.Layer(lie, DIFF_ID, ""), source()))
                    .hasMessageContaining("verification failed");
            intake.layer(new Intake.Layer(wide, DIFF_ID, ""), source());
            assertThat(intake.has(DIFF_ID)).isTrue();
        }
    }

    @Test
    void aCollectionSparesWhatAnIntakeHolds() throws Exception {
        images.load(TestImage.of("other:1", new TestTar().add(TestTar.file("o", "o")).bytes()).stream(),
                LoadProgress.SILENT);
        try (var intake = images.intake()) {
            intake.layer(layer(), source());
            images.remove("other:1", false, ImageUsers.NONE);
            intake.commit(image.config(), manifest(image.config()), List.of(NAME), Optional.empty());
        }
        assertThat(images.find(NAME.toString()).size()).isEqualTo(5000);
    }

    @Test
    void imagesOfOneIndexShareTheirNameByPlatform() throws Exception {
        byte[] foreign = new String(image.config(), StandardCharsets.UTF_8)
                .replace("\"" + Platform.host().architecture() + "\"", "\"riscv64\"").getBytes(StandardCharsets.UTF_8);
        byte[] index = Index.of(List.of(Descriptor.of(MediaTypes.OCI_MANIFEST, manifest(image.config())),
                Descriptor.of(MediaTypes.OCI_MANIFEST, manifest(foreign)))).toJson().printBytes();
        try (var intake = images.intake()) {
            intake.layer(layer(), source());
            intake.commit(image.config(), manifest(image.config()), List.of(NAME), Optional.of(index));
            intake.commit(foreign, manifest(foreign), List.of(NAME), Optional.of(index));
        }
        for (int round = 0; round < 2; round++) {
            assertThat(images.find(NAME.toString()).id()).isEqualTo(image.id());
            assertThat(images.find(NAME.toString(), Platform.of("linux", "riscv64")).id())
                    .isEqualTo(Digest.sha256(foreign));
            assertThatThrownBy(() -> images.find(NAME.toString(), Platform.of("linux", "s390x")))
                    .isInstanceOf(EngineException.NotFound.class);
            try (var saved = images.save(List.of(NAME.toString()), Optional.of(Platform.of("linux", "riscv64")))) {
                assertThat(saved.images()).extracting(Image::id).containsExactly(Digest.sha256(foreign));
            }
            assertThatThrownBy(() -> images.save(List.of(NAME.toString()), Optional.of(Platform.of("linux", "s390x"))))
                    .isInstanceOf(EngineException.NotFound.class);
            images.close();
            images = Images.open(root);
        }
        images.remove(NAME.toString(), false, ImageUsers.NONE);
        assertThat(images.list()).isEmpty();
        assertThat(images.layerBytes()).isZero();
        assertThat(root.resolve("content/blobs/sha256")).isEmptyDirectory();
    }

    @Test
    void aLayerOfUnknownDigestTellsIt() throws Exception {
        try (var intake = images.intake(); InputStream in = new ByteArrayInputStream(blob)) {
            assertThat(intake.layer(in).diffId()).isEqualTo(DIFF_ID);
        }
    }
}
