package carafe.network;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What tests of networks begin with: a stage of its own, the fabric on it, and names of two sandboxes.
abstract class FabricScene {

    static final String ONE = "1".repeat(64);
    static final String TWO = "2".repeat(64);

    @TempDir
    Path run;

    FabricStage stage;
    LinuxFabric fabric;

    @BeforeEach
    void open() throws Exception {
        stage = new FabricStage(run);
        fabric = stage.open();
    }

    @AfterEach
    void close() {
        fabric.close();
        stage.close();
    }
}
