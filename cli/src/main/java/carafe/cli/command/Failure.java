package carafe.cli.command;

import org.jspecify.annotations.Nullable;

/// Ends a command with an exit code; the message, unless empty, goes to standard error as it is.
final class Failure extends Exception {

    private static final long serialVersionUID = 1;

    private final int exitCode;

    Failure(int exitCode, @Nullable String message) {
        super(message);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }
}
