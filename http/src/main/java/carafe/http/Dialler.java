package carafe.http;

import java.io.IOException;

/// Makes a client's connections, all to the same server.
interface Dialler {

    /// The value of Host.
    String host();

    /// What stands before a request's path: an origin when a proxy reads it, usually nothing.
    String targetPrefix();

    /// Header lines of the dialler's own, each with its CRLF; for a proxy.
    String fields();

    /// A connected socket, with TLS hands shaken.
    /// @throws ConnectFailed nobody listens there, or not in time
    Wire connect() throws IOException;
}
