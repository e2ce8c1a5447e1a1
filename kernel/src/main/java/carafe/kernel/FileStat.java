package carafe.kernel;

import java.time.Instant;

/// What the kernel says of one inode. `mode` holds the permission bits and the set-id and sticky bits, `deviceId` and
/// `inode` name it, `rdevMajor`/`rdevMinor` say which device a device node stands for, `mountId` where it was looked
/// up. Times are since 1970; what was last changed of the inode (owner, mode, links) counts for `changed`, as its content
/// does. Source: statx(2).
public record FileStat(FileType type, int mode, int uid, int gid, long sizeBytes, long deviceId, long inode,
        int links, int rdevMajor, int rdevMinor, long modifiedSeconds, int modifiedNanos, long changedSeconds, int changedNanos,
        long blocks, long mountId) {

    /// When the content was last changed.
    public Instant modified() {
        return Instant.ofEpochSecond(modifiedSeconds, modifiedNanos);
    }

    /// Whether this is a directory itself, not a link to one.
    public boolean isDirectory() {
        return type == FileType.DIRECTORY;
    }

    /// Whether this is a regular file.
    public boolean isRegular() {
        return type == FileType.REGULAR;
    }

    /// Whether this is a symbolic link.
    public boolean isSymlink() {
        return type == FileType.SYMLINK;
    }

    /// Whether both are the same inode.
    public boolean isSame(FileStat other) {
        return deviceId == other.deviceId && inode == other.inode;
    }
}
