package carafe.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.regex.Pattern;

/// Debian's docker-registry on a loopback port, with its own directory; open to all, or to `ann` with the password
/// `secret` only. Closing it ends the process and removes the directory.
final class DebianRegistry implements RegistryUnderTest {

    /// bcrypt, the one form it reads.
    private static final String ANN = "ann:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

    private static final Pattern LISTENING = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+)");

    private final Path directory;
    private final Process process;
    private final String host;

    private DebianRegistry(boolean closed) throws Exception {
        directory = Files.createTempDirectory("e2e-registry-");
        Path log = directory.resolve("log");
        Path config = directory.resolve("config.yml");
        String auth = closed ? "auth:\n  htpasswd:\n    realm: e2e\n    path: " + directory.resolve("users") + "\n" : "";
        Files.writeString(directory.resolve("users"), ANN);
        Files.writeString(config, """
                version: 0.1
                storage:
                  filesystem:
                    rootdirectory: %s
                  delete:
                    enabled: true
                http:
                  addr: 127.0.0.1:0
                %s""".formatted(directory.resolve("data"), auth));
        process = new ProcessBuilder(
                        Tools.fetched("registry", "usr/bin/docker-registry").toString(), "serve", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Deadline.await("the registry listens", () -> {
            if (!process.isAlive()) {
                throw new AssertionError("the registry ended:\n" + Files.readString(log));
            }
            return LISTENING.matcher(Files.readString(log)).find();
        });
        var listening = LISTENING.matcher(Files.readString(log));
        listening.find();
        host = "127.0.0.1:" + listening.group(1);
    }

    static DebianRegistry open() throws Exception {
        return new DebianRegistry(false);
    }

    /// Wants ann's password.
    static DebianRegistry closed() throws Exception {
        return new DebianRegistry(true);
    }

    @Override
    public String host() {
        return host;
    }

    /// What it keeps.
    Path data() {
        return directory.resolve("data");
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly().onExit().join();
        if (!Files.exists(directory)) {
            return; // closed before
        }
        try (var all = Files.walk(directory)) {
            for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
