package carafe.image;

import carafe.spec.oci.Digest;

/// One thing that the removal of an image took away, in the order it happened.
public sealed interface Removal {

    /// A name went away; `name` is as people write it.
    record Untagged(String name, Digest image) implements Removal {}

    /// The image with this id went away.
    record Deleted(Digest image) implements Removal {}

    /// Layers up to this one (named by the chain of their digests, as Docker does) were used by nothing else any more.
    record LayerDeleted(Digest chainId) implements Removal {}
}
