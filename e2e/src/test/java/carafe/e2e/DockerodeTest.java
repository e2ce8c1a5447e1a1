package carafe.e2e;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Our engine under dockerode, the client of Node's programs: `src/test/dockerode/contract.js` makes the calls and judges
/// what the library made of the answers.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class DockerodeTest {

    private static final Path SOURCE = Tools.ROOT.resolve("e2e/src/test/dockerode");
    private static final Path HERE = Tools.ROOT.resolve("e2e/target/dockerode");
    private static final Duration LONG = Duration.ofSeconds(120);

    private final EngineUnderTest engine;
    private final Path archive;

    DockerodeTest() throws Exception {
        engine = new CarafeDaemon();
        archive = TestImages.dockerArchive(engine.directory());
    }

    @BeforeAll
    void start() throws Exception {
        Files.createDirectories(HERE);
        try (var files = Files.list(SOURCE)) {
            for (Path file : files.toList()) {
                Files.copy(file, HERE.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Command.of("npm", "ci", "--prefix", HERE.toString(), "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund",
                        "--prefer-offline", "--fetch-retries=5")
                .within(LONG).run().good();
        engine.start();
        try (InputStream in = Files.newInputStream(archive)) {
            Client.carafe().to(engine).and("load").stdin(in.readAllBytes()).run().good();
        }
    }

    @AfterAll
    void stop() throws Exception {
        engine.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"system", "images", "build", "lifecycle", "attach", "terminal", "run", "logs", "exec", "events",
        "stats", "archives", "networks", "volumes", "aborting"})
    void theLibrarysUsersGetWhatTheyRelyOn(String group) throws Exception {
        Command.of("node", HERE.resolve("contract.js").toString(), engine.host().replace("unix://", ""), archive.toString(),
                group).within(LONG).run().good();
    }
}
