package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `--ssh` with keys in files: OpenSSH's agent has them while the build runs, and is gone when that ends, however it does.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class CarafeBuildKeysTest {

    private final CarafeDaemon engine;
    private final Client carafe = Client.carafe();
    private Path runtime;

    CarafeBuildKeysTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeAll
    void start() throws Exception {
        engine.start();
        carafe.to(engine).and("load", "--input", TestImages.dockerArchive(engine.directory()).toString()).run().good();
        runtime = Files.createDirectory(engine.directory().resolve("runtime"));
        for (var key : List.of(List.of("plain", ""), List.of("other", ""), List.of("locked", "open sesame"))) {
            Command.of("ssh-keygen", "-q", "-t", "ed25519", "-C", "key-" + key.getFirst(), "-N", key.getLast(), "-f",
                    key(key.getFirst())).run().good();
        }
    }

    @AfterAll
    void stop() {
        engine.close();
    }

    private String key(String name) {
        return engine.directory().resolve(name).toString();
    }

    private Command build(String dockerfile, String... words) throws IOException {
        Path context = Files.createTempDirectory(engine.directory(), "context");
        Files.writeString(context.resolve("Dockerfile"), dockerfile);
        return carafe.to(engine).and("build", "--progress", "plain", "--no-cache", "--allow", "network.host").and(words)
                .and(context.toString()).with("XDG_RUNTIME_DIR", runtime.toString());
    }

    /// A step with the agent that goes on when `server` answers it.
    private static String waiting(ServerSocket server) {
        return "FROM busybox\nRUN --mount=type=ssh,id=git --network=host [ -S \"$SSH_AUTH_SOCK\" ]"
                + " && wget -q -O - http://127.0.0.1:" + server.getLocalPort() + "/\n";
    }

    private Path agent() throws IOException {
        try (var directories = Files.newDirectoryStream(runtime)) {
            return directories.iterator().next().resolve("agent");
        }
    }

    private static String listed(Path agent) throws Exception {
        return Command.of("ssh-add", "-l").with("SSH_AUTH_SOCK", agent.toString()).run().good().text();
    }

    private void awaitNothing(Path agent) throws Exception {
        Deadline.await("the agent's directory is gone", () -> runtime.toFile().list().length == 0);
        Deadline.await("the agent is gone", () -> ProcessHandle.allProcesses()
                .noneMatch(process -> process.info().commandLine().orElse("").contains(agent.toString())));
    }

    @Test
    void theAgentHasAllKeysWhileTheBuildRuns() throws Exception {
        try (var server = new ServerSocket(0);
                var session = build(waiting(server), "--ssh", "git=" + key("plain") + "," + key("other")).start();
                var step = server.accept()) {
            Path agent = agent();
            assertThat(Files.getPosixFilePermissions(agent.getParent())).hasSize(3);
            assertThat(listed(agent)).contains("key-plain", "key-other");
            step.getOutputStream().write("HTTP/1.0 200 OK\r\n\r\nreached".getBytes(StandardCharsets.US_ASCII));
            step.shutdownOutput();
            assertThat(session.await().good().err()).contains("reached");
            assertThat(runtime).isEmptyDirectory();
            awaitNothing(agent);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM", "KILL"})
    void theAgentIsGoneWithTheCommand(String signal) throws Exception {
        try (var server = new ServerSocket(0);
                var session = build(waiting(server), "--ssh", "git=" + key("plain")).start();
                var _ = server.accept()) {
            Path agent = agent();
            assertThat(listed(agent)).contains("key-plain");
            session.signal(signal);
            session.await();
            awaitNothing(agent);
        }
    }

    @Test
    void aPassphraseIsAskedForAtTheTerminalAndNowhereElse() throws Exception {
        try (var server = new ServerSocket(0);
                var session = build(waiting(server), "--ssh", "git=" + key("locked")).startOnTerminal()) {
            session.expect("Enter passphrase for ").write("open sesame\n");
            try (var step = server.accept()) {
                Path agent = agent();
                assertThat(listed(agent)).contains("key-locked");
                step.getOutputStream().write("HTTP/1.0 200 OK\r\n\r\nreached".getBytes(StandardCharsets.US_ASCII));
                step.shutdownOutput();
                session.await().good();
                awaitNothing(agent);
            }
        }
        assertThat(build("FROM busybox\n", "--ssh", "git=" + key("locked")).run().endedWith(1).err())
                .contains("--ssh git=" + key("locked") + " has a passphrase, and there is no terminal to ask for it");
        assertThat(runtime).isEmptyDirectory();
    }

    @Test
    void whatIsNoKeyIsRefusedInOpensshsWords() throws Exception {
        Path file = Files.writeString(engine.directory().resolve("text"), "no key\n");
        assertThat(file.toFile().setReadable(false, false) && file.toFile().setReadable(true, true)).isTrue();
        assertThat(build("FROM busybox\n", "--ssh", "git=" + file).run().endedWith(1).err())
                .contains("--ssh git=" + file + " cannot be used: ");
        assertThat(runtime).isEmptyDirectory();
    }
}
