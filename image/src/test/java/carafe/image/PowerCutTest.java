package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.Manifest;
import carafe.spec.oci.MediaTypes;
import carafe.spec.oci.Reference;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Cuts the power before every step of a load and of a pull: the images lie on an ext4 of their own, and what its disk
/// holds at that moment is copied. What was written and not synced is in the page cache and not in the copy. From each
/// copy every image that has a name must come back whole, and the same work done again must succeed.
class PowerCutTest {

    private static final String NAME = "docker.io/library/app:1";
    private static final TestImage OLD = TestImage.of(NAME, tar("old", 1));
    private static final TestImage LOADED = TestImage.of(NAME, tar("new", 2));
    private static final TestImage PULLED = TestImage.of(NAME, tar("lower", 3), tar("upper", 4));

    @TempDir
    private Path directory;

    private Path disk;
    private Path mount;
    private final List<String> steps = new ArrayList<>();
    private final List<Path> cuts = new ArrayList<>();

    /// Half a megabyte, so that most of it is not synced with something else by chance.
    private static byte[] tar(String name, int seed) {
        byte[] content = new byte[500_000];
        new Random(seed).nextBytes(content);
        return new TestTar().add(TestTar.file(name, content)).add(TestTar.file("d/name", name)).bytes();
    }

    @BeforeEach
    void makeDisk() throws Exception {
        disk = directory.resolve("disk");
        mount = Files.createDirectory(directory.resolve("mount"));
        try (var file = new RandomAccessFile(disk.toFile(), "rw")) {
            file.setLength(48 << 20);
        }
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", disk.toString());
        mount(disk);
        try (var images = Images.open(mount.resolve("root"))) {
            images.load(OLD.stream(), LoadProgress.SILENT);
            images.awaitDeletion();
        }
        run("sync", "-f", mount.toString());
    }

    @AfterEach
    void unmount() throws Exception {
        run("umount", mount.toString());
    }

    /// Nothing is written back but what is synced: the next commit of the journal is minutes away.
    private void mount(Path from) throws Exception {
        run("mount", "-o", "loop,commit=300,noatime", from.toString(), mount.toString());
    }

    private static void run(String... words) throws IOException, InterruptedException {
        var process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as("%s: %s", String.join(" ", words), said).isZero();
    }

    @FunctionalInterface
    private interface Work {
        void on(Images images) throws Exception;
    }

    private void cutBeforeEveryStep(Work work) throws Exception {
        var armed = new boolean[1];
        CommitSteps cutting = step -> {
            synchronized (steps) {
                if (armed[0]) {
                    try {
                        Path copy = directory.resolve("cut" + steps.size());
                        run("cp", "--sparse=always", disk.toString(), copy.toString());
                        cuts.add(copy);
                        steps.add(step);
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                }
            }
        };
        try (var images = Images.open(mount.resolve("root"), LayerBounds.DEFAULT, cutting)) {
            images.awaitDeletion();
            armed[0] = true;
            work.on(images);
            armed[0] = false;
            images.awaitDeletion();
        }
    }

    private void everyCutHeals(TestImage next, Work work) throws Exception {
        int before = 0;
        for (int i = 0; i < cuts.size(); i++) {
            run("umount", mount.toString());
            mount(cuts.get(i));
            try (var images = Images.open(mount.resolve("root"))) {
                images.awaitDeletion();
                String when = "power cut before " + steps.get(i) + " (" + i + ")";
                var named = images.find("app:1").id();
                assertThat(named).as(when).isIn(OLD.id(), next.id());
                before += named.equals(OLD.id()) ? 1 : 0;
                var damaged = images.check(ImageCheck.Sources.NONE).problems().stream()
                        .filter(problem -> !problem.images().isEmpty()).toList();
                assertThat(damaged).as(when).isEmpty();
                work.on(images);
                images.awaitDeletion();
                assertThat(images.find("app:1").id()).as(when).isEqualTo(next.id());
                assertThat(images.check(ImageCheck.Sources.NONE).problems()).as("after " + when).isEmpty();
                assertThat(images.lower(Digest.sha256(next.layers().getFirst())).resolve("d/name")).exists();
            }
            Files.delete(cuts.get(i));
        }
        assertThat(before).as("cuts that left the old image").isBetween(8, cuts.size());
    }

    @Test
    void aLoadIsThereWholeOrNotAtAll() throws Exception {
        Work load = images -> images.load(LOADED.stream(), LoadProgress.SILENT);
        cutBeforeEveryStep(load);
        everyCutHeals(LOADED, load);
    }

    @Test
    void aPullIsThereWholeOrNotAtAll() throws Exception {
        Work pull = images -> {
            try (var intake = images.intake()) {
                var blobs = new ArrayList<Descriptor>();
                for (byte[] layer : PULLED.layers()) {
                    var blob = Descriptor.of(MediaTypes.OCI_LAYER, layer);
                    blobs.add(blob);
                    intake.layer(new Intake.Layer(blob, Digest.sha256(layer), "far.example/app"),
                            () -> new ByteArrayInputStream(layer));
                }
                byte[] manifest = Manifest.of(Descriptor.of(MediaTypes.OCI_CONFIG, PULLED.config()), blobs)
                        .toJson().printBytes();
                intake.commit(PULLED.config(), manifest, List.of(Reference.parse(NAME)), Optional.empty());
            }
        };
        cutBeforeEveryStep(pull);
        everyCutHeals(PULLED, pull);
    }

    @Test
    void aRemovalLeavesTheImageWholeOrNoName() throws Exception {
        cutBeforeEveryStep(images -> images.remove(NAME, false, ImageUsers.NONE));
        int named = 0;
        for (int i = 0; i < cuts.size(); i++) {
            run("umount", mount.toString());
            mount(cuts.get(i));
            try (var images = Images.open(mount.resolve("root"))) {
                images.awaitDeletion();
                String when = "power cut before " + steps.get(i) + " (" + i + ")";
                assertThat(images.check(ImageCheck.Sources.NONE).problems()).as(when).isEmpty();
                if (!images.list().isEmpty()) {
                    assertThat(images.find("app:1").id()).as(when).isEqualTo(OLD.id());
                    named++;
                    images.remove(NAME, false, ImageUsers.NONE);
                }
                images.sweep(Instant.now());
                images.awaitDeletion();
                assertThat(images.layerBytes()).as(when).isZero();
                images.load(OLD.stream(), LoadProgress.SILENT);
                assertThat(images.check(ImageCheck.Sources.NONE).problems()).as("after " + when).isEmpty();
            }
            Files.delete(cuts.get(i));
        }
        assertThat(named).as("cuts that left the image").isBetween(3, cuts.size() - 1);
    }

    /// The simulation must take away what is not synced, or the tests above prove nothing.
    @Test
    void theCutTakesWhatIsNotSynced() throws Exception {
        Files.write(mount.resolve("synced"), new byte[9000]);
        run("sync", mount.resolve("synced").toString());
        Files.write(mount.resolve("unsynced"), new byte[9000]);
        Path copy = directory.resolve("cut");
        run("cp", "--sparse=always", disk.toString(), copy.toString());
        run("umount", mount.toString());
        mount(copy);
        assertThat(mount.resolve("synced")).hasSize(9000);
        assertThat(mount.resolve("unsynced")).doesNotExist();
    }
}
