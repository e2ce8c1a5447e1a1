package carafe.http;

import java.io.IOException;

/// The other side neither sent nor took a byte for as long as we wait. The connection is closed.
public final class Stalled extends IOException {

    /// `message` is a sentence with the time waited.
    Stalled(String message) {
        super(message);
    }
}
