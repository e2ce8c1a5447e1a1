package carafe.kernel;

/// One name in a directory, never `.` or `..`; `type` is UNKNOWN on filesystems that do not keep it there.
public record DirectoryEntry(String name, FileType type, long inode) {}
