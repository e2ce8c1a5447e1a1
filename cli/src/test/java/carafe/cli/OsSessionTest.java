package carafe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
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
    void filesSpeakInSentences(@TempDir Path directory) throws Exception {
        var files = new OsFiles();
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
    void aPipeIsNoTerminal() {
        assertThat(new OsTerminal().isTerminal(0)).isFalse();
        assertThat(new OsTerminal().size()).isEmpty();
    }
}
