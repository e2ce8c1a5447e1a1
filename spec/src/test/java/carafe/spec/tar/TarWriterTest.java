package carafe.spec.tar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.tar.TarEntry.Type;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class TarWriterTest {

    private static TarEntry entry(Type type, String name, String link, long size, long uid) {
        return new TarEntry(type, name, link, size, List.of(), 04755, uid, 8, 1_700_000_000, 0, 1, 3,
                type == Type.FILE ? Map.of("user.a", new byte[] {0, 10, -1}) : Map.of());
    }

    private static TarReader written(TarEntry entry, byte[] data) throws IOException {
        var out = new ByteArrayOutputStream();
        var writer = new TarWriter(out);
        writer.add(entry);
        writer.write(data, 0, data.length);
        writer.finish();
        return new TarReader(new ByteArrayInputStream(out.toByteArray()));
    }

    @Test
    void whatIsWrittenIsReadAgain() throws Exception {
        for (var type : Type.values()) {
            for (String name : List.of("a", "ä/b", "x".repeat(300), "raw\uDCFFbyte", "line\nend")) {
                for (long uid : new long[] {0, 1000, 2_000_000_000L}) {
                    boolean file = type == Type.FILE;
                    byte[] data = file ? "content".getBytes(StandardCharsets.US_ASCII) : new byte[0];
                    String link = type == Type.SYMLINK || type == Type.HARD_LINK ? name + "-there" : "";
                    var reader = written(entry(type, name, link, data.length, uid), data);
                    var read = Objects.requireNonNull(reader.next());
                    assertThat(read.type()).isEqualTo(type);
                    assertThat(read.name()).isEqualTo(type == Type.DIRECTORY ? name + "/" : name);
                    assertThat(read.linkName()).isEqualTo(link);
                    assertThat(read.uid()).isEqualTo(uid);
                    assertThat(read.gid()).isEqualTo(8);
                    assertThat(read.mode()).isEqualTo(04755);
                    assertThat(read.mtimeSeconds()).isEqualTo(1_700_000_000);
                    assertThat(reader.data().readAllBytes()).isEqualTo(data);
                    if (file) {
                        assertThat(read.xattrs()).containsOnlyKeys("user.a");
                        assertThat(read.xattrs().get("user.a")).isEqualTo(new byte[] {0, 10, -1});
                    }
                    assertThat(reader.next()).isNull();
                }
            }
        }
    }

    @Test
    void dataMustFitTheHeader() throws Exception {
        var writer = new TarWriter(new ByteArrayOutputStream());
        writer.add(entry(Type.FILE, "a", "", 3, 0));
        assertThatThrownBy(() -> writer.write(new byte[4], 0, 4)).isInstanceOf(IOException.class);
        writer.write(new byte[2], 0, 2);
        assertThatThrownBy(writer::finish).hasMessageContaining("missed writing 1 bytes");
    }
}
