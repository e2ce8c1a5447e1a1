package carafe.hub.store;

/// What a writer may do to tags; asked under the lock of the write, so that nobody's tag is created between the question
/// and the answer. Source: CVE-2026-31801.
public record Overwrite(boolean create, boolean replace, boolean cached) {

    /// May make and move tags.
    public static final Overwrite ALL = new Overwrite(true, true, false);

    /// Takes over what an upstream has: never moves a tag that was pushed here.
    public static final Overwrite CACHED = new Overwrite(true, true, true);
}
