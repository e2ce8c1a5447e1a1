package carafe.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Rebuilds of a context with many files: what did not change is neither read nor sent, and whatever did is noticed. The
/// context lies on a file system that notes every reading.
final class CarafeListedBuildTest {

    private static final int FILES = 1200;

    private final EngineUnderTest engine;
    private final Client carafe = Client.carafe();
    private Path context = Path.of("none");

    CarafeListedBuildTest() throws Exception {
        engine = new CarafeDaemon();
    }

    @BeforeEach
    void start() throws Exception {
        engine.start();
        context = Files.createDirectory(engine.directory().resolve("context"));
        Command.of("mount", "-t", "tmpfs", "-o", "strictatime,size=64m", "none", context.toString()).run().good();
        Files.writeString(context.resolve("Dockerfile"), "FROM scratch\nCOPY src /src\n");
        for (int i = 0; i < FILES; i++) {
            Path file = context.resolve("src/d" + i % 12 + "/f" + i);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "file " + i);
        }
        Files.createSymbolicLink(context.resolve("src/link"), Path.of("d0/f0"));
        grownOld();
    }

    @AfterEach
    void stop() throws Exception {
        try {
            Command.of("umount", context.toString()).run().good();
        } finally {
            engine.close();
        }
    }

    /// Files that were changed a moment ago are not remembered.
    private void grownOld() throws Exception {
        Instant last = Instant.now();
        Deadline.await("the files are older than two seconds", () -> Instant.now().isAfter(last.plusMillis(2500)));
    }

    private String built(String... flags) throws Exception {
        return carafe.to(engine).and("build", "-q").and(flags).and(context.toString()).run().good().text();
    }

    private Outcome explained() throws Exception {
        return carafe.to(engine).and("build", "--explain", "--progress", "plain", context.toString()).run().good();
    }

    private TreeMap<String, FileTime> readings() throws IOException {
        var readings = new TreeMap<String, FileTime>();
        try (var files = Files.walk(context.resolve("src"))) {
            for (Path file : files.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)).toList()) {
                readings.put(file.toString(), (FileTime) Files.getAttribute(file, "lastAccessTime"));
            }
        }
        return readings;
    }

    private FileTime dockerfileRead() throws IOException {
        return (FileTime) Files.getAttribute(context.resolve("Dockerfile"), "lastAccessTime");
    }

    @Test
    void anUnchangedContextIsNotReadAgainAlsoAfterARestart() throws Exception {
        String first = built();
        assertThat(Client.docker28().to(engine).with("DOCKER_BUILDKIT", "0").and("build", "-q", context.toString()).run().good()
                .text()).isEqualTo(first);
        var before = readings();
        var dockerfile = dockerfileRead();
        assertThat(before.size()).isEqualTo(FILES);
        assertThat(built()).isEqualTo(first);
        assertThat(explained().err()).contains("CACHED", "cached: same instruction, same files");
        engine.stop();
        engine.start();
        assertThat(built()).isEqualTo(first);
        assertThat(readings().equals(before)).as("no file was read").isTrue();
        assertThat(dockerfileRead()).isGreaterThan(dockerfile); // a reading is noted
    }

    @Test
    void whateverChangesIsNoticedAndNamed() throws Exception {
        String first = built();
        Path file = context.resolve("src/d1/f1");
        var time = Files.getLastModifiedTime(file);
        Files.writeString(file, "FILE 1"); // as long as before
        Files.setLastModifiedTime(file, time);
        var changed = explained();
        assertThat(changed.err()).contains("not cached: src/d1/f1 was changed");
        assertThat(changed.err().split("#1 \\[", -1)).as("what happened is told once").hasSize(2);
        String second = built();
        assertThat(second).isNotEqualTo(first);

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(explained().err()).contains("not cached: src/d1/f1 was changed");
        Files.delete(file);
        assertThat(explained().err()).contains("src/d1/f1 was removed");
        Files.writeString(file, "file 1");
        assertThat(explained().err()).contains("CACHED");
        assertThat(built()).isEqualTo(first);
        Files.setLastModifiedTime(context.resolve("src/d2/f2"), FileTime.fromMillis(0)); // touched, not changed
        assertThat(built()).isEqualTo(first);
        Files.writeString(context.resolve("unused"), "x");
        assertThat(explained().err()).contains("CACHED");
    }

    @Test
    void aDamagedMemoryIsDoneWithout() throws Exception {
        String first = built();
        Path memories = engine.dataRoot().resolve("build/contexts");
        Path memory;
        try (var files = Files.list(memories)) {
            memory = files.findFirst().orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(memory);
        bytes[bytes.length / 2]++;
        Files.write(memory, bytes);
        var before = readings();
        assertThat(built()).isEqualTo(first);
        assertThat(readings().equals(before)).as("the whole context was not sent").isFalse();
        before = readings();
        assertThat(built()).isEqualTo(first);
        assertThat(readings().equals(before)).as("no file was read").isTrue();
    }

    @Test
    void flagsDoWhatTheyDoWithoutAListing() throws Exception {
        String first = built();
        Path metadata = engine.directory().resolve("metadata");
        Path outside = Files.writeString(engine.directory().resolve("Outside"), "FROM scratch\nCOPY src/d3 /three\n");
        Path more = Files.createDirectory(engine.directory().resolve("more"));
        Files.writeString(more.resolve("x"), "y");
        for (int i = 0; i < 2; i++) {
            assertThat(built("--metadata-file", metadata.toString())).isEqualTo(first);
            assertThat(metadata).content().contains(first);
            assertThat(built("-f", outside.toString())).isNotEqualTo(first);
            assertThat(built("--build-context", "more=" + more)).isEqualTo(first);
        }
        assertThat(built("--no-cache")).isNotEmpty();
        String targets = carafe.to(engine).and("build", "--call", "outline", context.toString()).run().good().text();
        assertThat(targets).isNotEmpty();
        Files.writeString(context.resolve("Dockerfile"), "FROM scratch\nCOPY none /\n");
        assertThat(carafe.to(engine).and("build", context.toString()).run().endedWith(1).err()).contains("COPY none /", "not found");
    }
}
