package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import carafe.cli.session.Files.FileEntry;
import carafe.cli.session.PathText;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.spec.build.FileStamp;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ContextFilesTest {

    private static final String WANTED = "unix:mode,size,lastModifiedTime,ctime,ino,dev,nlink";
    private static final String NO_UTF_8 = "a\uDCFFb";

    @TempDir
    Path root;

    @Test
    void filesAreWhatJavaSaysTheyAre() throws Exception {
        try (var tree = FileTree.open(root); var directory = tree.directory("/")) {
            tree.writeFile("plain", "12345".getBytes(StandardCharsets.US_ASCII), 04711, 7, 8);
            tree.writeFile("größe", new byte[0], 0600, 0, 0);
            directory.mkdir("directory", 01777);
            directory.symlink("link", "nowhere/at all");
            directory.mknod("pipe", FileType.FIFO, 0600, 0, 0);
            directory.link("again", directory, "plain");
            directory.setModified("größe", -5, 250_000_000);
        }
        var entries = entries(root);
        assertThat(entries).containsOnlyKeys("plain", "größe", "directory", "link", "pipe", "again");
        for (var entry : entries.values()) {
            assertThat(entry).as(entry.name()).isEqualTo(javas(root, entry.name()));
        }
    }

    @Test
    void namesThatAreNoUtf8KeepTheirBytes() throws Exception {
        try (var tree = FileTree.open(root); var directory = tree.directory("/")) {
            directory.mkdir(NO_UTF_8, 0755);
            directory.symlink("link", NO_UTF_8);
            tree.writeFile(NO_UTF_8 + "/" + NO_UTF_8, new byte[3], 0600, 0, 0);
        }
        assertThat(ContextFiles.list(root)).extracting(FileEntry::name, FileEntry::target)
                .containsExactlyInAnyOrder(tuple(NO_UTF_8, ""), tuple("link", NO_UTF_8));
        assertThat(ContextFiles.list(PathText.resolve(root, NO_UTF_8))).extracting(FileEntry::name, FileEntry::size)
                .containsExactly(tuple(NO_UTF_8, 3L));
    }

    @Test
    void filesOfAnotherDeviceHaveItsNumber() throws Exception {
        var devices = new HashSet<Long>();
        for (var entry : ContextFiles.list(Path.of("/"))) {
            devices.add(entry.stamp().device());
            assertThat(entry.stamp().device()).as(entry.name())
                    .isEqualTo(Files.getAttribute(Path.of("/", entry.name()), "unix:dev", LinkOption.NOFOLLOW_LINKS));
        }
        assertThat(devices).as("/proc is another").hasSizeGreaterThan(1);
    }

    @Test
    void whatIsNoDirectoryIsSaid() throws Exception {
        Files.writeString(root.resolve("file"), "");
        assertThatThrownBy(() -> ContextFiles.list(root.resolve("file"))).isInstanceOf(IOException.class)
                .hasMessage("open " + root + "/file: not a directory");
        assertThatThrownBy(() -> ContextFiles.list(root.resolve("none"))).isInstanceOf(IOException.class)
                .hasMessage("open " + root + "/none: no such file or directory");
    }

    private static Map<String, FileEntry> entries(Path directory) throws IOException {
        var entries = new HashMap<String, FileEntry>();
        for (var entry : ContextFiles.list(directory)) {
            assertThat(entries.put(entry.name(), entry)).isNull();
        }
        return entries;
    }

    /// The same from Java's library, which a command in a JVM of its own asks.
    private static FileEntry javas(Path directory, String name) throws IOException {
        var path = directory.resolve(name);
        var read = Files.readAttributes(path, WANTED, LinkOption.NOFOLLOW_LINKS);
        int mode = of(read, "mode", Integer.class);
        var kind = switch (mode & 0170000) {
            case 0100000 -> FileEntry.Kind.FILE;
            case 0040000 -> FileEntry.Kind.DIRECTORY;
            case 0120000 -> FileEntry.Kind.LINK;
            default -> FileEntry.Kind.OTHER;
        };
        long size = of(read, "size", Long.class);
        var modified = of(read, "lastModifiedTime", FileTime.class);
        return new FileEntry(name, kind, mode & 07777, size, modified.toInstant().getEpochSecond(),
                kind == FileEntry.Kind.LINK ? Files.readSymbolicLink(path).toString() : "",
                new FileStamp(of(read, "dev", Long.class), of(read, "ino", Long.class), size, modified.to(TimeUnit.NANOSECONDS),
                        of(read, "ctime", FileTime.class).to(TimeUnit.NANOSECONDS)),
                kind == FileEntry.Kind.FILE && of(read, "nlink", Integer.class) > 1);
    }

    private static <T> T of(Map<String, Object> read, String name, Class<T> type) {
        return type.cast(Objects.requireNonNull(read.get(name)));
    }
}
