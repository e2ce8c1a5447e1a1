package carafe.engine;

/// Where an archive is unpacked: `path` is a directory in the container; `keepKinds` refuses to replace a directory by
/// something else and the other way round; `toUser` gives all files to the container's user.
public record ArchiveTarget(String path, boolean keepKinds, boolean toUser) {}
