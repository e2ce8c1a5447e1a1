package carafe.network;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What tests of networks begin with that open their fabrics themselves: a stage of its own, and names of two sandboxes.
abstract class StageScene {

    static final String ONE = "1".repeat(64);
    static final String TWO = "2".repeat(64);

    @TempDir
    Path run;

    FabricStage stage;

    @BeforeEach
    void openStage() throws Exception {
        stage = new FabricStage(run);
    }

    @AfterEach
    void closeStage() {
        stage.close();
    }
}
