package carafe.cli.create;

/// Flags that cannot become a container; the message is Docker's.
public final class CreateException extends Exception {

    private static final long serialVersionUID = 1;

    CreateException(String message) {
        super(message);
    }
}
