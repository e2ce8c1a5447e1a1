package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DirectoryLayersTest extends LayerStoreContract {

    private UnpackedLayer store;

    @BeforeEach
    void open() throws Exception {
        store = new UnpackedLayer(directory.resolve("layers"));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    LayerStore store() {
        return store.layers;
    }

    @Override
    boolean isClean() throws Exception {
        return store.isClean();
    }

    @Test
    void whatACrashLeftIsSweptAtTheNextStart() throws Exception {
        store.layers.stage(new ByteArrayInputStream(new TestTar().add(TestTar.file("f", "x")).bytes()));
        assertThat(Files.list(directory.resolve("layers/tmp"))).hasSize(1);
        try (var next = new UnpackedLayer(directory.resolve("layers"))) {
            assertThat(next.isClean()).isTrue();
            assertThat(next.layers.list()).isEmpty();
        }
    }

    @Test
    void onlyTheOwnerMayLookIntoTheStore() throws Exception {
        assertThat(Files.getAttribute(directory.resolve("layers"), "unix:mode")).isEqualTo(040700);
    }
}
