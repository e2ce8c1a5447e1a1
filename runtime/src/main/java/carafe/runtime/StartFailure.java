package carafe.runtime;

import carafe.spec.EngineException;

/// A container or exec that did not start. The kind is for programs, the message for people; the message holds the
/// key phrases from which Docker's command derives its exit code.
public final class StartFailure extends Exception {

    /// Why it did not start.
    public enum Kind {
        /// The program was not found in the container.
        EXECUTABLE_NOT_FOUND(127, true),
        /// The program is not executable, a directory, or forbidden.
        NOT_EXECUTABLE(126, true),
        /// The program is for another architecture or no program at all.
        WRONG_FORMAT(126, true),
        /// The working directory cannot be entered.
        WORKING_DIRECTORY(126, true),
        /// The user or group is not in the image, or out of range.
        NO_SUCH_USER(126, true),
        /// The configuration contradicts itself or asks for what does not exist.
        INVALID(125, true),
        /// A mount could not be made.
        MOUNT(128, false),
        /// The control group could not be made or joined.
        CGROUP(128, false),
        /// A namespace could not be made or joined.
        NAMESPACE(128, false),
        /// Capabilities, limits, filter or user could not be set.
        PRIVILEGES(128, false),
        /// The container exec'd into is not running.
        NOT_RUNNING(126, false),
        /// The spawner or monitor did not answer.
        SPAWNER(128, false),
        /// Anything else.
        OTHER(128, false);

        private final int exitCode;
        private final boolean request;

        Kind(int exitCode, boolean request) {
            this.exitCode = exitCode;
            this.request = request;
        }

        /// The exit code the container gets.
        public int exitCode() {
            return exitCode;
        }
    }

    private final Kind kind;
    private final String step;
    private final String message;

    StartFailure(Kind kind, String step, String message) {
        super(message);
        this.kind = kind;
        this.step = step;
        this.message = message;
    }

    StartFailure(Kind kind, String step, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.step = step;
        this.message = message;
    }

    /// Why it did not start.
    public Kind kind() {
        return kind;
    }

    /// The id of the step that failed (as in [TapeExplanation]); `""` when none was reached.
    public String step() {
        return step;
    }

    /// The exit code that Docker gives such a container: from the sentence, as its command does it, else from the kind.
    public int exitCode() {
        if (message.contains("executable file not found") || message.contains("no such file or directory")) {
            return 127;
        }
        if (message.contains("permission denied") || message.contains("is a directory")) {
            return 126;
        }
        return kind.exitCode();
    }

    /// This failure as the engine's kind: Invalid when the request can be blamed, else Internal.
    public EngineException toEngineException() {
        if (kind == Kind.NOT_RUNNING) {
            return new EngineException.Conflict(message);
        }
        return kind.request ? new EngineException.Invalid(message) : new EngineException.Internal(message, this);
    }

    @Override
    public String getMessage() {
        return message;
    }
}
