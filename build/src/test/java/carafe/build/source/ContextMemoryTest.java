package carafe.build.source;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.build.FileStamp;
import carafe.spec.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContextMemoryTest {

    @TempDir
    Path directory;

    private static ContextMemory.Known known(String path) {
        return new ContextMemory.Known(path, new FileStamp(1, -2, path.length(), Long.MIN_VALUE, Long.MAX_VALUE),
                Digest.sha256(path.getBytes(StandardCharsets.UTF_8)));
    }

    private static List<ContextMemory.Known> files(int count) {
        var files = new ArrayList<ContextMemory.Known>();
        for (int i = 0; i < count; i++) {
            files.add(known("d/ä" + i));
        }
        return files;
    }

    private ContextMemory open(int directories, long bytes, int second) throws Exception {
        return ContextMemory.open(directory, new ContextMemory.Bounds(directories, bytes),
                Clock.fixed(Instant.ofEpochSecond(1_000_000 + second), ZoneOffset.UTC));
    }

    private List<Path> kept() throws Exception {
        try (var files = Files.list(directory)) {
            return files.toList();
        }
    }

    @Test
    void whatWasLearntIsKnownAlsoAfterARestart() throws Exception {
        var memory = ContextMemory.open(directory);
        assertThat(memory.recall("/a 1:2")).isEmpty();
        memory.learn("/a 1:2", List.of(known("x"), known("d/y")));
        assertThat(memory.recall("/a 1:2")).isEqualTo(Map.of("x", known("x"), "d/y", known("d/y")));
        assertThat(memory.recall("/b 1:2")).isEmpty();
        Files.createFile(directory.resolve("new-1234")); // what a crash leaves
        assertThat(ContextMemory.open(directory).recall("/a 1:2")).hasSize(2);
        assertThat(kept()).hasSize(1);
    }

    @Test
    void onlyTheLastStateOfADirectoryIsKnown() throws Exception {
        var memory = ContextMemory.open(directory);
        memory.learn("a", List.of(known("x"), known("y")));
        memory.learn("a", List.of(known("y")));
        assertThat(memory.recall("a")).containsOnlyKeys("y");
        memory.learn("a", List.of());
        assertThat(memory.recall("a")).isEmpty();
        assertThat(kept()).isEmpty();
    }

    @Test
    void damageIsForgotten() throws Exception {
        var memory = ContextMemory.open(directory);
        memory.learn("a", files(3));
        Path file = kept().getFirst();
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x10;
            Files.write(file, bad);
            assertThat(memory.recall("a")).as("byte %d", i).isEmpty();
            assertThat(file).doesNotExist();
            Files.write(file, Arrays.copyOf(good, i));
            assertThat(memory.recall("a")).as("%d bytes", i).isEmpty();
            assertThat(file).doesNotExist();
        }
        Files.write(file, good);
        assertThat(memory.recall("a")).hasSize(3);
    }

    @Test
    void thoseUnusedLongestGoFirst() throws Exception {
        for (int i = 0; i < 3; i++) {
            open(3, 1 << 20, i).learn("d" + i, files(1));
        }
        assertThat(open(3, 1 << 20, 3).recall("d0")).isNotEmpty();
        open(3, 1 << 20, 4).learn("d3", files(1));
        var memory = open(3, 1 << 20, 5);
        assertThat(memory.recall("d1")).isEmpty();
        assertThat(memory.recall("d0")).isNotEmpty();
        assertThat(memory.recall("d2")).isNotEmpty();
        assertThat(memory.recall("d3")).isNotEmpty();
    }

    @Test
    void bytesAreBounded() throws Exception {
        open(100, 1 << 20, 0).learn("small", files(1));
        long bytes = Files.size(kept().getFirst());
        open(100, 1 << 20, 1).learn("large", files(20));
        open(100, Files.size(kept().stream().max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length())).orElseThrow())
                + bytes, 2).learn("other", files(1));
        var memory = open(100, 1 << 20, 3);
        assertThat(memory.recall("small")).isEmpty();
        assertThat(memory.recall("large")).hasSize(20);
        assertThat(memory.recall("other")).hasSize(1);
        open(100, bytes, 4).learn("other", files(20)); // more than may ever be
        assertThat(memory.recall("other")).isEmpty();
    }
}
