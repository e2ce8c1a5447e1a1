package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// An engine with the image `busybox`, which runs commands in its JVM, and a look at what it has of them.
final class WarmEngine implements AutoCloseable {

    private static final String SIGNALS = "anon_inode:[signalfd]";

    private final CarafeDaemon daemon;

    /// What the daemon has open, and its Java threads that are not the JVM's own.
    record Held(long files, long sockets, List<String> commands) {}

    WarmEngine(List<String> before) throws Exception {
        daemon = new CarafeDaemon(before);
        try {
            daemon.start();
            Client.docker28().to(daemon).and("load", "-i", TestImages.dockerArchive(daemon.directory()).toString()).run()
                    .good();
        } catch (Exception | Error e) {
            daemon.close();
            throw e;
        }
    }

    CarafeDaemon daemon() {
        return daemon;
    }

    Path directory() {
        return daemon.directory();
    }

    /// `carafe` with these words.
    Command carafe(String... words) {
        return Client.carafe().to(daemon).and(words);
    }

    /// The same as a JVM of its own.
    Command cold(String... words) {
        return carafe(words).with("CARAFE_WARM", "0");
    }

    /// The same, so short of memory that no JVM would start.
    Command warm(String... words) {
        return behind("ulimit -v 65536", words);
    }

    /// The same, after what `script` does to the shell that becomes it.
    Command behind(String script, String... words) {
        var all = new ArrayList<>(List.of("bash", "-c", script + "; exec \"$@\"", "bash"));
        all.addAll(carafe(words).words());
        return new Command(all, carafe().environment(), new byte[0], Deadline.USUAL);
    }

    /// A script of bash in which `$carafe` is the program, without a JVM of its own, and `$d` the directory.
    Command script(String text) {
        return new Command(List.of("bash", "-c", "cd \"$d\"; ulimit -v 65536; " + text), carafe().environment(), new byte[0],
                Deadline.USUAL).with("carafe", Tools.ours("carafe").toString()).with("d", directory().toString());
    }

    /// Whether the process has been taken by the engine; waits until it is decided.
    static boolean isWarm(Session session) throws Exception {
        Path process = Path.of("/proc", String.valueOf(session.pid()));
        var warm = new boolean[1];
        Deadline.await("the command is warm or a JVM: " + session, () -> {
            if (!session.running()) {
                throw new AssertionError("it has ended: " + session);
            }
            warm[0] = links(process).contains(SIGNALS) && exe(process).endsWith("bin/carafe");
            return warm[0] || exe(process).endsWith("/java");
        });
        return warm[0];
    }

    /// Whether the process is a JVM now.
    static boolean isJvm(Session session) throws IOException {
        return exe(Path.of("/proc", String.valueOf(session.pid()))).endsWith("/java");
    }

    private static String exe(Path process) throws IOException {
        return Files.readSymbolicLink(process.resolve("exe")).toString();
    }

    private static List<String> links(Path process) throws IOException {
        var links = new ArrayList<String>();
        try (var all = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path fd : all) {
                try {
                    links.add(Files.readSymbolicLink(fd).toString());
                } catch (NoSuchFileException e) {
                    continue; // closed meanwhile
                }
            }
        }
        return links;
    }

    /// What the daemon holds now.
    Held held() throws Exception {
        Path process = Path.of("/proc", String.valueOf(daemon.pid()));
        List<String> links = links(process);
        Path dump = directory().resolve("threads");
        Files.deleteIfExists(dump);
        Command.of(exe(process).replaceAll("java$", "jcmd"), String.valueOf(daemon.pid()), "Thread.dump_to_file",
                dump.toString()).run().good();
        String threads = Files.readString(dump);
        assertThat(threads).as("the dump has virtual threads").contains("virtual");
        return new Held(links.size(), links.stream().filter(link -> link.startsWith("socket:")).count(),
                threads.lines().filter(line -> line.contains("carafe.cli.") || line.contains("of a command")).toList());
    }

    /// Waits until the daemon has no command and no more open than `before`.
    void awaitNoMoreThan(Held before) throws Exception {
        var now = new Held[1];
        try {
            Deadline.await("the daemon is as before", () -> {
                now[0] = held();
                return now[0].commands().isEmpty() && now[0].sockets() <= before.sockets()
                        && now[0].files() <= before.files();
            });
        } catch (AssertionError e) {
            assertThat(now[0]).as("what the daemon holds").isEqualTo(before);
        }
    }

    /// Starts the container `web`, which runs for long.
    void startWeb() throws Exception {
        carafe("run", "-d", "--name", "web", "--network", "none", "busybox", "sleep", "1000").run().good();
    }

    /// Removes every container.
    void removeContainers() throws Exception {
        List<String> all = carafe("ps", "-aq", "--no-trunc").run().good().lines();
        daemon.remember(all);
        if (!all.isEmpty()) {
            carafe("rm", "-fv").and(all.toArray(String[]::new)).run().good();
        }
    }

    @Override
    public void close() {
        daemon.close();
    }
}
