package carafe.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The library as Debian has it, unpacked by the build; the host needs none.
final class IsalGzipTest extends GzipContract {

    private static final Path TOOLS = Path.of(System.getProperty("carafe.root"), "e2e/target/tools/isal/usr");
    private static final LibIsal LIBRARY = LibIsal.load(file().toString()).orElseThrow();

    @TempDir
    private Path directory;

    @Override
    Optional<LibIsal> library() {
        return Optional.of(LIBRARY);
    }

    private static Path file() {
        try (var files = Files.find(TOOLS.resolve("lib"), 2, (path, _) -> path.endsWith("libisal.so.2"))) {
            return files.findFirst().orElseThrow();
        } catch (IOException e) {
            throw new AssertionError("no libisal.so.2 below " + TOOLS + ": e2e/fetch isal", e);
        }
    }

    @Test
    void whatIsNotThereOrSomethingElseIsNotUsed() {
        assertThat(LibIsal.load("libisal-of-nobody.so.2")).isEmpty();
        assertThat(LibIsal.load("libc.so.6")).isEmpty();
    }

    @Test
    void theOffsetsAreThoseOfItsHeader() throws IOException, InterruptedException {
        var expected = List.of(
                "inflate_state.next_out=" + LibIsal.INFLATE_NEXT_OUT, "inflate_state.avail_out=" + LibIsal.INFLATE_AVAIL_OUT,
                "inflate_state.next_in=" + LibIsal.INFLATE_NEXT_IN, "inflate_state.avail_in=" + LibIsal.INFLATE_AVAIL_IN,
                "inflate_state.read_in_length=" + LibIsal.INFLATE_READ_IN_LENGTH,
                "inflate_state.block_state=" + LibIsal.INFLATE_BLOCK_STATE);
        String offsets = expected.stream().map(line -> line.substring(0, line.indexOf('=')).split("\\."))
                .map(field -> "P(" + field[0] + ", " + field[1] + ");").collect(Collectors.joining("\n"));
        Path source = Files.writeString(directory.resolve("layout.c"), """
                #include <isa-l/igzip_lib.h>
                #include <stddef.h>
                #include <stdio.h>
                #define P(s, f) printf(#s "." #f "=%%zu\\n", offsetof(struct s, f))
                int main(void) {
                  %s
                  printf("%%zu %%d\\n", sizeof(struct inflate_state), ISAL_BLOCK_FINISH);
                  return 0;
                }
                """.formatted(offsets));
        run("gcc", "-I", TOOLS.resolve("include").toString(), "-o", directory.resolve("layout").toString(),
                source.toString());
        var lines = run(directory.resolve("layout").toString()).lines().toList();
        assertThat(lines.subList(0, lines.size() - 1)).isEqualTo(expected);
        assertThat(lines.getLast()).isEqualTo(LibIsal.INFLATE_BYTES + " " + LibIsal.ISAL_BLOCK_FINISH);
    }

    private static String run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(Arrays.toString(command) + ": " + said).isZero();
        return said;
    }
}
