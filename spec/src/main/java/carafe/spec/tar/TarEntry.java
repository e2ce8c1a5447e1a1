package carafe.spec.tar;

import java.util.List;
import java.util.Map;

/// One member of a tar as its headers describe it, nothing of it trusted but the ranges said here. Names may be any
/// bytes (lone surrogates stand for what is not UTF-8), never hold a NUL, and are not normalised. `size` is the length
/// of the file, of which only `extents` are stored (holes between them); both are zero for all but regular files.
///
/// @param mode         permission bits with setuid, setgid and sticky, nothing else
/// @param mtimeSeconds since 1970, may be negative; `mtimeNanos` is added
/// @param xattrs       extended attributes with their exact bytes, whatever their names
public record TarEntry(Type type, String name, String linkName, long size, List<Extent> extents, int mode, long uid, long gid,
        long mtimeSeconds, int mtimeNanos, int deviceMajor, int deviceMinor, Map<String, byte[]> xattrs) {

    /// What kind of member it is.
    public enum Type { FILE, DIRECTORY, SYMLINK, HARD_LINK, CHAR_DEVICE, BLOCK_DEVICE, FIFO }

    /// `length` stored bytes that belong at `offset` of the file.
    public record Extent(long offset, long length) {}

    public TarEntry {
        extents = List.copyOf(extents);
    }

    /// How many bytes of the tar hold this file's data.
    public long storedBytes() {
        long stored = 0;
        for (var extent : extents) {
            stored += extent.length;
        }
        return stored;
    }
}
