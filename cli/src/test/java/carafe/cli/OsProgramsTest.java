package carafe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.cli.session.Programs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class OsProgramsTest {

    private final Programs programs = new OsPrograms();

    @Test
    void whatGoesOnBesideEndsWhenItsInputDoes(@TempDir Path directory) throws Exception {
        Path ended = directory.resolve("ended");
        var beside = programs.start(List.of("sh", "-c", "echo begun; while read -r _; do :; done; echo x > " + ended));
        assertThat(ended).doesNotExist();
        beside.close();
        assertThat(ended).exists();
    }

    @Test
    void whatEndsBeforeItsFirstLineIsNotStarted() {
        assertThatThrownBy(() -> programs.start(List.of("sh", "-c", "exit 0"))).isInstanceOf(IOException.class)
                .hasMessage("sh ended at once");
        assertThatThrownBy(() -> programs.start(List.of("no-such-program"))).isInstanceOf(IOException.class)
                .hasMessageContaining("no-such-program");
    }

    @Test
    void whatIsAskedHasVariablesAndNoInputWithoutATerminal() throws Exception {
        var outcome = programs.ask(List.of("sh", "-c", "read -r x && exit 1; echo out; echo \"$SAID\" >&2; exit 7"),
                Map.of("SAID", "so"), false);
        assertThat(outcome).isEqualTo(new Programs.Outcome(7, "so\n"));
    }
}
