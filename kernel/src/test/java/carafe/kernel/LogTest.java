package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// The log as Docker writes it; the finer points of escaping and splitting are checked in C (native/test/check.c).
final class LogTest {

    private static final Optional<Boolean> NO_INPUT = Optional.empty();

    @RegisterExtension
    final NothingLeft nothingLeft = NothingLeft.open();

    @TempDir
    Path directory;

    private Spawner spawner;

    @BeforeAll
    static void warmUp() throws Exception {
        Stage.warmUp();
    }

    @BeforeEach
    void start() throws Exception {
        spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"));
    }

    @AfterEach
    void stop() throws Exception {
        spawner.close();
        Stage.awaitNoProcess(directory);
    }

    private Stage stage() throws Exception {
        return new Stage(directory.resolve("stage"));
    }

    @Test
    void recordsAreDockers() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT).run(spawner, "print", "plain\ntab\there \"quoted\" \\ <a href=\"x\">&amp;</a>\r\n"
                    + "über 日本 \ud83d\ude00 \u2028\u2029\nno end");
            assertThat(stage.logText().replaceAll("\"time\":\"[^\"]*\"", "\"time\":T")).isEqualTo("""
                    {"log":"plain\\n","stream":"stdout","time":T}
                    {"log":"tab\\u0009here \\"quoted\\" \\\\ \\u003ca href=\\"x\\"\\u003e\\u0026amp;\\u003c/a\\u003e\
                    \\r\\n","stream":"stdout","time":T}
                    {"log":"über 日本 \ud83d\ude00 \\u2028\\u2029\\n","stream":"stdout","time":T}
                    {"log":"no end","stream":"stdout","time":T}
                    """);
        }
    }

    @Test
    void timesAreNowAndInOrder() throws Exception {
        try (var stage = stage()) {
            var before = Instant.now();
            stage.pipes(NO_INPUT).run(spawner, "lines", "3");
            var times = LogLine.read(stage.logText()).stream().map(line -> Instant.parse(line.time())).toList();
            assertThat(times).hasSize(3).isSorted().allSatisfy(t -> assertThat(t).isBetween(before, Instant.now()));
        }
    }

    @Test
    void longLinesAreSplitEvery16KiBAndShareTheirTime() throws Exception {
        try (var stage = stage()) {
            stage.pipes(NO_INPUT).run(spawner, "print", "a".repeat(40_000) + "\nshort\n");
            var lines = LogLine.read(stage.logText());
            assertThat(lines).extracting(line -> line.log().length()).containsExactly(16384, 16384, 7233, 6);
            assertThat(lines.get(0).log()).doesNotContain("\n");
            assertThat(lines.get(2).log()).endsWith("a\n");
            assertThat(lines.subList(0, 3)).extracting(LogLine::time).containsOnly(lines.getFirst().time());
        }
    }

    @Test
    void logIsContinuedByTheNextStart() throws Exception {
        try (var stage = stage()) {
            Files.writeString(stage.directory.resolve("json.log"), "{\"log\":\"torn by a power c");
            stage.pipes(NO_INPUT).run(spawner, "print", "next\n");
            var lines = stage.logText().split("\n");
            assertThat(lines).hasSize(2);
            assertThat(lines[1]).startsWith("{\"log\":\"next\\n\"");
        }
    }

    @Test
    void logRotatesAtItsSizeAndKeepsSoManyFiles() throws Exception {
        try (var stage = stage()) {
            stage.log = Optional.of(new MonitorPlan.Log(Stage.RUN_DIR, "json.log", 10_000, 3));
            stage.pipes(NO_INPUT).run(spawner, "lines", "2000");
            var all = new StringBuilder();
            for (var name : List.of("json.log.2", "json.log.1", "json.log")) {
                var text = Files.readString(stage.directory.resolve(name));
                assertThat(text.length()).isBetween(1, 10_000);
                LogLine.read(text).forEach(line -> all.append(line.log()));
            }
            assertThat(stage.directory.resolve("json.log.3")).doesNotExist();
            assertThat(all.toString()).endsWith("line 1999\nline 2000\n").doesNotContain("line 1\n");
            var numbers = all.toString().lines().map(line -> Integer.parseInt(line.substring(5))).toList();
            for (int i = 1; i < numbers.size(); i++) {
                assertThat(numbers.get(i)).isEqualTo(numbers.get(i - 1) + 1);
            }
        }
    }

    @Test
    void logOfOneFileStartsAgain() throws Exception {
        try (var stage = stage()) {
            stage.log = Optional.of(new MonitorPlan.Log(Stage.RUN_DIR, "json.log", 10_000, 1));
            stage.pipes(NO_INPUT).run(spawner, "lines", "1000");
            assertThat(stage.logText().length()).isBetween(1, 10_000);
            assertThat(stage.output()).endsWith("line 1000\n");
            assertThat(stage.directory.resolve("json.log.1")).doesNotExist();
        }
    }

    @Test
    void withoutALogNoneIsWritten() throws Exception {
        try (var stage = stage()) {
            stage.log = Optional.empty();
            var client = stage.client(MonitorStream.STDOUT);
            stage.pipes(NO_INPUT).run(spawner, "print", "hello");
            assertThat(Stage.unframed(Stage.readAll(client), 1)).isEqualTo("hello");
            assertThat(stage.directory.resolve("json.log")).doesNotExist();
        }
    }

    @Test
    void fullDiskNeverStopsTheProcessAndIsConfessed() throws Exception {
        try (var stage = stage();
                var small = FsContext.mount("tmpfs", java.util.Map.of("size", "64k"), 0);
                var full = Descriptors.open(Path.of(small.path()), Linux.O_RDONLY | Linux.O_DIRECTORY, 0)) {
            var log = new Slot("log");
            stage.descriptors.put(log, full);
            stage.log = Optional.of(new MonitorPlan.Log(log, "json.log", 0, 1));
            var ballast = Path.of(full.path()).resolve("ballast");
            Files.write(ballast, new byte[40 << 10]);
            var client = stage.client(MonitorStream.STDIN, MonitorStream.STDOUT);
            try (var launched = spawner.launch(
                    stage.pipes(Optional.of(true)).launch("lines", "5000", "then", "copy"), Stage.DEADLINE)) {
                stage.descriptors.entrySet().removeIf(entry -> entry.getKey().equals(log));
                stage.passedOn();
                Stage.await("lost lines", () -> stage.link().state().lostLines() > 0);
                Files.delete(ballast);
                client.write(java.nio.ByteBuffer.wrap("room again\n".getBytes()));
                client.shutdownOutput();
                var received = Stage.unframed(Stage.readAll(client), 1);
                assertThat(received).contains("line 5000\n").endsWith("room again\n<end>\n");
                var end = launched.awaitExit();
                assertThat(end.lostLines()).isPositive();
                var lines = LogLine.read(Files.readString(Path.of(full.path()).resolve("json.log")));
                var confession = lines.stream().filter(line -> line.stream().equals("stderr")).toList();
                assertThat(confession).hasSize(1).first().extracting(LogLine::log).isEqualTo(
                        "[carafe: " + end.lostLines() + " lines could not be logged: no space left on device]\n");
                assertThat(lines).hasSize((int) (5000 + 2 + 1 - end.lostLines()));
            }
        }
    }
}
