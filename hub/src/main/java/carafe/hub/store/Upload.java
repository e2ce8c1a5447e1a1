package carafe.hub.store;

import carafe.spec.oci.Digest;
import java.io.IOException;
import java.io.InputStream;

/// A blob on its way in. Bytes that arrived stay when the sender leaves, so it can go on. One sender at a time: the
/// methods that write wait a while for the one before, then refuse.
public interface Upload {

    /// Its name in URLs.
    String id();

    /// How many bytes are here.
    long size();

    /// Appends what `from` yields, which must begin at `offset` of the blob when that is not negative.
    /// @throws Refusal RANGE_INVALID it does not begin where the upload ends; DENIED more than `limitBytes` in all;
    /// BLOB_UPLOAD_UNKNOWN the upload is over
    /// @throws IOException the disk's or the sender's; what arrived before is kept
    void append(InputStream from, long offset, long limitBytes) throws IOException, Refusal;

    /// The bytes that are here, from `offset` on, and those that come while it is read; ends where they end just then.
    /// Stays readable when the upload is over. The caller closes it.
    InputStream soFar(long offset) throws IOException;

    /// Makes the blob durable and visible; the upload is over. An upload with another digest is dropped.
    /// @throws Refusal DIGEST_INVALID the bytes have another digest
    void commit(Digest digest) throws IOException, Refusal;

    /// As [#commit], but the blob need not outlive a power cut until [Blobs#settle]; storage that has no such thing
    /// commits.
    default void commitUnsettled(Digest digest) throws IOException, Refusal {
        commit(digest);
    }

    /// Drops it; one that is over is fine.
    void cancel() throws IOException;
}
