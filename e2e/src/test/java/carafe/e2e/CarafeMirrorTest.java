package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// An engine whose mirror of a registry has lost bits of what it keeps.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeMirrorTest {

    private final CarafeDaemon engine = new CarafeDaemon();
    private final DebianRegistry registry = DebianRegistry.open();
    private final DebianRegistry mirror = DebianRegistry.open();

    CarafeMirrorTest() throws Exception {
        Path config = Files.writeString(engine.directory().resolve("daemon.json"),
                "{\"mirrors\":{\"" + registry.host() + "\":[\"http://" + mirror.host() + "\"]}}");
        engine.with("--config-file", config.toString());
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        carafe("load", "-i", TestImages.otherArchive(engine.directory()).toString());
    }

    @AfterAll
    void stop() throws Exception {
        engine.close();
        mirror.close();
        registry.close();
    }

    private Outcome carafe(String... words) throws Exception {
        return Client.carafe().to(engine).and(words).run().good();
    }

    @Test
    void itsDamageIsNotThePullsLoss() throws Exception {
        for (var place : List.of(registry, mirror)) {
            carafe("tag", "other:1", place.host() + "/team/app:1");
            carafe("push", place.host() + "/team/app:1");
        }
        String name = registry.host() + "/team/app:1";
        carafe("rmi", "other:1", name, mirror.host() + "/team/app:1");
        assertThat(carafe("pull", name).out()).doesNotContain("Passed by");
        carafe("rmi", name);
        damageTheLargest(mirror.data().resolve("docker/registry/v2/blobs"));
        for (var client : List.of(Client.carafe(), Client.docker20(), Client.docker28())) {
            assertThat(client.to(engine).and("pull", name).run().good().out()).as(client.name())
                    .containsOnlyOnce("Passed by mirror " + mirror.host() + " of " + registry.host() + ": ")
                    .contains("Status: Downloaded newer image for " + name);
            assertThat(carafe("run", "--rm", name, "echo", "whole").text()).isEqualTo("whole");
            carafe("rmi", name);
        }
        assertThat(engine.log().split("Passed by mirror " + mirror.host(), -1)).hasSize(4);
    }

    private static void damageTheLargest(Path blobs) throws Exception {
        try (var all = Files.walk(blobs)) {
            Path largest = all.filter(Files::isRegularFile).max((a, b) -> Long.compare(size(a), size(b))).orElseThrow();
            try (var open = new RandomAccessFile(largest.toFile(), "rw")) {
                open.seek(open.length() / 2);
                int old = open.read();
                open.seek(open.length() / 2);
                open.write(old ^ 1);
            }
        }
    }

    private static long size(Path file) {
        return file.toFile().length();
    }
}
