package carafe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import carafe.cli.session.Files.FileEntry;
import carafe.spec.build.FileStamp;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OsSessionTest {

    @Test
    void signalsReachTheirHandlerUntilItIsClosedAndTheJvmsOwnAreLeftOut() throws Exception {
        var caught = new ArrayBlockingQueue<String>(10);
        long pid = ProcessHandle.current().pid();
        try (var outer = new OsSignals().on(List.of("CONT"), signal -> caught.add("outer " + signal))) {
            try (var inner = new OsSignals().on(List.of("CONT", "QUIT", "NOSUCH"), signal -> caught.add("inner " + signal))) {
                assertThat(inner).isNotNull();
                kill(pid);
                assertThat(caught.poll(10, TimeUnit.SECONDS)).isEqualTo("inner CONT");
            }
            assertThat(outer).isNotNull();
            kill(pid);
            assertThat(caught.poll(10, TimeUnit.SECONDS)).isEqualTo("outer CONT");
        }
    }

    private static void kill(long pid) throws Exception {
        assertThat(new ProcessBuilder("sh", "-c", "kill -CONT " + pid).start().waitFor()).isZero();
    }

    @Test
    void theCallerIsTheUserOfThisProcess() throws Exception {
        var ids = new OsCaller().ids();
        var id = new ProcessBuilder("sh", "-c", "id -u; id -g").start();
        assertThat(id.inputReader().lines()).containsExactly(ids.uid() + "", ids.gid() + "");
        assertThat(id.waitFor()).isZero();
    }

    @Test
    void filesSpeakInSentences(@TempDir Path directory) throws Exception {
        var files = new OsFiles((_, names) -> names.stream().map(_ -> new byte[0]).toList());
        Path file = directory.resolve("f");
        try (var out = files.create(file)) {
            out.write('x');
        }
        try (var in = files.read(file)) {
            assertThat(in.readAllBytes()).containsExactly('x');
        }
        assertThatThrownBy(() -> files.create(file)).hasMessage("open " + file + ": file exists");
        assertThatThrownBy(() -> files.read(directory)).hasMessage("read " + directory + ": is a directory");
        files.remove(file);
        files.remove(file);
        assertThat(files.exists(file)).isFalse();
        assertThatThrownBy(() -> files.read(file)).hasMessage("open " + file + ": no such file or directory");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void stampsTellFilesApart(@TempDir Path directory) throws Exception {
        var files = new OsFiles((_, names) -> names.stream().map(_ -> new byte[0]).toList());
        Path file = Files.writeString(directory.resolve("f"), "one");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-x--x"));
        Files.createSymbolicLink(directory.resolve("l"), Path.of("f"));
        Files.createDirectory(directory.resolve("d"));
        var before = files.stamp(file);
        assertThat(before.present()).isTrue();
        assertThat(before.size()).isEqualTo(3);
        assertThat(before.inode()).isEqualTo(Files.getAttribute(file, "unix:ino"));
        assertThat(files.list(directory)).extracting(FileEntry::name, FileEntry::kind, FileEntry::target)
                .containsExactlyInAnyOrder(tuple("f", FileEntry.Kind.FILE, ""), tuple("l", FileEntry.Kind.LINK, "f"),
                        tuple("d", FileEntry.Kind.DIRECTORY, ""));
        var entry = files.list(directory).stream().filter(each -> each.name().equals("f")).findFirst().orElseThrow();
        assertThat(entry.mode()).isEqualTo(0751);
        assertThat(entry.stamp()).isEqualTo(before);
        assertThat(entry.modifiedSeconds()).isEqualTo(Files.getLastModifiedTime(file).toInstant().getEpochSecond());
        assertThat(files.stamp(directory.resolve("none"))).isEqualTo(FileStamp.NONE);
        assertThat(FileStamp.NONE.present()).isFalse();
        Files.setAttribute(file, "unix:mode", 06751);
        Files.setAttribute(directory.resolve("d"), "unix:mode", 01777);
        assertThat(files.list(directory)).extracting(FileEntry::name, FileEntry::mode)
                .contains(tuple("f", 06751), tuple("d", 01777));

        var time = Files.getLastModifiedTime(file);
        Path other = Files.writeString(directory.resolve("g"), "two"); // the same size, and the same time of its content
        Files.setLastModifiedTime(other, time);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(files.stamp(file)).isNotEqualTo(before);
        assertThat(files.stamp(file).modifiedNanos()).isEqualTo(before.modifiedNanos());

        var replaced = files.stamp(file);
        while (files.stamp(file).changedNanos() == replaced.changedNanos()) { // until the file system's clock has ticked
            Files.writeString(file, "six");
            Files.setLastModifiedTime(file, time);
        }
        assertThat(files.stamp(file)).isEqualTo(new FileStamp(replaced.device(), replaced.inode(), 3,
                replaced.modifiedNanos(), files.stamp(file).changedNanos()));
    }

    @Test
    void aPipeIsNoTerminal() {
        assertThat(new OsTerminal().isTerminal(0)).isFalse();
        assertThat(new OsTerminal().size()).isEmpty();
    }
}
