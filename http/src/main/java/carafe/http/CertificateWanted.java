package carafe.http;

import java.io.IOException;

/// A server asked who we are and ended the connection, for there is no certificate of ours for it. Another try changes
/// nothing.
public final class CertificateWanted extends IOException {

    /// `server` as in a sentence: `registry.example.com:5000`.
    public CertificateWanted(String server, Throwable cause) {
        super(server + " asks for a client certificate, and there is none for it", cause);
    }
}
