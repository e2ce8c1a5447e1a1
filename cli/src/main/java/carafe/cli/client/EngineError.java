package carafe.cli.client;

/// The engine answered that it could not; the message is its own.
public final class EngineError extends Exception {

    private static final long serialVersionUID = 1;

    private final int status;

    EngineError(int status, String message) {
        super(message);
        this.status = status;
    }

    /// The thing named does not exist.
    public boolean isNotFound() {
        return status == 404;
    }

    /// Who asks is not who may.
    public boolean isUnauthorized() {
        return status == 401;
    }

    /// The engine's sentence behind the words that say whose it is.
    public String sentence() {
        return "Error response from daemon: " + getMessage();
    }
}
