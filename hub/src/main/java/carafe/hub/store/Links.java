package carafe.hub.store;

import carafe.spec.oci.Digest;
import java.time.Instant;
import java.util.Optional;

/// What a repository knows of one of its entries.
public final class Links {

    private Links() {}

    /// A blob that can be pulled here. `wanted` is its lease: when somebody who may push last asked for it, so that a
    /// push under way keeps it.
    public static final class Blob {
        private final long size;
        private volatile Instant wanted;

        Blob(long size, Instant wanted) {
            this.size = size;
            this.wanted = wanted;
        }

        /// Length in bytes.
        public long size() {
            return size;
        }

        /// Renews the lease.
        public void want(Instant now) {
            wanted = now;
        }

        Instant wanted() {
            return wanted;
        }
    }

    /// A manifest or index.
    public record Manifest(String mediaType, long size, Instant at, Optional<Digest> subject) {}

    /// A tag.
    public record Tag(Digest manifest, Instant at, boolean cached) {}
}
