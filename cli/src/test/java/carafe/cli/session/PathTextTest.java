package carafe.cli.session;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.spec.tar.TarText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathTextTest {

    @Test
    void everyNameKeepsItsBytes(@TempDir Path directory) throws Exception {
        byte[][] names = {{'p'}, {'c', 'a', 'f', (byte) 0xE9}, {(byte) 0xFF, '%', ' ', '?', '#', (byte) 0x80},
            "größe \uFFFD+".getBytes(StandardCharsets.UTF_8)};
        for (byte[] name : names) {
            String text = TarText.decode(name);
            Path path = PathText.resolve(directory, "d/" + text);
            assertThat(PathText.bytes(path.getFileName())).isEqualTo(name);
            assertThat(PathText.of(path)).isEqualTo(directory + "/d/" + text);
            assertThat(path.getParent()).isEqualTo(directory.resolve("d"));
            Files.createDirectories(path);
            Path link = Files.createSymbolicLink(PathText.resolve(directory, "l" + text), path.getFileName());
            assertThat(PathText.of(Files.readSymbolicLink(link))).isEqualTo(text);
            try (var found = Files.newDirectoryStream(directory.resolve("d"))) {
                assertThat(found.iterator().next()).isEqualTo(path);
            }
            Files.delete(path);
            for (String whole : new String[] {text, "../" + text + "/" + text, "/" + text}) {
                assertThat(PathText.of(PathText.path(whole))).isEqualTo(whole);
                assertThat(PathText.path(whole).isAbsolute()).isEqualTo(whole.startsWith("/"));
            }
        }
    }
}
