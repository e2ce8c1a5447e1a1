package carafe.image;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

class ErofsFileLayersTest extends LayerStoreContract {

    ErofsFileLayersTest() {
        super(UnpackedLayer.Form.FILE);
    }

    /// As when a collection takes a layer between a look for its file and the opening.
    @Test
    void aFileThatIsNotThereIsNamedMissingByWhoeverOpensIt() {
        var gone = directory.resolve("gone");
        assertThatThrownBy(() -> LayerFile.read(gone)).isInstanceOf(NoSuchFileException.class)
                .hasMessage("layer gone is missing");
        assertThatThrownBy(() -> LayerFile.tar(gone)).isInstanceOf(NoSuchFileException.class);
    }
}
