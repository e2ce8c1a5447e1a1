package carafe.kernel;

/// A tape that stopped at one of its steps. Nothing of the process is left. The message is for logs; a room above makes
/// the sentence for users from the step and the number.
public final class TapeFailure extends Exception {

    private static final long serialVersionUID = 1;

    private final transient Step step;
    private final int errno;
    private final int signal;

    TapeFailure(Step step, int errno, int signal) {
        super(step.id() + ": " + TapeText.call(step) + ": "
                + (signal != 0 ? "killed by signal " + signal : Errno.text(errno)));
        this.step = step;
        this.errno = errno;
        this.signal = signal;
    }

    /// The step that failed.
    public Step step() {
        return step;
    }

    /// Its error number, one of [Errno]'s; 0 if the process was killed there.
    public int errno() {
        return errno;
    }

    /// The signal that killed the process in this step (SIGSYS of a filter, SIGKILL for lack of memory); 0 if none did.
    public int signal() {
        return signal;
    }
}
