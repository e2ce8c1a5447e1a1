package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class NativeCheckTest {

    @Test
    void testsInCPassUnderSanitizers() throws Exception {
        var make = new ProcessBuilder("make", "--no-print-directory", "check")
                .directory(Stage.NATIVE.resolveSibling(".").toFile())
                .redirectErrorStream(true)
                .start();
        var output = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(make.waitFor()).as(output).isZero();
    }
}
