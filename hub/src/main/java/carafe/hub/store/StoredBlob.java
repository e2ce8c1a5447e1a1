package carafe.hub.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.util.Optional;

/// An open blob. Close it.
public interface StoredBlob extends AutoCloseable {

    /// Length in bytes.
    long size();

    /// Which bytes these are, as [Blobs#stamp] says it.
    String stamp();

    /// The file it is, where it is one, for sending without copying. Owned by this blob.
    Optional<FileChannel> file();

    /// Its bytes from `offset` on. Closing the stream is not needed.
    InputStream from(long offset) throws IOException;

    @Override
    void close() throws IOException;
}
