package carafe.hub.upstream;

import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/// Another registry, as much of it as pull-through needs. Calls block, each with a deadline of its own: a registry that
/// stalls is an IOException. What is returned is not yet verified.
public interface Upstream {

    /// The digest a tag has there now; empty when there is none.
    Optional<Digest> resolve(String repository, String tag) throws IOException;

    /// The manifest under a tag or digest; empty when there is none.
    Optional<Found> manifest(String repository, String reference) throws IOException;

    /// A blob; empty when there is none. The caller closes it.
    Optional<Incoming> blob(String repository, Digest digest) throws IOException;

    /// A manifest as it was sent.
    record Found(byte[] bytes, String mediaType) {}

    /// A blob as it arrives; `size` in bytes is what the registry says.
    record Incoming(long size, InputStream bytes) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            bytes.close();
        }
    }
}
