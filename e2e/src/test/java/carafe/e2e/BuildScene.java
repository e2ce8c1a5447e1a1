package carafe.e2e;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/// What tests of builds begin with: an engine of their own that has the image `busybox`, our command, and contexts.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class BuildScene {

    final CarafeDaemon engine;
    final Client carafe = Client.carafe();

    BuildScene() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        run("load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    final Outcome run(String... words) throws Exception {
        return carafe.to(engine).and(words).run();
    }

    /// A context of this Dockerfile alone.
    final Path context(String dockerfile) throws Exception {
        Path directory = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(directory.resolve("Dockerfile"), dockerfile);
        return directory;
    }
}
