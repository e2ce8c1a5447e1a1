package carafe.engine;

/// A path of a container's root that is not as in its image.
public record PathChange(String path, Kind kind) {

    /// What happened to it; Docker's numbers are the ordinals.
    public enum Kind { MODIFIED, ADDED, DELETED }
}
