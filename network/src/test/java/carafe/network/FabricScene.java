package carafe.network;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// The same with a fabric on the stage.
abstract class FabricScene extends StageScene {

    LinuxFabric fabric;

    @BeforeEach
    void open() throws Exception {
        fabric = stage.open();
    }

    @AfterEach
    void close() {
        fabric.close();
    }
}
