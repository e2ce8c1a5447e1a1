package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What is told of a build while its base, or its context, is still on the way.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeBuildArrivalTest {

    private static final long LITTLE = 64 << 10;

    private final EngineUnderTest engine;
    private DebianRegistry registry;

    CarafeBuildArrivalTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        registry = DebianRegistry.open();
        String name = registry.host() + "/team/base:1";
        run("load", "--input", TestImages.dockerArchive(engine.directory()).toString());
        run("tag", "busybox", name);
        run("push", name);
        run("rmi", name, "busybox");
    }

    @AfterAll
    void stop() throws Exception {
        engine.close();
        registry.close();
    }

    /// Else a layer is here already when the next test pulls it.
    @AfterEach
    void keepNothing() throws Exception {
        run("image", "prune", "-af");
        run("builder", "prune", "-af");
    }

    private void run(String... words) throws Exception {
        Client.carafe().to(engine).and(words).run().good();
    }

    private Path context(String base) throws Exception {
        Path context = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(context.resolve("Dockerfile"), "FROM " + base + "\nCOPY . /all\n");
        return context;
    }

    @Test
    void aBaseThatComesSlowlyIsSeenComing() throws Exception {
        try (var wire = new HeldWire(registry.host(), LITTLE)) {
            String base = wire.host() + "/team/base:1";
            try (var build = Client.carafe().to(engine).and("build", "--progress", "plain", context(base).toString()).start()) {
                Deadline.await("the layer is on its way", () -> build.toString().contains(" Downloading "));
                assertThat(build.toString()).contains("#1 [internal] load metadata for " + base, "#1 resolve " + base)
                        .doesNotContain("FROM");
                wire.open();
                assertThat(build.await().good().err()).containsPattern("#1 [0-9a-f]{12} Pull complete [0-9.]+s done\n")
                        .containsPattern("#1 DONE [0-9.]+s\n\n#2 \\[1/2] FROM");
            }
            run("rmi", "-f", base);
        }
    }

    @Test
    void dockersCommandSeesThePull() throws Exception {
        try (var wire = new HeldWire(registry.host(), LITTLE)) {
            String base = wire.host() + "/team/base:1";
            try (var build = Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0").and("build", context(base).toString())
                    .start()) {
                build.expect("1: Pulling from team/base").expect(": Pulling fs layer");
                assertThat(build.out()).doesNotContain("Step");
                wire.open();
                assertThat(build.await().good().out()).contains(": Pull complete", "Status: Downloaded newer image for " + base,
                        "Step 1/2 : FROM");
            }
            run("rmi", "-f", base);
        }
    }

    @Test
    void aLargeContextIsSeenGoing() throws Exception {
        Path context = context("scratch");
        byte[] bytes = new byte[3 << 20];
        new Random(1).nextBytes(bytes);
        Files.write(context.resolve("large"), bytes);
        assertThat(Client.carafe().to(engine).and("build", "--progress", "plain", context.toString()).run().good().err())
                .containsPattern("#1 \\[internal] load build context\n#1 transferring context: [0-9.]+MB\n")
                .containsPattern("#1 transferring context: 3\\.[0-9]+MB [0-9.]+s done\n#1 DONE ");
    }
}
