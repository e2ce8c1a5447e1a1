package carafe.spec.build;

/// What tells a file from any other that had its path: device and number of its inode, its bytes, and when content
/// and inode were last changed (nanoseconds since 1970). Whoever writes a file, or puts another in its place, changes the
/// last one, which no program can set where files can be written; a mapping changes it with its first write to a page only,
/// and on tmpfs not at all. Source: stat(2), mmap(2).
public record FileStamp(long device, long inode, long size, long modifiedNanos, long changedNanos) {

    /// Of a file of which nothing is known; equal to no file's.
    public static final FileStamp NONE = new FileStamp(0, 0, -1, 0, 0);

    /// Whether the file that has it now is the one that has it later: it was last changed before `latestNanos`, by a kernel's
    /// clock. Whole seconds are a date that somebody wrote into an image (EROFS, squashfs, ISO 9660), or a file system's that
    /// keeps no more.
    public boolean standsAfter(long latestNanos) {
        return present() && changedNanos < latestNanos && Math.floorMod(changedNanos, 1_000_000_000L) != 0;
    }

    /// Whether it is a file's.
    public boolean present() {
        return size >= 0;
    }
}
