package carafe.http;

/// What came of asking for a raw stream.
public sealed interface Upgraded {

    /// The server switched: `status` is 101 or 200, `headers` are its header fields, `stream` the connection.
    record Switched(int status, Headers headers, DuplexStream stream) implements Upgraded {}

    /// The server answered by an ordinary response, an error usually.
    record Refused(ClientResponse response) implements Upgraded {}
}
