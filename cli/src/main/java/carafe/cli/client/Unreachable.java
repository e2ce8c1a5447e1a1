package carafe.cli.client;

import java.io.IOException;

/// No engine answers; the message is a sentence for the user with what he can do.
public final class Unreachable extends IOException {

    private static final long serialVersionUID = 1;

    /// `message` names the address, the cause and the next step.
    public Unreachable(String message) {
        super(message);
    }
}
