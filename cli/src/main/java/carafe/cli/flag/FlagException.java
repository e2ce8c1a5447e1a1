package carafe.cli.flag;

/// A word on the command line that the command's flags cannot accept; the message is Docker's.
public final class FlagException extends Exception {

    private static final long serialVersionUID = 1;

    public FlagException(String message) {
        super(message);
    }
}
