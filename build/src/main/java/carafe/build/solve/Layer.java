package carafe.build.solve;

import carafe.spec.oci.Descriptor;
import carafe.spec.oci.Digest;
import carafe.spec.oci.MediaTypes;

/// A layer by the digest of its tar, and the blob that manifests name for it.
public record Layer(Digest diffId, Descriptor blob) {

    /// A layer of our own making, whose blob is its tar of `bytes` bytes.
    static Layer plain(Digest diffId, long bytes) {
        return new Layer(diffId, Descriptor.of(MediaTypes.OCI_LAYER, diffId, bytes));
    }
}
