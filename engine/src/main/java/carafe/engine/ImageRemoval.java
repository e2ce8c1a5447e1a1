package carafe.engine;

/// One thing the removal of an image took away: a name (as people write it), or the image or layer with an id.
public sealed interface ImageRemoval {
    /// A name went away.
    record Untagged(String name) implements ImageRemoval {}

    /// An image or layer went away.
    record Deleted(String id) implements ImageRemoval {}
}
