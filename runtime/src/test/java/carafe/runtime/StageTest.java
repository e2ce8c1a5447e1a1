package carafe.runtime;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// A test with real containers: each gets a stage of its own, which proves at the end that nothing is left.
@SuppressWarnings("NullAway.Init") // JUnit opens it before each test
abstract class StageTest {

    RuntimeStage stage;

    @BeforeEach
    final void open() throws Exception {
        stage = new RuntimeStage(assembly());
    }

    /// How its mounts are put together.
    Assembly assembly() {
        return Assembly.ofThisKernel();
    }

    @AfterEach
    final void close() throws Exception {
        stage.close();
    }
}
