package carafe.hub.upstream;

import carafe.spec.oci.Descriptor;
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

    /// The bytes of a blob, as they come. The caller closes the stream.
    InputStream blob(String repository, Descriptor blob) throws IOException;

    /// A manifest as it was sent.
    record Found(byte[] bytes, String mediaType) {}
}
