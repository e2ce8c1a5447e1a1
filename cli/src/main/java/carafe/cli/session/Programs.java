package carafe.cli.session;

import java.io.IOException;
import java.util.List;

/// Runs programs that the caller's own settings name, with the caller's rights: helpers that keep credentials.
public interface Programs {

    /// What a program said, and its exit code.
    record Outcome(int code, String output) {}

    /// Runs `command`, found in the caller's PATH, to its end; `input` is its standard input.
    /// @throws IOException it cannot be started, says too much, or takes too long
    Outcome run(List<String> command, String input) throws IOException;
}
