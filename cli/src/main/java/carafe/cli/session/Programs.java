package carafe.cli.session;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/// Runs programs that the caller's own settings or words name, with the caller's rights: helpers that keep credentials, and
/// OpenSSH's agent.
public interface Programs {

    /// What a program said, and its exit code.
    record Outcome(int code, String output) {}

    /// Runs `command`, found in the caller's PATH, to its end; `input` is its standard input.
    /// @throws IOException it cannot be started, says too much, or takes too long
    Outcome run(List<String> command, String input) throws IOException;

    /// Runs `command` to its end, however long people take to answer; with `terminal` the caller's standard input is its own,
    /// else it has none. What it says on standard error is the outcome's output.
    /// @param variables are added to the caller's
    /// @throws IOException it cannot be started, or says too much
    Outcome ask(List<String> command, Map<String, String> variables, boolean terminal) throws IOException;

    /// Starts a program that goes on beside the command, until the end of its standard input: that comes when it is closed, or
    /// when this process ends in whatever way. Blocks until it has said its first line.
    /// @throws IOException it cannot be started, or ends before
    Beside start(List<String> command) throws IOException;

    /// Such a program.
    interface Beside extends AutoCloseable {
        /// Ends its input and waits for its end, not for ever.
        @Override
        void close();
    }
}
