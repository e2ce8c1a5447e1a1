package carafe.http;

import java.io.IOException;

/// A request that HTTP itself refuses, with the status that says so: broken escapes (400), a body over its limit (413).
public final class HttpException extends IOException {

    private final int status;

    /// `status` is the answer's number, `message` a sentence for the client.
    public HttpException(int status, String message) {
        super(message);
        this.status = status;
    }

    /// The number to answer with.
    public int status() {
        return status;
    }
}
