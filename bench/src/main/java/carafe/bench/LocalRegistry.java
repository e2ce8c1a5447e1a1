package carafe.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// A registry on loopback with a directory of its own, for as long as it is open.
final class LocalRegistry implements AutoCloseable {

    /// The registries that images are pulled from and pushed to.
    enum Kind {
        DEBIAN("docker-registry"),
        HUB("carafe's hub");

        /// What the table calls it.
        final String title;

        Kind(String title) {
            this.title = title;
        }
    }

    private final Path directory;
    private final Process process;

    /// HOST:PORT.
    final String host;

    /// Starts it from its program and waits until it listens.
    LocalRegistry(Kind kind, Path program) throws IOException {
        directory = Files.createTempDirectory("bench-registry");
        int port;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        host = "127.0.0.1:" + port;
        Path config = directory.resolve("config");
        var command = switch (kind) {
            case DEBIAN -> {
                Files.writeString(config, """
                        version: 0.1
                        storage:
                          filesystem:
                            rootdirectory: %s
                        http:
                          addr: %s
                        """.formatted(directory.resolve("data"), host));
                yield new ProcessBuilder(program.toString(), "serve", config.toString());
            }
            case HUB -> {
                Files.writeString(config, """
                        {"data": "%s", "listen": ["tcp://%s"],
                         "rights": [{"who": ["anonymous"], "namespace": "**", "may": ["pull", "push"]}]}
                        """.formatted(directory.resolve("data"), host));
                yield new ProcessBuilder(program.toString(), "hub", "serve", "--config", config.toString());
            }
        };
        Path log = directory.resolve("log");
        process = command.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!listens(port)) {
            if (System.nanoTime() > deadline || !process.isAlive()) {
                process.destroyForcibly();
                throw new IOException(kind.title + " does not listen: " + Files.readString(log));
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    private static boolean listens(int port) {
        try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
        Output.remove(directory);
    }
}
