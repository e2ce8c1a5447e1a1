package carafe.engine;

import static carafe.engine.EngineHarness.eventually;
import static carafe.engine.EngineHarness.text;
import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LogReaderTest {
    private static final LogQuery.Show PLAIN = new LogQuery.Show(false, false, false);
    private static final LogQuery.Streams BOTH = new LogQuery.Streams(true, true);
    private static final LogQuery ALL =
            new LogQuery(BOTH, Optional.empty(), Optional.empty(), Optional.empty(), PLAIN);

    @TempDir
    private Path directory;
    private Path log;

    @BeforeEach
    void name() {
        log = directory.resolve("x-json.log");
    }

    private static String record(String text, String stream, String time) {
        return Json.object().put("log", text).put("stream", stream).put("time", time).build().print() + "\n";
    }

    private static String line(int number) {
        return record("line " + number + "\n", "stdout", "2026-01-02T03:04:05." + String.format("%09d", number) + "Z");
    }

    private void append(String text) throws IOException {
        Files.writeString(log, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private void rotate(int files) throws IOException {
        for (int number = files - 1; number >= 1; number--) {
            Path from = number == 1 ? log : log.resolveSibling("x-json.log." + (number - 1));
            if (Files.exists(from)) {
                Files.move(from, log.resolveSibling("x-json.log." + number),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private String read(LogQuery query, boolean framed) throws Exception {
        try (var reader = new LogReader(log, query, new LogRecords(query, framed, ""), false)) {
            return text(reader);
        }
    }

    private static LogQuery tail(long lines) {
        return new LogQuery(BOTH, Optional.of(lines), Optional.empty(), Optional.empty(), PLAIN);
    }

    @Test
    void aMissingLogIsEmpty() throws Exception {
        assertThat(read(ALL, true)).isEmpty();
    }

    @Test
    void everyEscapeIsUndone() throws Exception {
        append("{\"log\":\"a\\\"b\\\\c\\/\\n\\r\\t\\b\\f\\u0001\\u00e9\\u20ac\\ud83d\\ude00\\ud83d\",\"stream\":\"stderr\","
                + "\"time\":\"2026-01-02T03:04:05Z\"}\n");
        assertThat(new String(read(ALL, false).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8))
                .isEqualTo("a\"b\\c/\n\r\t\b\f\1é€😀\ufffd");
    }

    @Test
    void framesCarryStreamAndLength() throws Exception {
        append(record("out\n", "stdout", "2026-01-02T03:04:05Z") + record("e\n", "stderr", "2026-01-02T03:04:05Z"));
        assertThat(read(ALL, true)).isEqualTo("\1\0\0\0\0\0\0\4out\n\2\0\0\0\0\0\0\2e\n");
        var errors = new LogQuery(
                new LogQuery.Streams(false, true), Optional.empty(), Optional.empty(), Optional.empty(), PLAIN);
        assertThat(read(errors, false)).isEqualTo("e\n");
    }

    @Test
    void timesArePaddedAndPartsOfALineAreOneLine() throws Exception {
        append(record("one ", "stdout", "2026-01-02T03:04:05.12Z"));
        append(record("err\n", "stderr", "2026-01-02T03:04:05Z"));
        append(record("line\n", "stdout", "2026-01-02T03:04:05.12Z"));
        append(record("two\n", "stdout", "2026-01-02T03:04:06.000000001Z"));
        var query = new LogQuery(
                new LogQuery.Streams(true, false), Optional.empty(), Optional.empty(), Optional.empty(),
                new LogQuery.Show(true, false, false));
        assertThat(read(query, false)).isEqualTo(
                "2026-01-02T03:04:05.120000000Z one line\n2026-01-02T03:04:06.000000001Z two\n");
    }

    @Test
    void sinceAndUntilCutByTime() throws Exception {
        for (int number = 0; number < 10; number++) {
            append(line(number));
        }
        var query = new LogQuery(
                BOTH, Optional.empty(), Optional.of(Instant.parse("2026-01-02T03:04:05.000000003Z")),
                Optional.of(Instant.parse("2026-01-02T03:04:05.000000005Z")), PLAIN);
        assertThat(read(query, false)).isEqualTo("line 3\nline 4\nline 5\n");
    }

    @Test
    void rotatedFilesAreReadOldestFirstAndTailReachesAcrossThem() throws Exception {
        for (int number = 0; number < 30; number++) {
            if (number % 10 == 0) {
                rotate(5);
            }
            append(line(number));
        }
        assertThat(read(ALL, false).lines()).hasSize(30).first().isEqualTo("line 0");
        assertThat(read(tail(0), false)).isEmpty();
        assertThat(read(tail(3), false)).isEqualTo("line 27\nline 28\nline 29\n");
        assertThat(read(tail(10), false).lines()).hasSize(10).first().isEqualTo("line 20");
        assertThat(read(tail(12), false).lines()).hasSize(12).first().isEqualTo("line 18");
        assertThat(read(tail(99), false).lines()).hasSize(30);
    }

    @Test
    void tailFindsItsPlaceInALongFile() throws Exception {
        var text = new StringBuilder();
        for (int number = 0; number < 20_000; number++) {
            text.append(line(number));
        }
        append(text.toString());
        assertThat(read(tail(5000), false).lines()).hasSize(5000).first().isEqualTo("line 15000");
    }

    @Test
    void tornAndForeignLinesAreSkipped() throws Exception {
        append("{\"log\":\"torn\n" + "not json\n" + line(1) + "{\"log\":\"no end\\n\",\"stream\":\"stdout\"\n" + line(2)
                + "{\"log\":\"unfinished");
        assertThat(read(ALL, false)).isEqualTo("line 1\nline 2\n");
    }

    @Test
    void aFollowerSeesEveryLineThroughManyRotations() throws Exception {
        try (var watch = new LogWatch(); var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            Files.createFile(log);
            var reader = new LogReader(log, ALL, new LogRecords(ALL, false, ""), true);
            watch.add(directory, reader);
            var seen = new AtomicLong();
            var result = pool.submit(() -> count(reader, seen));
            for (int number = 0; number < 3000; number++) {
                if (number > 0 && number % 100 == 0) {
                    int reached = number;
                    eventually(() -> seen.get() >= reached - 200); // no reader may be five files behind
                    rotate(5);
                }
                append(line(number));
            }
            reader.end();
            var lines = result.get().lines().toList();
            for (int number = 0; number < lines.size(); number++) {
                assertThat(lines.get(number)).isEqualTo("line " + number);
            }
            assertThat(lines).hasSize(3000);
            watch.remove(reader);
            reader.close();
        }
    }

    @Test
    void aFollowerOfASingleFileGoesOnWhenItIsEmptied() throws Exception {
        append(line(0));
        try (var reader = new LogReader(log, ALL, new LogRecords(ALL, false, ""), true)) {
            assertThat(bytes(reader)).isEqualTo("line 0\n");
            Files.write(log, new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
            reader.wake();
            append(record("x\n", "stdout", "2026-01-02T03:04:05Z"));
            reader.wake();
            assertThat(bytes(reader)).isEqualTo("x\n");
        }
    }

    /// Reads to the end and counts lines on the way.
    private static String count(LogReader reader, AtomicLong seen) throws Exception {
        var text = new StringBuilder();
        for (var next = reader.next(); next.isPresent(); next = reader.next()) {
            byte[] bytes = new byte[next.get().remaining()];
            next.get().get(bytes);
            String piece = new String(bytes, StandardCharsets.UTF_8);
            text.append(piece);
            seen.addAndGet(piece.lines().count());
        }
        return text.toString();
    }

    private static String bytes(LogReader reader) throws Exception {
        var next = reader.next().orElseThrow();
        byte[] bytes = new byte[next.remaining()];
        next.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void closingEndsAReaderThatWaits() throws Exception {
        append(line(0));
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            var reader = new LogReader(log, ALL, new LogRecords(ALL, false, ""), true);
            var result = pool.submit(() -> text(reader));
            reader.close();
            assertThat(result.get()).isIn("", "line 0\n");
        }
    }

    @Test
    void randomBytesNeverBreakTheReader() throws Exception {
        long seed = Long.getLong("carafe.seed", new Random().nextLong());
        var random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            var bytes = new ByteArrayOutputStream();
            for (int piece = random.nextInt(20); piece >= 0; piece--) {
                byte[] good = line(piece).getBytes(StandardCharsets.UTF_8);
                for (int hits = random.nextInt(4); hits > 0; hits--) {
                    good[random.nextInt(good.length)] = (byte) random.nextInt(256);
                }
                bytes.write(good, 0, random.nextInt(good.length + 1));
            }
            Files.write(log, bytes.toByteArray());
            var query = new LogQuery(
                    BOTH, random.nextBoolean() ? Optional.empty() : Optional.of((long) random.nextInt(5)),
                    random.nextBoolean() ? Optional.empty() : Optional.of(Instant.EPOCH), Optional.empty(),
                    new LogQuery.Show(random.nextBoolean(), random.nextBoolean(), false));
            assertThat(read(query, random.nextBoolean()).length()).as("seed " + seed).isLessThan(10_000);
        }
    }

    @Test
    void whatDockersReaderSeesOursSees() throws Exception {
        long seed = Long.getLong("carafe.seed", new Random().nextLong());
        var random = new Random(seed);
        List<String> texts = new ArrayList<>();
        for (int number = 0; number < 500; number++) {
            var text = new StringBuilder();
            for (int length = random.nextInt(200); length > 0; length--) {
                int kind = random.nextInt(20);
                text.appendCodePoint(kind == 0 ? 0x1f600 + random.nextInt(60) : kind == 1 ? random.nextInt(32)
                        : kind == 2 ? '"' : kind == 3 ? '\\' : 32 + random.nextInt(90));
            }
            texts.add(text.append('\n').toString());
            append(record(texts.getLast(), "stdout", "2026-01-02T03:04:05.1Z"));
        }
        assertThat(new String(read(ALL, false).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8))
                .as("seed " + seed).isEqualTo(String.join("", texts));
    }
}
