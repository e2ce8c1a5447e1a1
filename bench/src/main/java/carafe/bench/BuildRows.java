package carafe.bench;

import carafe.bench.Samples.Row;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/// Builds beside BuildKit, whose only door is its own protocol: so both are measured as whole commands, with the time
/// that each command needs for itself in a row of its own, and our daemon's work alone through its API.
///
/// Contexts lie in memory (/dev/shm), so that no disk of the client's is measured.
final class BuildRows {

    private static final int FILES = 2000;
    private static final int MANY_FILES = 50_000;
    /// How long files are no longer just written, whose content has to be read again with each build.
    private static final Duration YOUNG = Duration.ofSeconds(3);
    private static final int STAGES = 10;
    private static final int ROUNDS_OF_A_STAGE = 300_000;
    private static final int LARGE_MEGABYTES = 2048;
    private static final long WARM_UP_NANOS = 10_000_000_000L;
    private static final List<String> BUILD = List.of("build", "-q", "--network", "none");
    private static final String COMMAND = ", whole command";

    private final Samples samples;
    private final Path shell;
    private final int samplesPerRound;

    /// `shell`: a static busybox, for the work of stages without any engine.
    BuildRows(Samples samples, Path shell, int samplesPerRound) {
        this.samples = samples;
        this.shell = shell;
        this.samplesPerRound = samplesPerRound;
    }

    void addTo(Map<String, Rows.Work> all) {
        all.put("builds", this::small);
        all.put("build-files", this::files);
        all.put("build-stages", this::stages);
        all.put("build-large", this::large);
    }

    private interface InDirectory {
        void measure(Path directory) throws Exception;
    }

    private static void inDirectory(InDirectory work) throws Exception {
        Path directory = Files.createTempDirectory(Path.of("/dev/shm"), "carafe-bench");
        try {
            work.measure(directory);
        } finally {
            Output.remove(directory);
        }
    }

    private void small(Peer peer) throws Exception {
        inDirectory(directory -> {
            BuildContext.write(directory, Rows.IMAGE, FILES);
            Thread.sleep(YOUNG);
            warmUp(peer, directory);
            var own = new Row("`version`" + COMMAND + ": what a command needs for itself", "ms", true);
            var none = new Row("build 5 × RUN + COPY of 2000 files, no cache" + COMMAND, "ms", true);
            var cached = new Row("the same, all cached" + COMMAND, "ms", true);
            for (int i = 0; i < samplesPerRound; i++) {
                time(own, peer, List.of("version"));
                time(none, peer, with("--no-cache", directory.toString()));
                time(cached, peer, with(directory.toString()));
            }
        });
        if (peer.name().equals("carafe")) {
            Path context = BuildContext.write(Rows.IMAGE, FILES);
            try (Api api = peer.connect()) {
                var none = new Row("that build, no cache, the daemon alone (POST /build)", "ms", true);
                var cached = new Row("that build, all cached, the daemon alone (POST /build)", "ms", true);
                for (int i = 0; i < samplesPerRound; i++) {
                    built(none, peer, api, "/build?nocache=1&networkmode=none", context);
                    built(cached, peer, api, "/build?networkmode=none", context);
                }
            } finally {
                Files.delete(context);
            }
        }
    }

    /// Builds that are not recorded, for as long with each engine: daemons live for weeks, and lifecycles are warmed up so too.
    private static void warmUp(Peer peer, Path directory) throws Exception {
        long end = System.nanoTime() + WARM_UP_NANOS;
        while (System.nanoTime() < end) {
            peer.command(with("--no-cache", directory.toString()));
            peer.command(with(directory.toString()));
        }
    }

    private void files(Peer peer) throws Exception {
        inDirectory(directory -> {
            BuildContext.write(directory, Rows.IMAGE, MANY_FILES);
            Thread.sleep(YOUNG);
            peer.command(with(directory.toString()));
            for (int i = 0; i < Math.max(2, samplesPerRound / 2); i++) {
                time(new Row("a context of 50 000 files, unchanged" + COMMAND, "ms", true), peer, with(directory.toString()));
            }
        });
        if (peer.name().equals("carafe")) {
            Path context = BuildContext.write(Rows.IMAGE, MANY_FILES);
            try (Api api = peer.connect()) {
                for (int i = 0; i < Math.max(2, samplesPerRound / 2); i++) {
                    built(new Row("a context of 50 000 files, unchanged, the daemon alone (POST /build)", "ms", true), peer, api,
                            "/build?networkmode=none", context);
                }
            } finally {
                Files.delete(context);
            }
        }
    }

    /// Ten stages that only compute, beside the same ten programs without an engine, one for each processor at a time.
    private void stages(Peer peer) throws Exception {
        inDirectory(directory -> {
            var file = new StringBuilder();
            for (int i = 0; i < STAGES; i++) {
                file.append("FROM ").append(Rows.IMAGE).append(" AS s").append(i).append("\nRUN ").append(loop(i))
                        .append(" > /").append(i).append('\n');
            }
            file.append("FROM scratch\n");
            for (int i = 0; i < STAGES; i++) {
                file.append("COPY --from=s").append(i).append(" /").append(i).append(" /\n");
            }
            Files.writeString(directory.resolve("Dockerfile"), file);
            for (int i = 0; i < Math.max(2, samplesPerRound / 4); i++) {
                long begin = System.nanoTime();
                ideal();
                double ideal = (System.nanoTime() - begin) / 1e6;
                begin = System.nanoTime();
                peer.command(with("--no-cache", directory.toString()));
                double built = (System.nanoTime() - begin) / 1e6;
                samples.add(new Row("ten programs, one for each processor at a time, no engine", "ms", true), peer.name(),
                        ideal);
                samples.add(new Row("ten independent stages with these programs" + COMMAND, "ms", true), peer.name(), built);
                samples.add(new Row("stages against programs, sample by sample", "×", true), peer.name(), built / ideal);
            }
        });
    }

    private static String loop(int number) {
        return "i=" + number + "; while [ $i -lt " + ROUNDS_OF_A_STAGE + " ]; do i=$((i+1)); done; echo $i";
    }

    private void ideal() throws Exception {
        var tasks = new ArrayList<Callable<Void>>();
        for (int i = 0; i < STAGES; i++) {
            var words = List.of(shell.toString(), "sh", "-c", loop(i));
            tasks.add(() -> {
                var program = new ProcessBuilder(words).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
                if (program.waitFor() != 0) {
                    throw new IOException(words + " failed");
                }
                return null;
            });
        }
        try (var pool = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            for (var future : pool.invokeAll(tasks)) {
                future.get();
            }
        }
    }

    private void large(Peer peer) throws Exception {
        inDirectory(directory -> {
            Files.writeString(directory.resolve("Dockerfile"), "FROM scratch\nCOPY large /\n");
            fill(directory.resolve("large"));
            peer.resetPeak();
            long before = peer.daemonPeak();
            long begin = System.nanoTime();
            peer.command(with(directory.toString()));
            samples.add(new Row("a context of one file of 2 GiB into a layer" + COMMAND, "s", true), peer.name(),
                    (System.nanoTime() - begin) / 1e9);
            samples.add(new Row("daemon's memory before it (RSS)", "MiB", true), peer.name(), before / 1024.0);
            samples.add(new Row("daemon's peak meanwhile (RSS)", "MiB", true), peer.name(), peer.daemonPeak() / 1024.0);
        });
    }

    private static void fill(Path file) throws IOException {
        byte[] bytes = new byte[1 << 20];
        var random = new Random(1);
        try (var out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int i = 0; i < LARGE_MEGABYTES; i++) {
                random.nextBytes(bytes);
                out.write(ByteBuffer.wrap(bytes));
            }
        }
    }

    private static List<String> with(String... words) {
        var all = new ArrayList<>(BUILD);
        all.addAll(List.of(words));
        return all;
    }

    private void time(Row row, Peer peer, List<String> command) throws Exception {
        long begin = System.nanoTime();
        peer.command(command);
        samples.add(row, peer.name(), (System.nanoTime() - begin) / 1e6);
    }

    private void built(Row row, Peer peer, Api api, String target, Path context) throws IOException {
        long begin = System.nanoTime();
        String answer = api.postFile(target, context).text();
        samples.add(row, peer.name(), (System.nanoTime() - begin) / 1e6);
        if (!answer.contains("Successfully built")) {
            throw new IOException("the build failed: " + answer);
        }
    }
}
