package carafe.http;

import java.io.IOException;
import java.net.SocketException;
import java.util.Optional;

/// A server asked who we are and ended the connection, for there is no certificate of ours for it. Another try changes
/// nothing, unless the connection was reset, which may have other reasons.
public final class CertificateWanted extends IOException {

    private final Origin origin;
    private final boolean certain;

    /// The server at `origin` wants it.
    public CertificateWanted(Origin origin, Throwable cause) {
        super(origin.hostPort() + " asks for a client certificate, and there is none for it", cause);
        this.origin = origin;
        boolean reset = false;
        for (Throwable each = cause; each != null; each = each.getCause()) {
            reset |= each instanceof SocketException;
        }
        certain = !reset;
    }

    /// The one that is behind a failure, if one is.
    public static Optional<CertificateWanted> in(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateWanted wanted) {
                return Optional.of(wanted);
            }
        }
        return Optional.empty();
    }

    /// Who wants it: not always who was asked first, as with redirects.
    public Origin origin() {
        return origin;
    }

    /// Whether the server ended the connection in order; else another try is worth it.
    public boolean certain() {
        return certain;
    }
}
