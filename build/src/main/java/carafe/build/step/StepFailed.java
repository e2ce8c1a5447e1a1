package carafe.build.step;

/// The program of a step ended with an exit code that is not 0.
public final class StepFailed extends Exception {

    private final int exitCode;

    /// The program `command` ended with `exitCode`.
    StepFailed(String command, int exitCode) {
        super("The command '" + command + "' returned a non-zero code: " + exitCode);
        this.exitCode = exitCode;
    }

    private StepFailed(StepFailed same, String more) {
        super(same.getMessage() + "\n" + more, same);
        this.exitCode = same.exitCode;
    }

    /// The same with `more` behind the sentence, on lines of its own.
    public StepFailed with(String more) {
        return new StepFailed(this, more);
    }

    /// The exit code.
    public int exitCode() {
        return exitCode;
    }
}
