package carafe.build.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.plan.Mount;
import carafe.build.tree.FileSource;
import carafe.build.tree.MountedTree;
import carafe.build.tree.Node;
import carafe.kernel.Descriptors;
import carafe.kernel.Linux;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class CacheMountsTest {

    @TempDir
    Path directory;

    private CacheMounts mounts;
    private final AtomicReference<Object> took = new AtomicReference<>();
    private Thread step = new Thread();

    @BeforeEach
    void open() throws Exception {
        mounts = CacheMounts.open(directory.resolve("mounts"));
        Files.createDirectories(directory.resolve("source"));
        Files.writeString(directory.resolve("source/f"), "imported");
    }

    @AfterEach
    void join() throws Exception {
        step.join();
        assertThat(mounts.list()).noneMatch(CacheMounts.Kept::inUse);
    }

    private static Mount.Cache mount(Mount.Sharing sharing) {
        return new Mount.Cache("/m", "m", Optional.empty(), "", false, sharing, new Mount.Owner(0755, 0, 0));
    }

    /// Starts a step that shares the mount, and comes back when it waits or has what it wants.
    private void startSharingStep() {
        step = Thread.ofPlatform().start(() -> {
            try (var use = mounts.use(mount(Mount.Sharing.SHARED), _ -> { })) {
                Path file = use.data.resolve("f");
                took.set(Files.exists(file) ? Files.readString(file) : "empty");
            } catch (Exception e) {
                took.set(e);
            }
        });
        while (step.getState() != Thread.State.WAITING && step.getState() != Thread.State.TERMINATED) {
            Thread.onSpinWait();
        }
    }

    /// The files in `source`; `before` runs before their first content is read.
    private final class Arriving implements FileSource {
        private final MountedTree files;
        private final Before before;

        Arriving(Before before) throws IOException {
            this.files = MountedTree.adopt(Descriptors.open(directory.resolve("source"), Linux.O_PATH | Linux.O_DIRECTORY, 0));
            this.before = before;
        }

        @Override
        public Optional<Node> follow(String path) throws IOException {
            return files.follow(path);
        }

        @Override
        public Optional<Node> find(String path) throws IOException {
            return files.find(path);
        }

        @Override
        public List<Node> list(String path) throws IOException {
            return files.list(path);
        }

        @Override
        public InputStream open(Node file) throws IOException {
            before.run();
            return files.open(file);
        }

        @Override
        public Digest content(Node file) throws IOException {
            return files.content(file);
        }

        @Override
        public void close() {
            files.close();
        }
    }

    private interface Before {
        void run() throws IOException;
    }

    @Test
    void aSharingStepWaitsForAnImportAndFindsAllOfIt() throws Exception {
        try (var source = new Arriving(this::startSharingStep)) {
            assertThat(mounts.adopt("m", source)).isTrue();
        }
        step.join();
        assertThat(took.get()).isEqualTo("imported");
    }

    @Test
    void aSharingStepWaitsForALook() throws Exception {
        try (var source = new Arriving(() -> { })) {
            mounts.adopt("m", source);
        }
        mounts.look("m", _ -> {
            startSharingStep();
            assertThat(took.get()).isNull();
            return true;
        });
        step.join();
        assertThat(took.get()).isEqualTo("imported");
    }

    @Test
    void aSharingStepWaitsForALockedOneAndNotForAnotherThatShares() throws Exception {
        try (var _ = mounts.use(mount(Mount.Sharing.LOCKED), _ -> { })) {
            startSharingStep();
            assertThat(took.get()).isNull();
        }
        step.join();
        assertThat(took.getAndSet(null)).isEqualTo("empty");
        try (var _ = mounts.use(mount(Mount.Sharing.SHARED), _ -> { })) {
            startSharingStep();
            step.join();
            assertThat(took.get()).isEqualTo("empty");
        }
    }

    @Test
    void whatAStepUsesIsNeitherImportedNorRemoved() throws Exception {
        try (var _ = mounts.use(mount(Mount.Sharing.SHARED), _ -> { }); var source = new Arriving(() -> { })) {
            assertThat(mounts.adopt("m", source)).isFalse();
            assertThat(mounts.remove(mounts.list().getFirst())).isFalse();
        }
        assertThat(mounts.remove(mounts.list().getFirst())).isTrue();
    }

    @Test
    void ofAnImportThatFailedNothingStays() throws Exception {
        try (var source = new Arriving(() -> {
            throw new IOException("the layer broke off");
        })) {
            assertThatThrownBy(() -> mounts.adopt("m", source)).hasMessage("the layer broke off");
        }
        assertThat(directory.resolve("mounts")).isEmptyDirectory();
        try (var source = new Arriving(() -> { })) {
            assertThat(mounts.adopt("m", source)).isTrue();
        }
    }

    @Test
    void aMountThatWasFilledByHalfNeverCountsAndTheNextStepFillsItAnew() throws Exception {
        for (var sharing : Mount.Sharing.values()) {
            assertThatThrownBy(() -> mounts.use(mount(sharing), data -> {
                Files.writeString(data.resolve("half"), "");
                throw new IOException("the source broke off");
            })).hasMessage("the source broke off");
            assertThat(directory.resolve("mounts")).isEmptyDirectory();
            try (var use = mounts.use(mount(sharing), data -> Files.writeString(data.resolve("f"), "whole"))) {
                assertThat(use.data).isDirectoryNotContaining("glob:**/half");
                assertThat(use.data.resolve("f")).hasContent("whole");
            }
            try (var use = mounts.use(mount(sharing), data -> Files.writeString(data.resolve("f"), "twice"))) {
                assertThat(use.data.resolve("f")).hasContent("whole");
            }
            assertThat(mounts.remove(mounts.list().getFirst())).isTrue();
        }
    }

    @Test
    void aSharingStepWaitsUntilAnotherHasFilledTheMountAndThenSharesIt() throws Exception {
        try (var use = mounts.use(mount(Mount.Sharing.SHARED), data -> {
            startSharingStep();
            assertThat(took.get()).isNull();
            Files.writeString(data.resolve("f"), "whole");
        })) {
            step.join();
            assertThat(took.get()).isEqualTo("whole");
            assertThat(use.data.resolve("f")).exists();
        }
    }

    @Test
    void whatACrashLeftIsDeletedWhenTheCachesAreOpened() throws Exception {
        Path half = directory.resolve("mounts/0123/arriving");
        Files.createDirectories(half);
        Files.writeString(half.resolve("f"), "half");
        try (var source = new Arriving(() -> { })) {
            mounts.adopt("m", source);
        }
        Path kept = mounts.list().getFirst().data();
        Files.createDirectories(kept.resolveSibling("arriving/d"));
        mounts = CacheMounts.open(directory.resolve("mounts"));
        assertThat(directory.resolve("mounts/0123")).doesNotExist();
        assertThat(kept.resolveSibling("arriving")).doesNotExist();
        assertThat(kept.resolve("f")).hasContent("imported");
    }
}
