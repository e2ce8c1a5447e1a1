package carafe.hub.store;

import carafe.spec.oci.Digest;

/// The storage that an object store could be.
class MemoryBlobsTest extends BlobsContract {

    private final MemoryBlobs blobs = new MemoryBlobs();

    @Override
    Blobs open() {
        return blobs;
    }

    @Override
    void damage(Digest digest, byte[] bytes) {
        blobs.damage(digest, bytes);
    }
}
