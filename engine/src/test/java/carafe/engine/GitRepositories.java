package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// Repositories made with the host's git and served by its daemon on this machine's loopback.
final class GitRepositories implements AutoCloseable {

    private final Path directory;
    private final int port;
    private final Process daemon;

    GitRepositories(Path directory) throws Exception {
        this.directory = Files.createDirectories(directory);
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        daemon = new ProcessBuilder("git", "daemon", "--reuseaddr", "--export-all", "--listen=127.0.0.1", "--port=" + port,
                "--base-path=" + directory, directory.toString()).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        awaitDaemon();
    }

    private void awaitDaemon() throws Exception {
        var end = Instant.now().plus(Duration.ofSeconds(60));
        while (true) {
            try (var socket = new Socket()) {
                socket.connect(new InetSocketAddress("127.0.0.1", port), 1000);
                return;
            } catch (IOException e) {
                assertThat(Instant.now()).as("git daemon listens").isBefore(end);
                Thread.sleep(20);
            }
        }
    }

    /// Where the repository `name` is reached.
    String url(String name) {
        return "git://127.0.0.1:" + port + "/" + name;
    }

    Path path(String name) {
        return directory.resolve(name);
    }

    /// Makes the repository `name`, empty, with the branch `main`.
    Path init(String name) throws Exception {
        Path made = Files.createDirectories(directory.resolve(name));
        git(made, "init", "-q", "-b", "main", ".");
        return made;
    }

    /// Commits all there is.
    /// @return the commit
    static String commit(Path repository) throws Exception {
        git(repository, "add", "-A");
        git(repository, "commit", "-q", "--allow-empty", "-m", "more");
        return git(repository, "rev-parse", "HEAD");
    }

    /// Runs git in a repository, as a person who has no configuration.
    static String git(Path repository, String... words) throws Exception {
        var command = new ArrayList<>(List.of("git", "-c", "user.name=t", "-c", "user.email=t@t", "-c",
                "protocol.file.allow=always"));
        command.addAll(List.of(words));
        var builder = new ProcessBuilder(command).directory(repository.toFile()).redirectErrorStream(true);
        builder.environment().put("GIT_CONFIG_GLOBAL", "/dev/null");
        builder.environment().put("GIT_CONFIG_NOSYSTEM", "1");
        var process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor()).as(String.join(" ", words) + ": " + said).isZero();
        return said;
    }

    @Override
    public void close() {
        var all = daemon.descendants().toList();
        daemon.destroy();
        all.forEach(ProcessHandle::destroy);
        daemon.onExit().join();
    }
}
