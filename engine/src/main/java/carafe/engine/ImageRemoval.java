package carafe.engine;

/// One thing the removal of an image took away: a name (as people write it), or the image or layer with an id.
public sealed interface ImageRemoval {
    record Untagged(String name) implements ImageRemoval {}

    record Deleted(String id) implements ImageRemoval {}
}
