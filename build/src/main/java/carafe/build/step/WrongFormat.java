package carafe.build.step;

/// A step's program was not started, because the kernel does not know how to run a file like it (ENOEXEC).
public final class WrongFormat extends Exception {

    private final String sentence;

    /// `sentence` says which program it is.
    public WrongFormat(String sentence, Throwable cause) {
        super(sentence, cause);
        this.sentence = sentence;
    }

    /// The sentence; never absent.
    @Override
    public String getMessage() {
        return sentence;
    }
}
