package carafe.http;

import java.io.IOException;
import java.io.InputStream;

/// An answer whose body is still to be read. Reading the body to its end gives the connection back for reuse; closing
/// earlier drops the connection, also from another thread, which is how a request is cancelled.
public interface ClientResponse extends AutoCloseable {

    /// The status number.
    int status();

    /// The header fields.
    Headers headers();

    /// The body as it arrives; a torn one throws IOException, never looks complete.
    InputStream body();

    /// The whole body. Closes the answer when it fails.
    /// @throws IOException also when it is longer than `limitBytes`
    byte[] readBody(int limitBytes) throws IOException;

    @Override
    void close();
}
