package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.kernel.FdStream;
import carafe.kernel.FsContext;
import carafe.kernel.KernelException;
import carafe.kernel.Mounts;
import carafe.spec.EngineException;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images on a filesystem of eight megabytes.
class DiskFullTest {

    @TempDir
    private Path directory;
    private Images images;

    @BeforeEach
    void mount() throws Exception {
        try (var small = FsContext.mount("tmpfs", Map.of("size", "8m", "mode", "0700"), 0)) {
            Mounts.move(small, directory);
        }
        images = Images.open(directory.resolve("root"));
        images.awaitDeletion();
    }

    @AfterEach
    void unmount() throws Exception {
        images.awaitDeletion();
        images.close();
        Mounts.detach(directory);
    }

    private static TestImage image(String name, int bytes) {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return TestImage.of(name, new TestTar().add(TestTar.file("f", content)).bytes());
    }

    private void fill() throws Exception {
        Path file = directory.resolve("filler");
        try (var out = carafe.kernel.Descriptors.open(file, carafe.kernel.Linux.O_WRONLY | carafe.kernel.Linux.O_CREAT,
                0600)) {
            for (int size : new int[] {1 << 20, 4096, 1}) {
                byte[] zeros = new byte[size];
                while (true) {
                    FdStream.write(out, zeros);
                }
            }
        } catch (KernelException e) {
            assertThat(e.reason()).contains("no space");
        }
        try (var out = Files.newOutputStream(directory.resolve("filler2"))) {
            assertThatThrownBy(() -> out.write(new byte[1 << 20])).hasMessageContaining("No space");
        }
    }

    @Test
    void aLoadThatDoesNotFitLeavesNothingAndHarmsNothing() throws Exception {
        var small = image("docker.io/library/small:1", 1 << 20);
        images.load(small.stream(), LoadProgress.SILENT);
        for (byte[] archive : List.of(image("big:1", 20 << 20).dockerArchive(),
                image("docker.io/library/big:1", 20 << 20).ociArchive())) {
            assertThatThrownBy(() -> images.load(new ByteArrayInputStream(archive), LoadProgress.SILENT))
                    .isInstanceOf(EngineException.Unavailable.class).hasMessageContaining("no space left on device");
        }
        images.awaitDeletion();
        assertThat(images.list()).hasSize(1);
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
        for (String place : List.of("layers/tmp", "content/ingest")) {
            assertThat(directory.resolve("root").resolve(place)).isEmptyDirectory();
        }
        images.load(image("other:1", 3 << 20).stream(), LoadProgress.SILENT); // the room is free again
    }

    @Test
    void removingWorksWithNotAByteFree() throws Exception {
        images.load(image("docker.io/library/one:1", 1 << 20).stream(), LoadProgress.SILENT);
        images.load(image("docker.io/library/two:1", 1 << 20).stream(), LoadProgress.SILENT);
        images.awaitDeletion();
        fill();
        assertThatThrownBy(() -> images.load(image("three:1", 4096).stream(), LoadProgress.SILENT))
                .isInstanceOf(EngineException.Unavailable.class);
        images.remove("one:1", false, ImageUsers.NONE);
        images.awaitDeletion();
        assertThat(images.list()).hasSize(1);
        assertThat(images.sweep(java.time.Instant.now())).isZero();
        Files.delete(directory.resolve("filler"));
        images.load(image("three:1", 4096).stream(), LoadProgress.SILENT);
        assertThat(images.check(ImageCheck.Sources.NONE).problems()).isEmpty();
    }
}
