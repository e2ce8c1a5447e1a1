package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/// Measures what a monitor costs: `java … carafe.kernel.MonitorBench` prints the memory of 20 running ones (quiet, and
/// after a burst of output) and the speed of output into log and clients. Asserts nothing.
public final class MonitorBench {

    private static final int MONITORS = 20;

    private MonitorBench() {}

    public static void main(String[] args) throws Exception {
        var work = Files.createTempDirectory("monitor-bench");
        try (var spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"))) {
            memory(spawner, work.resolve("quiet"), "hang");
            memory(spawner, work.resolve("burst"), "flood", "4", "100", "then", "hang");
            for (int width : new int[] {20, 80, 100, 200, 1000}) {
                speed(spawner, work.resolve("log" + width), width, true, false);
            }
            speed(spawner, work.resolve("client"), 100, false, true);
            speed(spawner, work.resolve("both"), 100, true, true);
        }
        try (var files = Files.walk(work)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static void memory(Spawner spawner, Path directory, String... words) throws Exception {
        var launched = new ArrayList<Launched>();
        for (int i = 0; i < MONITORS; i++) {
            try (var stage = new Stage(directory.resolve("" + i))) {
                launched.add(stage.pipes(Optional.empty()).start(spawner, words));
            }
        }
        LockSupport.parkNanos(Duration.ofMillis(1500).toNanos()); // a burst is over, and idle buffers are given back
        long pss = 0;
        long dirty = 0;
        for (var process : launched) {
            var rollup = Files.readString(Path.of("/proc/" + process.monitorPid() + "/smaps_rollup"));
            pss += kilobytes(rollup, "Pss");
            dirty += kilobytes(rollup, "Private_Dirty");
        }
        System.out.printf("%-8s PSS of a monitor among %d: %d kB (private dirty %d kB)%n", words[0], MONITORS,
                pss / MONITORS, dirty / MONITORS);
        for (var process : launched) {
            Processes.signal(process.pidfd(), Linux.SIGKILL);
            process.awaitExit();
            process.close();
        }
    }

    private static long kilobytes(String rollup, String name) {
        var match = Pattern.compile("^" + name + ":\\s+(\\d+) kB", Pattern.MULTILINE).matcher(rollup);
        return match.find() ? Long.parseLong(match.group(1)) : -1;
    }

    private static void speed(Spawner spawner, Path directory, int width, boolean log, boolean client)
            throws Exception {
        int mebibytes = 512;
        try (var stage = new Stage(directory)) {
            stage.log = log ? Optional.of(new MonitorPlan.Log(Stage.RUN_DIR, "json.log", 20_000_000, 5))
                    : Optional.empty();
            Thread reader = null;
            if (client) {
                var channel = stage.client(MonitorStream.STDOUT);
                reader = Thread.ofPlatform().start(() -> {
                    var buffer = ByteBuffer.allocateDirect(1 << 18);
                    try {
                        while (channel.read(buffer.clear()) >= 0) {}
                    } catch (java.io.IOException e) {
                        throw new AssertionError(e);
                    }
                });
            }
            stage.pipes(Optional.empty());
            long began = System.nanoTime();
            stage.run(spawner, "flood", "" + mebibytes, "" + width);
            if (reader != null) {
                reader.join();
            }
            double seconds = (System.nanoTime() - began) / 1e9;
            System.out.printf("lines of %4d bytes into %s%s: %.0f MB/s of output%n", width, log ? "log" : "",
                    client ? (log ? " and client" : "client") : "", mebibytes * 1.048576 / seconds);
        }
    }
}
