package carafe.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// An engine under measurement that the bench itself starts and ends, on directories of its own.
///
/// `client` is the command whose whole run is timed (`docker`, or `carafe`); `helper` the name of the process that stays
/// beside each container, as /proc/PID/comm shows it (at most 15 letters).
final class Peer implements Engine {

    private static final ProcessBuilder.Redirect NOTHING =
            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile());
    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    /// What makes one engine differ from another.
    record Kind(String name, List<String> daemon, List<String> client, String helper, String pathPrefix) {
        Kind {
            daemon = List.copyOf(daemon);
            client = List.copyOf(client);
        }
    }

    final Kind kind;
    private final Path directory;
    private final Path run; // in memory, as /run is where daemons keep such things
    private Process process;

    /// Starts the engine in `directory`, which is removed at the end, and waits for its first answer.
    Peer(Kind kind, Path directory) throws IOException {
        this.kind = kind;
        this.directory = Files.createDirectories(directory);
        this.run = Files.createTempDirectory(inMemory(), "carafe-bench");
        Files.writeString(directory.resolve("daemon.json"), "{}");
        this.process = launch();
        awaitAnswer();
    }

    /// /run, or /dev/shm where /run lies on a disk (systemd mounts it in memory, a machine without systemd may not).
    private static Path inMemory() throws IOException {
        for (Path directory : List.of(Path.of("/run"), Path.of("/dev/shm"))) {
            if (Files.isDirectory(directory) && Files.getFileStore(directory).type().equals("tmpfs")) {
                return directory;
            }
        }
        throw new IOException("neither /run nor /dev/shm is a tmpfs: run directories would lie on a disk, which no host"
                + " of users does; mount -t tmpfs tmpfs /run");
    }

    @Override
    public String name() {
        return kind.name();
    }

    Path socket() {
        return directory.resolve("s");
    }

    Api connect() throws IOException {
        return new Api(socket());
    }

    @Override
    public List<String> plainFlags() {
        return List.of(); // loopback is trusted
    }

    @Override
    public void command(List<String> arguments) throws IOException, InterruptedException {
        var builder = client(arguments).redirectInput(NOTHING);
        builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.redirectError(directory.resolve("client.err").toFile());
        int status = builder.start().waitFor();
        if (status != 0) {
            throw new IOException(builder.command() + " ended with " + status + ": "
                    + Files.readString(directory.resolve("client.err")));
        }
    }

    @Override
    public long commandOutput(List<String> arguments) throws IOException, InterruptedException {
        return Output.count(client(arguments), directory.resolve("client.err"));
    }

    private ProcessBuilder client(List<String> arguments) {
        var words = new ArrayList<>(kind.client());
        words.addAll(arguments);
        var builder = new ProcessBuilder(words);
        builder.environment().put("DOCKER_HOST", "unix://" + socket());
        return builder;
    }

    /// Ends the daemon (containers may go on) and starts it again; gives the time to the first answer in nanoseconds.
    long restart() throws IOException, InterruptedException {
        stop();
        long begin = System.nanoTime();
        process = launch();
        awaitAnswer();
        return System.nanoTime() - begin;
    }

    /// Proportional set size in KiB of the daemon and all processes it started, but for containers and their helpers.
    long daemonMemory() throws IOException {
        long total = pss(process.pid());
        for (ProcessHandle child : process.toHandle().descendants().toList()) {
            String name = comm(child.pid());
            boolean part = name.equals("containerd") || name.startsWith("carafe-sp");
            total += part ? pss(child.pid()) : 0;
        }
        return total;
    }

    /// Mean proportional set size in KiB of the helpers that stay beside containers.
    double helperMemory() throws IOException {
        long total = 0;
        long count = 0;
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path path : processes.filter(p -> p.getFileName().toString().matches("\\d+")).toList()) {
                long pid = Long.parseLong(path.getFileName().toString());
                if (comm(pid).equals(kind.helper()) && mentions(pid, run.toString())) {
                    total += pss(pid);
                    count++;
                }
            }
        }
        if (count == 0) {
            throw new IOException("no helper process named " + kind.helper() + " runs");
        }
        return (double) total / count;
    }

    private static boolean mentions(long pid, String directory) throws IOException {
        try {
            String words = Files.readString(Path.of("/proc/" + pid + "/cmdline"));
            return words.contains(directory) || !words.contains("/");
        } catch (java.nio.file.NoSuchFileException e) {
            return false;
        }
    }

    private static String comm(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/comm")).strip();
        } catch (IOException e) {
            return ""; // gone meanwhile
        }
    }

    private static long pss(long pid) throws IOException {
        try (var lines = Files.lines(Path.of("/proc/" + pid + "/smaps_rollup"))) {
            return lines.filter(line -> line.startsWith("Pss:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .sum();
        } catch (java.nio.file.NoSuchFileException e) {
            return 0;
        }
    }

    private Process launch() throws IOException {
        var words = new ArrayList<String>();
        for (String word : kind.daemon()) {
            words.add(word.replace("{dir}", directory.toString()).replace("{run}", run.toString()));
        }
        var builder = new ProcessBuilder(words);
        if (!kind.pathPrefix().isEmpty()) {
            builder.environment().merge("PATH", kind.pathPrefix(), (old, prefix) -> prefix + ":" + old);
        }
        builder.redirectInput(NOTHING);
        builder.redirectErrorStream(true).redirectOutput(directory.resolve("daemon.log").toFile());
        return builder.start();
    }

    private void awaitAnswer() throws IOException {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (System.nanoTime() < deadline) {
            try (Api api = connect()) {
                api.get("/_ping");
                return;
            } catch (IOException e) {
                if (!process.isAlive()) {
                    throw new IOException(kind.name() + " did not start; see " + directory.resolve("daemon.log"), e);
                }
                java.util.concurrent.locks.LockSupport.parkNanos(500_000);
            }
        }
        throw new IOException(kind.name() + " gave no answer in " + START_LIMIT.toSeconds() + " s");
    }

    private void stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }

    @Override
    public void close() {
        try {
            stop();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        Output.remove(directory);
        Output.remove(run);
    }

    /// Forgets how much memory the daemon once had. Source: proc_pid_clear_refs(5).
    void resetPeak() throws IOException {
        Files.writeString(Path.of("/proc/" + process.pid() + "/clear_refs"), "5");
    }

    /// The most memory (resident set, KiB) that the daemon has had since [#resetPeak].
    long daemonPeak() throws IOException {
        try (var lines = Files.lines(Path.of("/proc/" + process.pid() + "/status"))) {
            return lines.filter(line -> line.startsWith("VmHWM:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .sum();
        }
    }
}
