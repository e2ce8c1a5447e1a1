package carafe.registry;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/// What a server of the web answers when it is asked for a file; to be closed.
///
/// @param body      the file, torn if the connection is; empty when `unchanged`
/// @param version   what the server calls this state of the file (`ETag`, as it came)
/// @param modified  when the file was last changed, as the server writes it (`Last-Modified`)
/// @param unchanged the file is as it was in the version that the asker has
public record WebAnswer(InputStream body, Optional<String> version, Optional<String> modified, boolean unchanged)
        implements AutoCloseable {

    @Override
    public void close() throws IOException {
        body.close();
    }
}
