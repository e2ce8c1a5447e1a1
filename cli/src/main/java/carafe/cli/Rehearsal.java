package carafe.cli;

import carafe.cli.command.Carafe;
import java.util.List;

/// Runs several command lines in one process, so that a recording of it (the AOT cache that packaging makes) knows what
/// each of them loads. Ends with the number of those that failed.
public final class Rehearsal {

    private Rehearsal() {}

    /// Each argument is one command line, its words apart by blanks; no engine is started.
    public static void main(String[] lines) {
        int failed = 0;
        for (var line : lines) {
            var words = List.of(line.split(" "));
            failed += Carafe.run(Main.session(words, new OsTerminal()), address -> false) == 0 ? 0 : 1;
        }
        if (failed > 0) {
            throw new IllegalStateException(failed + " of " + lines.length + " command lines failed");
        }
    }
}
