package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Layers of a build with `--push` are compressed while the next step runs: a step waits until the test has seen that.
final class CarafeEarlyLayersTest {

    private final CarafeDaemon engine;
    private final Client carafe = Client.carafe();
    private Path context;

    CarafeEarlyLayersTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeEach
    void start() throws Exception {
        engine.start();
        run("load", "--input", TestImages.dockerArchive(engine.directory()).toString()).good();
        context = Files.createTempDirectory(engine.directory(), "context");
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    private Outcome run(String... words) throws Exception {
        return carafe.to(engine).and(words).run();
    }

    private Session build(ServerSocket server, String name) throws Exception {
        Files.writeString(context.resolve("Dockerfile"), "FROM busybox\nRUN seq 1 300000 > /numbers\n"
                + "RUN --network=host wget -q -O /answer http://127.0.0.1:" + server.getLocalPort() + "/\n");
        return carafe.to(engine).and("build", "--allow", "network.host", "--push", "-t", name, context.toString()).start();
    }

    private List<String> early() {
        return List.of(engine.dataRoot().resolve("content/early").toFile().list());
    }

    /// Those of busybox and of the first step.
    private void awaitTwo() throws Exception {
        Deadline.await("two layers are compressed", () -> early().stream().filter(name -> name.length() == 64).count() == 2);
    }

    private String digest(String name) throws Exception {
        return run("image", "inspect", "-f", "{{.RepoDigests}}", name).good().text()
                .replaceAll(".*@(sha256:[0-9a-f]{64}).*", "$1");
    }

    @Test
    void aPushSendsWhatWasCompressedWhileTheNextStepRan() throws Exception {
        try (var registry = HubUnderTest.open(); var other = HubUnderTest.open(); var server = new ServerSocket(0)) {
            String name = registry.host() + "/team/app:1";
            try (var session = build(server, name); var step = server.accept()) {
                awaitTwo();
                step.getOutputStream().write("HTTP/1.0 200 OK\r\n\r\nyes".getBytes(StandardCharsets.US_ASCII));
                step.shutdownOutput();
                session.await().good();
            }
            engine.stop();
            engine.start(); // nothing of it is left for another push
            assertThat(early()).isEmpty();
            String copy = other.host() + "/team/app:1";
            run("tag", name, copy).good();
            run("push", copy).good();
            assertThat(digest(copy)).matches("sha256:[0-9a-f]{64}");
            assertThat(run("manifest", "inspect", "--insecure", copy).good().text())
                    .isEqualTo(run("manifest", "inspect", "--insecure", name).good().text());
        }
    }

    @Test
    void whatIsBrokenOffLeavesNothing() throws Exception {
        try (var server = new ServerSocket(0)) {
            try (var session = build(server, "127.0.0.1:1/app:1"); var _ = server.accept()) {
                awaitTwo();
                session.signal("INT");
                session.await();
                Deadline.await("what was compressed is gone", () -> early().isEmpty());
            }
            try (var session = build(server, "127.0.0.1:1/app:1"); var _ = server.accept()) {
                awaitTwo();
                engine.kill();
                assertThat(early()).hasSize(2);
                session.await();
            }
            engine.start();
            assertThat(early()).isEmpty();
            assertThat(run("system", "check").good().code()).isZero();
        }
    }
}
