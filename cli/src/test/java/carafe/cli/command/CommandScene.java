package carafe.cli.command;

import carafe.cli.session.TestSession;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What tests of commands begin with: a played engine, and somebody who gives commands to it.
abstract class CommandScene {

    @TempDir
    Path directory;

    final TestSession caller = new TestSession();
    FakeEngine engine;

    @BeforeEach
    void start() throws Exception {
        engine = new FakeEngine(directory);
        caller.environment.put("CARAFE_HOST", engine.host());
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    final int run(String... words) {
        return Carafe.run(caller.session(words), address -> false);
    }
}
