package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The download of an image's files: what can be wrong with it is said before it begins, and nothing stays behind.
class ImageFilesTest {

    @TempDir
    private Path root;

    private EngineHarness harness;
    private ImageCatalog images;

    @BeforeEach
    void open() throws Exception {
        harness = new EngineHarness(root);
        images = harness.engine.images();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    private List<String> views() throws IOException {
        try (var all = Files.list(root.resolve("data/snapshots"))) {
            return all.map(path -> String.valueOf(path.getFileName())).filter(name -> name.startsWith("view-")).toList();
        }
    }

    private static OutputStream broken() {
        return new OutputStream() {
            @Override
            public void write(int octet) throws IOException {
                throw new IOException("the client is gone");
            }
        };
    }

    @Test
    void aDownloadIsReadyWhenItIsMade() throws Exception {
        assertThatThrownBy(() -> images.files("none")).isInstanceOf(EngineException.NotFound.class);
        try (var download = images.files("app")) {
            assertThat(views()).hasSize(1);
            download.write(OutputStream.nullOutputStream());
        }
        assertThat(views()).isEmpty();
    }

    @Test
    void whatCannotBeRemovedHidesNoOtherFailure() throws Exception {
        Path removed = root.resolve("data/snapshots/.unwritten");
        var download = images.files("app");
        Files.delete(removed);
        Files.writeString(removed, "no directory");
        assertThatThrownBy(() -> {
            try (download) {
                download.write(broken());
            }
        }).isInstanceOf(IOException.class).hasMessage("the client is gone").hasNoSuppressedExceptions();
        assertThat(views()).hasSize(1);
        Files.delete(removed);
        Files.createDirectory(removed);
        download.close();
        assertThat(views()).isEmpty();
    }
}
