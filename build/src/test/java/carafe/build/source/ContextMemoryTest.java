package carafe.build.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContextMemoryTest {

    private static final byte[] CAPABILITY = {1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

    @TempDir
    Path directory;

    private static FileStamp stamp(String path) {
        return new FileStamp(1, -2, path.length(), Long.MIN_VALUE, path.hashCode());
    }

    private static int found(ContextMemory.Recalled recalled, int files) {
        return (int) files(files).stream().filter(known -> recalled.find(known.stamp()) >= 0
                && recalled.digest(recalled.find(known.stamp())).equals(known.digest())).count();
    }

    private static boolean knows(ContextMemory.Recalled recalled, String path) {
        return recalled.find(stamp(path)) >= 0;
    }

    private static ContextMemory.Known known(String path) {
        return new ContextMemory.Known(stamp(path),
                Digest.sha256(path.getBytes(StandardCharsets.UTF_8)), path.endsWith("y") ? CAPABILITY : new byte[0]);
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
        assertThat(knows(memory.recall("/a 1:2"), "x")).isFalse();
        memory.learn("/a 1:2", List.of(known("x"), known("d/y")));
        var recalled = memory.recall("/a 1:2");
        assertThat(recalled.digest(recalled.find(stamp("x")))).isEqualTo(known("x").digest());
        assertThat(recalled.digest(recalled.find(stamp("d/y")))).isEqualTo(known("d/y").digest());
        assertThat(recalled.attributes(recalled.find(stamp("x")))).isEmpty();
        assertThat(recalled.attributes(recalled.find(stamp("d/y")))).containsOnly(entry("security.capability", CAPABILITY));
        assertThat(recalled.attributes(-1)).isEmpty();
        var x = stamp("x");
        for (var other : List.of(new FileStamp(2, x.inode(), x.size(), x.modifiedNanos(), x.changedNanos()),
                new FileStamp(1, -3, x.size(), x.modifiedNanos(), x.changedNanos()),
                new FileStamp(1, -2, 0, x.modifiedNanos(), x.changedNanos()),
                new FileStamp(1, -2, x.size(), 0, x.changedNanos()),
                new FileStamp(1, -2, x.size(), x.modifiedNanos(), 0), FileStamp.NONE)) {
            assertThat(recalled.find(other)).as(other.toString()).isEqualTo(-1);
        }
        assertThat(knows(memory.recall("/b 1:2"), "x")).isFalse();
        Files.createFile(directory.resolve("new-1234")); // what a crash leaves
        assertThat(ContextMemory.open(directory).recall("/a 1:2").find(x)).isNotNegative();
        assertThat(kept()).hasSize(1);
    }

    @Test
    void manyStampsAreToldApart() throws Exception {
        var memory = ContextMemory.open(directory);
        memory.learn("a", files(20_000));
        assertThat(found(memory.recall("a"), 20_000)).isEqualTo(20_000);
        assertThat(found(memory.recall("a"), 40_000)).isEqualTo(20_000);
    }

    @Test
    void onlyTheLastStateOfADirectoryIsKnown() throws Exception {
        var memory = ContextMemory.open(directory);
        memory.learn("a", List.of(known("x"), known("y")));
        memory.learn("a", List.of(known("y")));
        assertThat(knows(memory.recall("a"), "y")).isTrue();
        assertThat(knows(memory.recall("a"), "x")).isFalse();
        memory.learn("a", List.of());
        assertThat(knows(memory.recall("a"), "y")).isFalse();
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
            assertThat(found(memory.recall("a"), 3)).as("byte %d", i).isZero();
            assertThat(file).doesNotExist();
            Files.write(file, Arrays.copyOf(good, i));
            assertThat(found(memory.recall("a"), 3)).as("%d bytes", i).isZero();
            assertThat(file).doesNotExist();
        }
        Files.write(file, good);
        assertThat(found(memory.recall("a"), 3)).isEqualTo(3);
    }

    @Test
    void thoseUnusedLongestGoFirst() throws Exception {
        for (int i = 0; i < 3; i++) {
            open(3, 1 << 20, i).learn("d" + i, files(1));
        }
        assertThat(found(open(3, 1 << 20, 3).recall("d0"), 1)).isEqualTo(1);
        open(3, 1 << 20, 4).learn("d3", files(1));
        var memory = open(3, 1 << 20, 5);
        assertThat(found(memory.recall("d1"), 1)).isZero();
        assertThat(found(memory.recall("d0"), 1)).isEqualTo(1);
        assertThat(found(memory.recall("d2"), 1)).isEqualTo(1);
        assertThat(found(memory.recall("d3"), 1)).isEqualTo(1);
    }

    @Test
    void bytesAreBounded() throws Exception {
        open(100, 1 << 20, 0).learn("small", files(1));
        long bytes = Files.size(kept().getFirst());
        open(100, 1 << 20, 1).learn("large", files(20));
        open(100, Files.size(kept().stream().max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length())).orElseThrow())
                + bytes, 2).learn("other", files(1));
        var memory = open(100, 1 << 20, 3);
        assertThat(found(memory.recall("small"), 1)).isZero();
        assertThat(found(memory.recall("large"), 20)).isEqualTo(20);
        assertThat(found(memory.recall("other"), 1)).isEqualTo(1);
        open(100, bytes, 4).learn("other", files(20)); // more than may ever be
        assertThat(found(memory.recall("other"), 1)).isZero();
    }
}
