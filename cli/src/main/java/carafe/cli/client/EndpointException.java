package carafe.cli.client;

/// The words that should name an engine do not.
public final class EndpointException extends Exception {

    private static final long serialVersionUID = 1;

    EndpointException(String message) {
        super(message);
    }
}
