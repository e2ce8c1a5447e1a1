package carafe.build.dockerfile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/// Whatever the bytes, reading a Dockerfile ends soon, with a result or a refusal that names a line of the file.
class FuzzTest {

    private static final List<String> HOSTILE = List.of(
            "FROM a\nENV A=" + "${B:-".repeat(5000),
            "FROM a\nENV A=" + "${B:-".repeat(90) + "}".repeat(90),
            "FROM a\nRUN " + "\\\n".repeat(20_000),
            "FROM a\nRUN " + "<<A ".repeat(2000) + "\nA\n",
            "FROM a\n" + "RUN x\n".repeat(20_000),
            "FROM a\nRUN " + "[".repeat(50_000),
            "FROM a\nCOPY [\"" + "\\u0000".repeat(1000) + "\"]",
            "FROM a\nENV A=\"" + "\\".repeat(10_001),
            "# escape=`\n# escape=`\n",
            "FROM a\nHEALTHCHECK --interval=" + "9".repeat(40) + "h CMD x",
            "FROM a\nONBUILD " + "ONBUILD ".repeat(5000) + "RUN x",
            "FROM a\nRUN " + "--mount=".repeat(3000),
            "\uFEFF\uFEFFFROM \0\n",
            "FROM a\nLABEL " + "a=b ".repeat(50_000));

    @Test
    void hostileFilesAreReadOrRefusedSoon() {
        for (String text : HOSTILE) {
            Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60),
                    () -> read(text.getBytes(StandardCharsets.UTF_8)), () -> text.substring(0, Math.min(60, text.length())));
        }
    }

    @Test
    void changedFilesOfTheCorpusAreReadOrRefused() throws IOException {
        long seed = Long.getLong("fuzz.seed", System.nanoTime());
        System.out.println("fuzz.seed=" + seed);
        var random = new Random(seed);
        var seeds = seeds();
        for (int round = 0; round < 4000; round++) {
            byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
            for (int change = random.nextInt(1, 6); change > 0 && bytes.length > 0; change--) {
                bytes = changed(bytes, seeds, random);
            }
            read(bytes);
        }
    }

    private static byte[] changed(byte[] bytes, List<byte[]> seeds, Random random) {
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(4)) {
            case 0 -> bytes[at] = (byte) random.nextInt(256);
            case 1 -> bytes[at] = (byte) "\\\"'$`{}<\n#=-[ :%/".charAt(random.nextInt(17));
            case 2 -> {
                byte[] cut = new byte[at];
                System.arraycopy(bytes, 0, cut, 0, at);
                return cut;
            }
            default -> {
                byte[] other = seeds.get(random.nextInt(seeds.size()));
                byte[] both = new byte[at + other.length];
                System.arraycopy(bytes, 0, both, 0, at);
                System.arraycopy(other, 0, both, at, other.length);
                return both;
            }
        }
        return bytes;
    }

    private static void read(byte[] bytes) {
        try {
            var source = Source.of("Dockerfile", bytes);
            try {
                var file = Dockerfile.parse(source);
                assertThat(file.stages()).isNotEmpty();
                expand(new String(bytes, StandardCharsets.UTF_8), file.directives().escape());
            } catch (DockerfileException e) {
                assertThat(e.span().last()).isLessThanOrEqualTo(source.lines().size());
                assertThat(e.getMessage()).isNotBlank();
                assertThat(e.in(source).getMessage()).contains(">>>");
            }
        } catch (DockerfileException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private static void expand(String text, char escape) {
        var expansion = new Expansion(escape, name -> name.length() % 2 == 0 ? Optional.of("value") : Optional.empty());
        try {
            assertThat(expansion.word(text).length()).isLessThanOrEqualTo(2 * Expansion.MAX_LENGTH);
            expansion.words(text);
        } catch (WordException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private static List<byte[]> seeds() throws IOException {
        var seeds = new ArrayList<byte[]>();
        Path root = Path.of(System.getProperty("carafe.root"), "build/src/test/resources/golden");
        try (var walk = Files.walk(root)) {
            for (Path file : walk.filter(path -> path.endsWith("Dockerfile")).sorted().toList()) {
                seeds.add(Files.readAllBytes(file));
            }
        }
        assertThat(seeds).hasSizeGreaterThan(200);
        return seeds;
    }
}
