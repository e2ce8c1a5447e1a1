package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// An engine's daemon, started on directories of its own, killed and started again at will. Closing it stops the daemon
/// and fails the test if a mount, cgroup, process or file of it is left.
abstract class EngineUnderTest implements AutoCloseable {

    private final Path directory;
    private final Set<String> containers = new LinkedHashSet<>();
    private @Nullable Process daemon;
    private int starts;

    /// Names of directories are short: a unix socket's path has 107 bytes.
    EngineUnderTest(String name) throws IOException {
        this.directory = Files.createTempDirectory("e2e-" + name + "-");
        Files.createDirectory(directory.resolve("client"));
    }

    /// The daemon with all its arguments.
    abstract List<String> daemonCommand();

    /// What the daemon's environment has beside the test's.
    abstract Map<String, String> daemonEnvironment();

    /// How long the daemon may take to stop; it has no container then.
    Duration patience() {
        return Duration.ofSeconds(90);
    }

    /// Mounts below [#directory()] that the engine is known to leave when it stops.
    Set<String> knownLeftovers() {
        return Set.of();
    }

    /// Everything of the engine is below this directory, which its processes and mounts can be known by.
    final Path directory() {
        return directory;
    }

    final Path socket() {
        return directory.resolve("engine.sock");
    }

    final Path dataRoot() {
        return directory.resolve("data");
    }

    final Path execRoot() {
        return directory.resolve("exec");
    }

    final String host() {
        return "unix://" + socket();
    }

    /// What the daemon has written since the first start.
    final String log() throws IOException {
        var all = new StringBuilder();
        for (int i = 1; i <= starts; i++) {
            all.append(Files.readString(directory.resolve("daemon-" + i + ".log")));
        }
        return all.toString();
    }

    /// Starts the daemon and waits until it answers.
    final void start() throws Exception {
        var started = launch();
        Deadline.await("the daemon answers /_ping", () -> {
            if (!started.isAlive()) {
                throw new AssertionError("the daemon ended with " + started.exitValue() + ":\n" + log());
            }
            return answers();
        });
    }

    /// Starts the daemon, which is to die before it answers.
    final void startInVain() throws Exception {
        launch();
        awaitEnd();
        assertThat(answers()).as("it died before it answered").isFalse();
    }

    private Process launch() throws IOException {
        starts++;
        var log = directory.resolve("daemon-" + starts + ".log").toFile();
        var builder = new ProcessBuilder(daemonCommand()).redirectErrorStream(true).redirectOutput(log);
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().keySet().removeIf(n -> n.startsWith("DOCKER_") || n.startsWith("CARAFE_"));
        builder.environment().putAll(daemonEnvironment());
        var started = builder.start();
        daemon = started;
        return started;
    }

    private boolean answers() {
        try {
            return Files.exists(socket()) && RawHttp.get(socket(), "/_ping").endsWith("OK");
        } catch (IOException _) {
            return false;
        }
    }

    final long pid() {
        return running().pid();
    }

    /// `kill -9` of the daemon alone: what it started is not asked.
    final void kill() throws InterruptedException {
        running().destroyForcibly().waitFor();
    }

    /// Waits until the daemon has ended by itself.
    final void awaitEnd() throws Exception {
        Deadline.await("the daemon ends", () -> !running().isAlive());
    }

    /// Asks the daemon to stop, as a service manager does, and waits for its end.
    final int stop() throws InterruptedException {
        var process = running();
        process.destroy();
        if (!process.waitFor(patience().toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError("the daemon did not stop within " + patience());
        }
        return process.exitValue();
    }

    private Process running() {
        if (daemon == null) {
            throw new IllegalStateException("never started");
        }
        return daemon;
    }

    /// Remembers containers, so that their cgroups can be looked for at the end.
    final void remember(List<String> ids) {
        containers.addAll(ids);
    }

    @Override
    public final void close() {
        try {
            end();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError("cannot clear " + directory, e);
        }
    }

    private void end() throws Exception {
        var marks = Leftovers.marks(directory);
        try {
            if (daemon != null && daemon.isAlive()) {
                stop();
            }
            var left = new ArrayList<String>();
            // Processes and mounts of a stopped engine may take a moment to go; they must go by themselves.
            try {
                Deadline.await("nothing is left", () -> {
                    left.clear();
                    left.addAll(Leftovers.of(directory, containers, marks));
                    knownLeftovers().forEach(mount -> left.remove("mount " + directory.resolve(mount)));
                    return left.isEmpty();
                });
            } catch (AssertionError _) {
                assertThat(left).as("left by the engine, whose log is\n%s", log()).isEmpty();
            }
        } finally {
            Leftovers.clear(directory, containers, marks);
        }
    }
}
