package carafe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import carafe.cli.session.Files.FileEntry;
import carafe.cli.session.PathText;
import carafe.spec.build.FileStamp;
import carafe.spec.tar.TarText;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What whoever lists the directories of contexts says of the same files: what stat(1) does. Stamps are compared with
/// remembered ones, and links get into images.
public abstract class ListerContract {

    private static final BigDecimal BILLION = BigDecimal.valueOf(1_000_000_000);
    private static final String NO_UTF_8 = "a\uDCFFb";

    @TempDir
    private Path root;

    /// Asks the lister.
    protected abstract List<FileEntry> list(Path directory) throws IOException;

    @Test
    void filesAreWhatStatSaysTheyAre() throws Exception {
        shell("""
                printf 12345 > plain; chmod 4711 plain; ln plain again
                mkdir -m 1777 directory; ln -s nowhere//at/all/ link; mkfifo pipe
                : > "$(printf 'gr\\303\\266\\303\\237e')"; ln -s plain '?'
                touch -d @-4.75 before; touch -d 1905-01-01 earlier; touch -d 2300-01-01 later
                """);
        assertSame(root, ".");
        assertThat(list(root)).extracting(FileEntry::name, FileEntry::kind, FileEntry::target).containsExactlyInAnyOrder(
                tuple("plain", FileEntry.Kind.FILE, ""), tuple("again", FileEntry.Kind.FILE, ""),
                tuple("directory", FileEntry.Kind.DIRECTORY, ""), tuple("link", FileEntry.Kind.LINK, "nowhere//at/all/"),
                tuple("pipe", FileEntry.Kind.OTHER, ""), tuple("größe", FileEntry.Kind.FILE, ""),
                tuple("?", FileEntry.Kind.LINK, "plain"), tuple("before", FileEntry.Kind.FILE, ""),
                tuple("earlier", FileEntry.Kind.FILE, ""), tuple("later", FileEntry.Kind.FILE, ""));
        assertThat(list(root)).filteredOn(FileEntry::linked).extracting(FileEntry::name)
                .containsExactlyInAnyOrder("plain", "again");
    }

    @Test
    void namesThatAreNoUtf8KeepTheirBytes() throws Exception {
        shell("""
                name="$(printf 'a\\377b')"
                mkdir "$name"; printf 123 > "$name/$name"; ln -s "$name" one; ln -s "$name/" other
                """);
        assertThat(list(root)).extracting(FileEntry::name, FileEntry::target).containsExactlyInAnyOrder(
                tuple(NO_UTF_8, ""), tuple("one", NO_UTF_8), tuple("other", NO_UTF_8 + "/"));
        assertSame(root, ".");
        assertThat(list(PathText.resolve(root, NO_UTF_8))).extracting(FileEntry::name, FileEntry::size)
                .containsExactly(tuple(NO_UTF_8, 3L));
        assertSame(PathText.resolve(root, NO_UTF_8), "\"$(printf 'a\\377b')\"");
    }

    @Test
    void filesOfOtherDevicesHaveTheirNumbers() throws Exception {
        assertThat(list(Path.of("/"))).filteredOn(entry -> entry.name().equals("proc"))
                .extracting(entry -> Long.toString(entry.stamp().device()))
                .containsExactly(new String(shell("stat --printf %d /proc"), StandardCharsets.US_ASCII));
    }

    @Test
    void whatIsGoneMeanwhileIsLeftOut() throws Exception {
        Files.writeString(root.resolve("stays"), "");
        Path comes = root.resolve("comes");
        var done = new AtomicBoolean();
        var other = Thread.ofPlatform().start(() -> {
            try {
                while (!done.get()) {
                    Files.createSymbolicLink(comes, Path.of("nowhere"));
                    Files.delete(comes);
                    Files.createFile(comes);
                    Files.delete(comes);
                }
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        try {
            for (int i = 0; i < 2000; i++) {
                assertThat(list(root)).extracting(FileEntry::name).contains("stays");
            }
        } finally {
            done.set(true);
            other.join();
        }
    }

    @Test
    void whatIsNoDirectoryIsSaid() throws Exception {
        Files.writeString(root.resolve("file"), "");
        assertThatThrownBy(() -> list(root.resolve("file"))).isInstanceOf(IOException.class)
                .hasMessage("open " + root + "/file: not a directory");
        assertThatThrownBy(() -> list(root.resolve("none"))).isInstanceOf(IOException.class)
                .hasMessage("open " + root + "/none: no such file or directory");
    }

    /// `word` is what a shell calls the directory.
    private void assertSame(Path directory, String word) throws Exception {
        var said = said(word);
        var entries = list(directory);
        assertThat(entries).extracting(FileEntry::name).containsExactlyInAnyOrderElementsOf(said.keySet());
        for (var entry : entries) {
            var file = said.getOrDefault(entry.name(), List.of());
            int mode = Integer.parseInt(file.get(0), 16);
            long size = Long.parseLong(file.get(1));
            var modified = new BigDecimal(file.get(2));
            var stamp = new FileStamp(Long.parseLong(file.get(4)), Long.parseLong(file.get(5)), size, nanos(modified),
                    nanos(new BigDecimal(file.get(3))));
            assertThat(entry.stamp()).as(entry.name()).isEqualTo(stamp);
            assertThat(entry.mode()).as(entry.name()).isEqualTo(mode & 07777);
            assertThat(entry.size()).as(entry.name()).isEqualTo(size);
            assertThat(entry.modifiedSeconds()).as(entry.name())
                    .isEqualTo(modified.setScale(0, RoundingMode.FLOOR).longValueExact());
            assertThat(entry.linked()).as(entry.name())
                    .isEqualTo(entry.kind() == FileEntry.Kind.FILE && Integer.parseInt(file.get(6)) > 1);
        }
    }

    /// The lowest 64 bits, as those who multiply seconds have them.
    private static long nanos(BigDecimal seconds) {
        return seconds.multiply(BILLION).toBigInteger().longValue();
    }

    /// What stat(1) says of each name, by name: mode, size, modified, changed, device, inode, links.
    private Map<String, List<String>> said(String word) throws Exception {
        byte[] bytes = shell("cd " + word + "; find . -mindepth 1 -maxdepth 1 -exec"
                + " stat --printf '%f/%s/%.9Y/%.9Z/%d/%i/%h/%n\\0' {} +");
        var all = new HashMap<String, List<String>>();
        int start = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                var words = List.of(TarText.decode(bytes, start, i - start).split("/", 9));
                all.put(words.getLast(), words.subList(0, 7));
                start = i + 1;
            }
        }
        return all;
    }

    private byte[] shell(String script) throws Exception {
        var builder = new ProcessBuilder("sh", "-ec", script).redirectErrorStream(true).directory(root.toFile());
        builder.environment().put("LC_ALL", "C");
        var process = builder.start();
        byte[] said = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).as(new String(said, StandardCharsets.UTF_8)).isZero();
        return said;
    }
}
