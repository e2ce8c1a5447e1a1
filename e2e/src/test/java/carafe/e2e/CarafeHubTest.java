package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.RandomAccessFile;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// The hub inside the daemon: it takes pushes at its port, is the first that pulls ask, and gives back what the disk lost.
@Tag("registries")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeHubTest {

    private final CarafeDaemon engine;
    private final String hub;

    CarafeHubTest() throws Exception {
        try (var free = new ServerSocket(0)) {
            hub = "127.0.0.1:" + free.getLocalPort();
        }
        engine = new CarafeDaemon();
        Path config = Files.writeString(engine.directory().resolve("daemon.json"),
                "{\"hub\":{\"listen\":[\"tcp://" + hub + "\"],\"rights\":[{\"who\":[\"anonymous\"],\"namespace\":\"**\",\"may\":[\"admin\"]}]}}");
        engine.with("--config-file", config.toString());
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    @AfterEach
    void forget() throws Exception {
        for (String image : carafe("images", "-q", "--filter", "reference=*/*/*").lines()) {
            Client.carafe().to(engine).and("rmi", "-f", image).run();
        }
    }

    private Outcome carafe(String... words) throws Exception {
        return Client.carafe().to(engine).and(words).run().good();
    }

    /// Pushes an image to the hub and forgets it here.
    private void send(String path) throws Exception {
        carafe("load", "-i", TestImages.otherArchive(engine.directory()).toString());
        carafe("tag", "other:1", hub + "/" + path);
        carafe("push", hub + "/" + path);
        carafe("rmi", hub + "/" + path, "other:1");
    }

    @Test
    void aPullAsksTheHubFirst() throws Exception {
        send("far.example/team/app:1"); // no host has that name
        assertThat(carafe("pull", "far.example/team/app:1").out())
                .contains("Status: Downloaded newer image for far.example/team/app:1");
        assertThat(carafe("run", "--rm", "far.example/team/app:1", "echo", "near").text()).isEqualTo("near");
        send("docker.io/library/ours:1");
        assertThat(carafe("pull", "ours:1").out()).contains("Status: Downloaded newer image for ours:1");
        carafe("rmi", "ours:1");
    }

    @Test
    void allClientsFindWhatWasPushed() throws Exception {
        send("team/web:1");
        send("team/db:1");
        for (var client : List.of(Client.carafe(), Client.docker20(), Client.docker28())) {
            assertThat(client.to(engine).and("search", hub + "/web").run().good().out())
                    .as(client.name()).contains("team/web").doesNotContain("team/db");
        }
    }

    @Test
    void damageIsRepairedFromTheRegistryThatTheImageCameFrom() throws Exception {
        send("team/app:1");
        String name = hub + "/team/app:1";
        carafe("pull", name);
        String id = carafe("image", "inspect", "--format", "{{.Id}}", name).text();
        Path layer = engine.dataRoot().resolve("layers").resolve(
                carafe("image", "inspect", "--format", "{{index .RootFS.Layers 0}}", name).text().substring(7));
        flip(layer, 4096 + 5000);
        flip(engine.dataRoot().resolve("content/blobs/sha256").resolve(id.substring(7)), 9);
        var found = Client.carafe().to(engine).and("system", "check").run().endedWith(1);
        assertThat(found.out()).contains("damaged: layer sha256:" + layer.getFileName(), "damaged: config " + id);
        var repaired = carafe("system", "check", "--repair");
        assertThat(repaired.out()).contains("repaired: layer sha256:" + layer.getFileName(), "repaired: config " + id);
        assertThat(carafe("system", "check").out()).doesNotContain("damaged");
        assertThat(carafe("run", "--rm", name, "echo", "whole again").text()).isEqualTo("whole again");
    }

    @Test
    void theHubsOwnContentIsCheckedToo() throws Exception {
        send("team/hub:1");
        String name = hub + "/team/hub:1";
        carafe("pull", name);
        String id = carafe("image", "inspect", "--format", "{{.Id}}", name).text();
        Path config = engine.dataRoot().resolve("hub/content/blobs/sha256").resolve(id.substring(7));
        flip(config, 9);
        var found = Client.carafe().to(engine).and("system", "check").run().endedWith(1);
        assertThat(found.out()).contains("damaged: hub blob " + id + ": its bytes have another digest (needed by team/");
        assertThat(Client.carafe().to(engine).and("system", "check", "--repair").run().endedWith(1).out())
                .contains("damaged: hub blob " + id);
        assertThat(config).doesNotExist();
        carafe("push", name);
        assertThat(config).exists();
        assertThat(carafe("system", "check").out()).doesNotContain("damaged");
    }

    private static void flip(Path file, long at) throws Exception {
        assertThat(Files.size(file)).isGreaterThan(at);
        try (var open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            int old = open.read();
            open.seek(at);
            open.write(old ^ 1);
        }
    }
}
