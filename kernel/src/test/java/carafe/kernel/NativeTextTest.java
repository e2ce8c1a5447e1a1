package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NothingLeft.class)
class NativeTextTest {

    private static final byte[] USUAL = "aé€😀/".getBytes(StandardCharsets.UTF_8);

    @Test
    void everyNameSurvivesTheWayThereAndBack() {
        long seed = Long.getLong("seed", 42);
        var random = new Random(seed);
        for (int round = 0; round < 20_000; round++) {
            byte[] name = new byte[random.nextInt(12)];
            for (int i = 0; i < name.length; i++) {
                name[i] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : USUAL[random.nextInt(USUAL.length)]);
            }
            assertThat(NativeText.encode(NativeText.decode(name))).as("seed " + seed).isEqualTo(name);
        }
    }

    @Test
    void wellFormedNamesReadAsThemselves() {
        for (String name : new String[] {"", "plain", "größe", "日本", "😀.txt"}) {
            assertThat(NativeText.decode(NativeText.encode(name))).isEqualTo(name);
        }
    }

    @Test
    void aNulIsRefusedBecauseItWouldNameSomethingElse() throws Exception {
        try (var tree = FileTree.open(Path.of("/"))) {
            assertThatThrownBy(() -> tree.open("etc/passwd\0.txt", Linux.O_RDONLY, 0))
                    .isInstanceOf(KernelException.class).hasMessageContaining("NUL");
        }
    }
}
