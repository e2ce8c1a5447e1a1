package carafe.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A layer eight times as large as the heap goes through every way in and out.
class BigLayerTest {

    @TempDir
    private Path root;

    @Test
    void aLayerNeverSitsInMemory() throws Exception {
        long bytes = 1L << 30;
        var process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin/java").toString(), "-Xmx128m",
                "-XX:MaxDirectMemorySize=32m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow", "-cp", System.getProperty("java.class.path"),
                BigLayerProgram.class.getName(), root.toString(), String.valueOf(bytes))
                .redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said.strip()).matches("(?s).*" + bytes + " bytes, 0 problems, 12\\d MiB of heap");
    }
}
