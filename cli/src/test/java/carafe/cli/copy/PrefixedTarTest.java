package carafe.cli.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarReader;
import carafe.spec.tar.TarWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PrefixedTarTest {

    private static TarEntry entry(TarEntry.Type type, String name, String link, long size) {
        return new TarEntry(type, name, link, size, List.of(new TarEntry.Extent(0, size)), 0640, 1, 2, 3, 0, 0, 0, Map.of());
    }

    private static byte[] files(String content) throws Exception {
        var out = new ByteArrayOutputStream();
        var tar = new TarWriter(out);
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        tar.add(entry(TarEntry.Type.FILE, "d/f", "", bytes.length));
        tar.write(bytes, 0, bytes.length);
        tar.add(entry(TarEntry.Type.HARD_LINK, "d/hard", "d/f", 0));
        tar.add(entry(TarEntry.Type.SYMLINK, "d/soft", "f", 0));
        tar.finish();
        return out.toByteArray();
    }

    @Test
    void archivesLieEachInItsDirectoryAndLinksStayInIt() throws Exception {
        var out = new ByteArrayOutputStream();
        var tar = new PrefixedTar(out);
        tar.add("a", new ByteArrayInputStream(files("one")));
        tar.add("b", new ByteArrayInputStream(files("two")));
        tar.add("", new ByteArrayInputStream(files("top")));
        tar.finish();
        var seen = new ArrayList<String>();
        var reader = new TarReader(new ByteArrayInputStream(out.toByteArray()));
        for (var entry = reader.next(); entry != null; entry = reader.next()) {
            String name = entry.name().replaceFirst("/$", "");
            seen.add(name + " " + (entry.type() == TarEntry.Type.FILE
                    ? new String(reader.data().readAllBytes(), StandardCharsets.UTF_8) : entry.linkName()));
        }
        assertThat(seen).containsExactly("a ", "a/d/f one", "a/d/hard a/d/f", "a/d/soft f", "b ", "b/d/f two",
                "b/d/hard b/d/f", "b/d/soft f", "d/f top", "d/hard d/f", "d/soft f");
    }

    @Test
    void whatIsNoArchiveIsRefused() {
        byte[] nonsense = "x".repeat(1024).getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> new PrefixedTar(new ByteArrayOutputStream()).add("a", new ByteArrayInputStream(nonsense)))
                .isInstanceOf(CopyException.class);
    }
}
