package carafe.build.step;

/// The program of a step ended with an exit code that is not 0.
public final class StepFailed extends Exception {

    private final int exitCode;

    /// The program `command` ended with `exitCode`.
    StepFailed(String command, int exitCode) {
        super("The command '" + command + "' returned a non-zero code: " + exitCode);
        this.exitCode = exitCode;
    }

    /// The exit code.
    public int exitCode() {
        return exitCode;
    }
}
