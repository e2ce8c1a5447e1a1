package carafe.cli.copy;

/// A copy that cannot be done; the message is a sentence for people.
public final class CopyException extends Exception {
    CopyException(String message) {
        super(message);
    }
}
