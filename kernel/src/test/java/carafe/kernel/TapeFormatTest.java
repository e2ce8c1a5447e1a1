package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TapeFormatTest {

    @Test
    void everyNumberAndOffsetIsWhatTheCompilerSays() throws Exception {
        var printed = new TreeMap<String, Long>();
        var process = new ProcessBuilder(Stage.NATIVE.resolve("tape-layout").toString()).start();
        for (var line : new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).split("\n")) {
            printed.put(javaName(line.split(" ")[0]), Long.parseLong(line.split(" ")[1]));
        }
        assertThat(process.waitFor()).isZero();

        var ours = new TreeMap<String, Long>();
        for (var field : TapeFormat.class.getDeclaredFields()) {
            int value = field.getInt(null);
            ours.put(field.getName(), field.getName().equals("NONE") ? Integer.toUnsignedLong(value) : value);
        }
        assertThat(ours).hasSizeGreaterThan(120).isEqualTo(printed);
    }

    /// `tape_step.call` → `STEP_CALL`, `sizeof(tape_step)` → `STEP_BYTES`, `TAPE_MAX_STEPS` → `MAX_STEPS`.
    private static String javaName(String name) {
        if (name.startsWith("sizeof(")) {
            return name.substring("sizeof(tape_".length(), name.length() - 1).toUpperCase(Locale.ROOT) + "_BYTES";
        }
        return name.substring("tape_".length()).replace('.', '_').toUpperCase(Locale.ROOT);
    }
}
