package carafe.hub.store;

import carafe.spec.oci.Digest;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/// Where bytes live, by digest. A blob is there only when it is whole and verified, and durable unless its upload said
/// that this may wait. The interface asks for nothing that an object store cannot do: no rename, no locks, no listing in
/// order.
public interface Blobs {

    /// The blob's length in bytes; empty when it is not here.
    OptionalLong size(Digest digest) throws IOException;

    /// The blob, to be closed by the caller; empty when it is not here. It stays readable when it is deleted meanwhile.
    Optional<StoredBlob> open(Digest digest) throws IOException;

    /// Removes a blob; one that is not here is fine.
    void delete(Digest digest) throws IOException;

    /// Makes blobs durable that came by [Upload#commitUnsettled]; those that are not here are passed over. Blocks on the
    /// disk. Storage that makes them durable at once does nothing.
    void settle(Collection<Digest> digests) throws IOException;

    /// What the storage knows the stored bytes by: it is another one when they were replaced or written to (a file's
    /// number and times, an object's version). Empty when the blob is not here.
    Optional<String> stamp(Digest digest) throws IOException;

    /// Takes a damaged blob away, so that it is not here until somebody stores it anew; one that is not here is fine.
    /// Storage that can keeps the damaged bytes where people find them, until [#dropDamaged].
    void setAside(Digest digest) throws IOException;

    /// Drops the bytes that were set aside before `limit`.
    void dropDamaged(Instant limit) throws IOException;

    /// Shows every blob once, in no order.
    void each(Consumer<Digest> visitor) throws IOException;

    /// Begins an upload of a blob that will likely be named by `algorithm`. `owner` is the repository: only who
    /// names it again finds the upload.
    Upload begin(String owner, Digest.Algorithm algorithm);

    /// The upload begun as `id` for `owner`, also by a process before this one; empty when it is over or never was.
    Optional<Upload> resume(String owner, String id) throws IOException;

    /// Drops uploads that nobody has written to since `limit`; how many.
    int dropUploads(Instant limit) throws IOException;

    /// How many uploads this process has open.
    int uploads();
}
