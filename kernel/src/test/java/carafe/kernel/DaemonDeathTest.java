package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// A process of its own plays the daemon and is killed with everything it could take along.
final class DaemonDeathTest {

    private static final int WRITERS = 4;
    private static final int LINES = 250_000;

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    @TempDir
    Path directory;

    @BeforeAll
    static void warmUp() throws Exception {
        Stage.warmUp();
    }

    @AfterEach
    void nobodyIsLeft() throws Exception {
        Stage.awaitNoProcess(directory);
    }

    /// The daemon: starts writers that wait for a word on stdin, prints the spawner's pid, and sleeps.
    static final class Daemon {
        public static void main(String[] args) throws Exception {
            var spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"));
            for (int i = 0; i < WRITERS; i++) {
                new Stage(Path.of(args[0], "c" + i))
                        .pipes(Optional.of(true))
                        .start(spawner, "copy", "then", "lines", "" + LINES, "then", "exit", "" + (40 + i));
            }
            System.out.println(spawner.pid().orElseThrow());
            System.in.read();
        }
    }

    @Test
    void noLineAndNoExitCodeIsLostWhenDaemonAndSpawnerAreKilled() throws Exception {
        killWhileWriting(true);
    }

    @Test
    void spawnerEndsWithItsDaemonAndMonitorsStay() throws Exception {
        killWhileWriting(false);
    }

    private void killWhileWriting(boolean spawnerToo) throws Exception {
        var daemon = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dcarafe.native=" + Stage.NATIVE,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Daemon.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        int spawner;
        try (var lines = daemon.inputReader(StandardCharsets.US_ASCII)) {
            spawner = Integer.parseInt(lines.readLine());
            for (int i = 0; i < WRITERS; i++) {
                begin(i);
            }
            Stage.await("writing to have begun", () -> log(0).length() > 10_000);
            try (var process = Processes.open(spawner).orElseThrow()) {
                if (spawnerToo) {
                    Processes.signal(process, Linux.SIGKILL);
                }
                daemon.destroyForcibly().waitFor();
                Stage.await("the spawner's end", () -> !Processes.isRunning(process));
            }
        }
        for (int i = 0; i < WRITERS; i++) {
            int number = i;
            Stage.await("its record", () -> ExitRecord.read(directory.resolve("c" + number), "exit").isPresent());
            var record = ExitRecord.read(directory.resolve("c" + i), "exit").orElseThrow();
            assertThat(record.code()).isEqualTo(40 + i);
            assertThat(record.lostLines()).isZero();
            assertEveryLineOnce(log(i));
        }
    }

    /// A new daemon finds the monitor by its socket and ends the input its process waits for.
    private void begin(int number) throws Exception {
        var link = MonitorLink.at(directory.resolve("c" + number).resolve("monitor.sock"));
        assertThat(link.state().pid()).isPositive();
        try (var channel = link.attach(Set.of(MonitorStream.STDIN))) {
            channel.shutdownOutput();
        }
    }

    private String log(int number) throws Exception {
        return Files.readString(directory.resolve("c" + number).resolve("json.log"));
    }

    private static void assertEveryLineOnce(String log) {
        int expected = 0;
        for (var record : log.split("\n")) {
            if (expected == 0) {
                assertThat(record).startsWith("{\"log\":\"\\u003cend\\u003e\\n\",");
            } else if (!record.startsWith("{\"log\":\"line " + expected + "\\n\",\"stream\":\"stdout\",")) {
                throw new AssertionError("line " + expected + " is not " + record);
            }
            expected++;
        }
        assertThat(expected).isEqualTo(LINES + 1);
    }
}
