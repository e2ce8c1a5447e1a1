package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpawnerTest {

    @TempDir
    Path directory;

    private Spawner spawner;

    @BeforeEach
    void start() throws Exception {
        spawner = Spawner.start(Stage.NATIVE.resolve("carafe-spawner"));
    }

    @AfterEach
    void stop() {
        spawner.close();
    }

    @Test
    void exitCodeComesBack() throws Exception {
        try (var stage = new Stage(directory.resolve("a"))) {
            var end = stage.pipes(Optional.empty()).run(spawner, "print", "hello\n", "then", "exit", "7");
            assertThat(end.code()).isEqualTo(7);
            assertThat(end.signal()).isZero();
            assertThat(stage.record()).contains(end);
            assertThat(stage.logText()).startsWith("{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"2");
        }
    }
}
