package carafe.http;

import java.io.IOException;
import java.net.SocketException;

/// A server asked who we are and ended the connection, for there is no certificate of ours for it. Another try changes
/// nothing, unless the connection was reset, which may have other reasons.
public final class CertificateWanted extends IOException {

    private final boolean certain;

    /// `server` as in a sentence: `registry.example.com:5000`.
    public CertificateWanted(String server, Throwable cause) {
        super(server + " asks for a client certificate, and there is none for it", cause);
        boolean reset = false;
        for (Throwable each = cause; each != null; each = each.getCause()) {
            reset |= each instanceof SocketException;
        }
        certain = !reset;
    }

    /// Whether the server ended the connection in order; else another try is worth it.
    public boolean certain() {
        return certain;
    }
}
