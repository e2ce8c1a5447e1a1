package carafe.spec.build;

/// Where the results of a build's steps go, for other engines: into the image that is built (`INLINE`), to a registry
/// under `reference`, or into an image without a name that the outcome tells (`IMAGE`). `all`: the results of all stages,
/// not only of those whose layers are in the image; `mounts`: the files of the steps' cache mounts too; `ignoreError`: a
/// registry that does not take it is no failure of the build.
public record CacheExport(Kind kind, String reference, boolean all, boolean mounts, boolean ignoreError) {

    /// A registry that does not take it is a failure of the build.
    public CacheExport(Kind kind, String reference, boolean all, boolean mounts) {
        this(kind, reference, all, mounts, false);
    }

    /// Where to.
    public enum Kind { INLINE, REGISTRY, IMAGE }
}
