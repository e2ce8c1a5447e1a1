package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Dies at every step of a change in turn: the state root is copied at that moment, as a kill would leave it, and
/// opened again. Whatever is visible then is whole, and a retry does the work.
class CrashTest {

    private static final int MOST_STEPS = 100;

    private static final TestImage IMAGE = TestImage.of("docker.io/library/app:1",
            new TestTar().add(TestTar.file("base", "b")).bytes(), new TestTar().add(TestTar.file("top", "t")).bytes());

    @TempDir
    private Path directory;

    /// Dies at the step number `deadly`, counted from 1.
    private static final class Death implements CommitSteps {
        private final Path root;
        private final Path copy;
        private final int deadly;
        private final List<String> steps = new ArrayList<>();
        private boolean armed;
        private @Nullable Images images;

        Death(Path root, Path copy, int deadly) {
            this.root = root;
            this.copy = copy;
            this.deadly = deadly;
        }

        @Override
        public synchronized void before(String step) throws IOException {
            if (!armed) {
                return;
            }
            steps.add(step);
            if (steps.size() == deadly) {
                if (images != null) { // cp fails when a file vanishes below it
                    awaitDeletion(images);
                }
                copy(root, copy);
            }
            if (steps.size() >= deadly) {
                throw new IOException("died before: " + step);
            }
        }

        boolean happened() {
            return steps.size() >= deadly;
        }
    }

    private static void awaitDeletion(Images images) {
        try {
            images.awaitDeletion();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try {
            assertThat(new ProcessBuilder("cp", "-a", from.toString(), to.toString()).inheritIO().start().waitFor())
                    .isZero();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void load(Images images) throws EngineException {
        images.load(new ByteArrayInputStream(IMAGE.dockerArchive()), LoadProgress.SILENT);
    }

    @Test
    void aLoadThatDiesShowsAllOrNothing() throws Exception {
        int died = 0;
        for (int step = 1; step < MOST_STEPS; step++) {
            Path root = directory.resolve("root" + step);
            Path copy = directory.resolve("copy" + step);
            var death = new Death(root, copy, step);
            try (var images = Images.open(root, LayerBounds.DEFAULT, death)) {
                death.images = images;
                death.armed = true;
                if (!dies(() -> load(images), death)) {
                    break;
                }
                died++;
                images.awaitDeletion();
            }
            try (var images = Images.open(copy)) {
                images.awaitDeletion();
                assertWhole(images, death);
                load(images);
                assertThat(images.find("app:1").id()).isEqualTo(IMAGE.id());
                assertWhole(images, death);
                images.remove("app:1", false, ImageUsers.NONE);
                images.awaitDeletion();
                assertEmpty(copy);
            }
        }
        assertThat(died).isGreaterThanOrEqualTo(15);
    }

    /// What a power cut takes is what was not synced, so nothing may get its name before.
    @Test
    void nothingIsNamedBeforeItIsSynced() throws Exception {
        var steps = new ArrayList<String>();
        try (var images = Images.open(directory, LayerBounds.DEFAULT, step -> {
            synchronized (steps) {
                steps.add(step);
            }
        })) {
            steps.clear();
            load(images);
            images.awaitDeletion();
        }
        assertThat(steps.stream().filter("sync layer"::equals)).hasSize(2);
        assertThat(steps.lastIndexOf("write layer")).isLessThan(steps.lastIndexOf("sync layer"));
        assertThat(steps.lastIndexOf("sync layer")).isLessThan(steps.indexOf("rename layer"));
        assertThat(steps.lastIndexOf("rename layer")).isLessThan(steps.indexOf("sync layer names"));
        assertThat(steps.indexOf("sync layer names")).isLessThan(steps.indexOf("write index.json"));
        assertThat(steps.indexOf("sync blob")).isLessThan(steps.indexOf("rename blob"));
        assertThat(steps.lastIndexOf("sync blob directory")).isLessThan(steps.indexOf("write index.json"));
        assertThat(steps.indexOf("sync index.json")).isLessThan(steps.indexOf("rename index.json"));
    }

    @Test
    void aRemovalThatDiesLeavesAWholeImageOrNone() throws Exception {
        int died = 0;
        for (int step = 1; step < MOST_STEPS; step++) {
            Path root = directory.resolve("root" + step);
            Path copy = directory.resolve("copy" + step);
            var death = new Death(root, copy, step);
            try (var images = Images.open(root, LayerBounds.DEFAULT, death)) {
                load(images);
                death.images = images;
                death.armed = true;
                if (!dies(() -> images.remove("app:1", false, ImageUsers.NONE), death)) {
                    break;
                }
                died++;
                images.awaitDeletion();
            }
            try (var images = Images.open(copy)) {
                images.awaitDeletion();
                assertWhole(images, death);
                load(images);
                assertWhole(images, death);
                images.remove("app:1", false, ImageUsers.NONE);
                images.awaitDeletion();
                assertEmpty(copy);
            }
        }
        assertThat(died).isGreaterThanOrEqualTo(5);
    }

    private interface Change {
        void run() throws EngineException;
    }

    private static boolean dies(Change change, Death death) throws EngineException {
        if (death.deadly == MOST_STEPS) {
            throw new AssertionError("more steps than expected: " + death.steps);
        }
        try {
            change.run();
        } catch (EngineException e) {
            assertThat(e).isInstanceOf(EngineException.Unavailable.class).hasMessageContaining("died before");
        }
        return death.happened();
    }

    private static void assertWhole(Images images, Death death) throws Exception {
        for (var image : images.list()) {
            assertThat(image.id()).as("died at %s", death.steps).isEqualTo(IMAGE.id());
            assertThat(images.configBytes(image.id())).isEqualTo(IMAGE.config());
            var diffIds = image.config().diffIds();
            assertThat(images.lower(diffIds.get(0)).resolve("base")).hasContent("b");
            assertThat(images.lower(diffIds.get(1)).resolve("top")).hasContent("t");
        }
    }

    private static void assertEmpty(Path root) throws IOException {
        for (String place : List.of("layers/tmp", "content/ingest", "content/blobs/sha256", "snapshots/.tmp")) {
            try (var left = Files.list(root.resolve(place))) {
                assertThat(left).as(place).isEmpty();
            }
        }
        try (var left = Files.list(root.resolve("layers"))) {
            assertThat(left).hasSize(1);
        }
    }

    @Test
    void aDamagedIndexIsSaidAndNotReplaced() throws Exception {
        Images.open(directory).close();
        Files.writeString(directory.resolve("content/index.json"), "{\"manifests\":[{}]}");
        assertThatThrownBy(() -> Images.open(directory)).isInstanceOf(EngineException.Internal.class)
                .hasMessageContaining("open the images in");
        assertThat(directory.resolve("content/index.json")).hasContent("{\"manifests\":[{}]}");
    }
}
