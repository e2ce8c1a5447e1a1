package carafe.spec.build;

/// What tells a file from any other that had its path: device and number of its inode, its bytes, and when content
/// and inode were last changed (nanoseconds since 1970). Whoever writes a file, or puts another in its place, changes the
/// last one, which no program can set. Source: stat(2).
public record FileStamp(long device, long inode, long size, long modifiedNanos, long changedNanos) {

    /// Of a file of which nothing is known; equal to no file's.
    public static final FileStamp NONE = new FileStamp(0, 0, -1, 0, 0);

    /// Whether it is a file's.
    public boolean present() {
        return size >= 0;
    }
}
