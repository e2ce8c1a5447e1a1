package carafe.spec.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.spec.EngineException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ContextListingTest {

    private static final FileStamp STAMP = new FileStamp(1, Long.MAX_VALUE, 7, -3, 4);

    /// What a reader was shown, a line each.
    private static final class Lines implements ContextListing.Visitor {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void file(String path, int mode, long size, FileStamp stamp) {
            lines.add("file " + path + " " + Integer.toOctalString(mode) + " " + size + (stamp.present() ? " " + stamp : ""));
        }

        @Override
        public void shown(String path, int mode, byte[] content) {
            lines.add("shown " + path + " " + Integer.toOctalString(mode) + " " + new String(content, StandardCharsets.UTF_8));
        }

        @Override
        public void folder(String path, int mode) {
            lines.add("folder " + path + " " + Integer.toOctalString(mode));
        }

        @Override
        public void link(String path, String target) {
            lines.add("link " + path + " " + target);
        }
    }

    private static List<String> read(byte[] listing) throws Exception {
        var lines = new Lines();
        ContextListing.read(listing, lines);
        return lines.lines;
    }

    private static ContextListing.Writer written() {
        var writer = new ContextListing.Writer();
        writer.directory("");
        writer.shown("Dockerfile", 0644, "FROM scratch".getBytes(StandardCharsets.UTF_8));
        writer.folder("ä", 0755);
        writer.link("l", "../..");
        writer.directory("ä/b");
        writer.file("f", 0600, 7, STAMP);
        writer.file("g", 07777, 1L << 40, FileStamp.NONE);
        return writer;
    }

    @Test
    void namesThatAreNoUtf8AreKept() throws Exception {
        var writer = new ContextListing.Writer();
        writer.directory("caf\uDCE9");
        writer.file("\uDCFF\uDC80", 0644, 1, STAMP);
        writer.link("l", "/\uDCE9");
        assertThat(read(writer.bytes())).containsExactly("file caf\uDCE9/\uDCFF\uDC80 644 1 " + new FileStamp(1, Long.MAX_VALUE,
                1, -3, 4), "link caf\uDCE9/l /\uDCE9");
    }

    @Test
    void whatIsWrittenIsRead() throws Exception {
        assertThat(read(written().bytes())).containsExactly("shown Dockerfile 644 FROM scratch", "folder ä 755", "link l ../..",
                "file ä/b/f 600 7 " + STAMP, "file ä/b/g 7777 1099511627776");
        assertThat(written().entries()).isEqualTo(5);
        assertThat(written().fileBytes()).isEqualTo(7 + (1L << 40));
        assertThat(written().tooMuch()).isFalse();
    }

    @Test
    void partsOfTwoThreadsMakeOne() throws Exception {
        var other = new ContextListing.Writer();
        other.directory("c");
        for (int i = 0; i < 3000; i++) {
            other.file("file number " + i, 0644, 1, STAMP);
        }
        var all = written();
        all.add(other);
        assertThat(read(all.bytes())).hasSize(3005).contains("file ä/b/f 600 7 " + STAMP).last()
                .isEqualTo("file c/file number 2999 644 1 " + new FileStamp(1, Long.MAX_VALUE, 1, -3, 4));
        assertThat(all.entries()).isEqualTo(3005);
    }

    private static byte[] raw(char kind, String text, byte... rest) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var out = new DataOutputStream(bytes);
        out.writeInt(0x43545831);
        out.writeByte(kind);
        byte[] name = text.getBytes(StandardCharsets.UTF_8);
        out.writeShort(name.length);
        out.write(name);
        out.write(rest);
        out.writeByte('E');
        return bytes.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", ".", "", "a/b", "/a", "a/", "a\0b"})
    void namesAreNames(String name) throws Exception {
        byte[] listing = raw('f', name, (byte) 0, (byte) 0);
        assertThatThrownBy(() -> read(listing)).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("name that is none");
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "/", "/etc", "a/../b", "a//b", "a/", "../a", "a/.", "a\0/b"})
    void directoriesLeadNowhereOutside(String path) throws Exception {
        byte[] listing = raw('D', path);
        assertThatThrownBy(() -> read(listing)).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("name that is none");
    }

    @Test
    void longNamesAndManyNamesAreRefusedOnBothSides() throws Exception {
        byte[] tooLong = raw('f', "n".repeat(1025), (byte) 0, (byte) 0);
        assertThatThrownBy(() -> read(tooLong)).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("name that is none");
        assertThat(read(raw('f', "n".repeat(1024), (byte) 0, (byte) 0))).hasSize(1);

        var many = new ContextListing.Writer();
        for (int i = 0; i < ContextListing.MAX_ENTRIES; i++) {
            many.folder("d", 0755);
        }
        assertThat(many.tooMuch()).isFalse();
        assertThat(read(many.bytes())).hasSize(ContextListing.MAX_ENTRIES);
        many.folder("d", 0755);
        assertThat(many.tooMuch()).isTrue();
        assertThatThrownBy(() -> read(many.bytes())).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("the context's listing has more than 200000 names");

        var deep = new ContextListing.Writer();
        deep.directory("d".repeat(1000) + ("/" + "d".repeat(1000)).repeat(60));
        for (int i = 0; i < 1200; i++) {
            deep.folder("d", 0755);
        }
        assertThat(deep.tooMuch()).isTrue();
        assertThatThrownBy(() -> read(deep.bytes())).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("the context's listing has paths that are too long");
    }

    @Test
    void whatIsNoListingIsRefused() throws Exception {
        byte[] good = written().bytes();
        for (int length = 0; length < good.length; length++) {
            byte[] part = Arrays.copyOf(good, length);
            assertThatThrownBy(() -> read(part)).as("%d bytes", length).isInstanceOf(EngineException.Invalid.class)
                    .hasMessage("the context's listing breaks off");
        }
        assertThatThrownBy(() -> read(Arrays.copyOf(good, good.length + 1))).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("something follows the context's listing");
        byte[] other = good.clone();
        other[3]++;
        assertThatThrownBy(() -> read(other)).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("does not know");
        byte[] record = raw('x', "a");
        assertThatThrownBy(() -> read(record)).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("record of kind");
        byte[] negative = raw('F', "a", new byte[] {0, 0, -1, 0, 0, 0, 0, 0, 0, 0});
        assertThatThrownBy(() -> read(negative)).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("bytes");
        byte[] large = raw('C', "a", new byte[] {0, 0, 0, 64, 0, 1});
        assertThatThrownBy(() -> read(large)).isInstanceOf(EngineException.Invalid.class).hasMessageContaining("at most 4194304");
    }

    @Test
    void damageIsRefusedAndNothingWorse() {
        long seed = Long.getLong("seed", System.nanoTime());
        var random = new Random(seed);
        byte[] good = written().bytes();
        for (int round = 0; round < 20_000; round++) {
            byte[] bad = good.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
            }
            try {
                ContextListing.read(bad, new Lines());
            } catch (EngineException.Invalid e) {
                continue; // as it should
            } catch (Exception | Error e) {
                throw new AssertionError("-Dseed=" + seed + " round " + round, e);
            }
        }
    }
}
