package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.FsContext;
import carafe.kernel.Mounts;
import carafe.spec.oci.Digest;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which form of layers is chosen where the kernel really lacks what the better ones need.
class LayerChoiceTest {

    private static final byte[] TAR = new TestTar().add(TestTar.directory("d")).add(TestTar.file("d/f", "kept")).bytes();
    private static final Digest DIFF_ID = Digest.sha256(TAR);

    @TempDir
    private Path directory;

    private Path root() {
        return directory.resolve("layers");
    }

    /// Opens the layers, puts one there unless it is, reads it, and says in which form they are.
    static LayerForm open(Path root) throws Exception {
        try (var trash = new Trash(); var store = LayerStores.open(root, trash, LayerBounds.DEFAULT, CommitSteps.REAL)) {
            if (!store.has(DIFF_ID)) {
                var staged = store.stage(new ByteArrayInputStream(TAR));
                store.sync(List.of(staged));
                staged.commit();
                store.syncNames();
            }
            assertThat(store.lower(DIFF_ID).resolve("d/f")).hasContent("kept");
            assertThat(store.fault(DIFF_ID)).isEmpty();
            try (var tar = store.tar(DIFF_ID)) {
                assertThat(tar.readAllBytes()).isEqualTo(TAR);
            }
            return store.form();
        }
    }

    @Test
    void aDevelopersKernelMountsFiles() throws Exception {
        assertThat(open(root())).isEqualTo(LayerForm.FILE);
        assertThat(root().resolve(DIFF_ID.hex())).isRegularFile();
    }

    /// The kernel reads no image out of a tmpfs by itself.
    @Test
    void whereTheFileSystemDoesNotServeForItLoopDevicesAreTaken() throws Exception {
        try (var small = FsContext.mount("tmpfs", Map.of("size", "8m", "mode", "0700"), 0)) {
            Mounts.move(small, directory);
        }
        try {
            assertThat(open(root())).isEqualTo(LayerForm.LOOP);
            assertThat(root().resolve(DIFF_ID.hex())).isRegularFile();
        } finally {
            Mounts.detach(directory);
        }
    }

    /// No image may be mounted there, by whichever way.
    @Test
    void inAUserNamespaceLayersBecomeDirectoriesAndFilesAgainOutside() throws Exception {
        assertThat(open(root())).isEqualTo(LayerForm.FILE);
        var process = new ProcessBuilder("unshare", "--user", "--map-root-user", "--mount",
                Path.of(System.getProperty("java.home"), "bin/java").toString(), "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow", "-cp", System.getProperty("java.class.path"),
                LayerChoiceProgram.class.getName(), root().toString()).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said.lines().toList()).contains("DIRECTORY");
        assertThat(Files.isDirectory(root().resolve(DIFF_ID.hex()))).isTrue();
        assertThat(open(root())).isEqualTo(LayerForm.FILE);
        assertThat(root().resolve(DIFF_ID.hex())).isRegularFile();
    }

    /// In the virtual machine.
    @Test
    @Tag("older-kernel")
    void aKernelThatMountsNoSuchFilesHasDirectories() throws Exception {
        assertThat(open(root())).isEqualTo(LayerForm.DIRECTORY);
        assertThat(Files.isDirectory(root().resolve(DIFF_ID.hex()))).isTrue();
    }
}
