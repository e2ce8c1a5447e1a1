package carafe.kernel;

/// What kind of thing an inode is.
public enum FileType {
    REGULAR(Linux.S_IFREG, Linux.DT_REG),
    DIRECTORY(Linux.S_IFDIR, Linux.DT_DIR),
    SYMLINK(Linux.S_IFLNK, Linux.DT_LNK),
    CHARACTER_DEVICE(Linux.S_IFCHR, Linux.DT_CHR),
    BLOCK_DEVICE(Linux.S_IFBLK, Linux.DT_BLK),
    FIFO(Linux.S_IFIFO, Linux.DT_FIFO),
    SOCKET(Linux.S_IFSOCK, Linux.DT_SOCK),
    /// What a listing of a filesystem without types shows; never the type of a [FileStat].
    UNKNOWN(0, Linux.DT_UNKNOWN);

    private static final FileType[] ALL = values();

    private final int bits;
    private final int entryType;

    FileType(int bits, int entryType) {
        this.bits = bits;
        this.entryType = entryType;
    }

    /// The `S_IF*` bits of st_mode.
    public int bits() {
        return bits;
    }

    static FileType ofMode(int mode) {
        for (var type : ALL) {
            if (type.bits == (mode & Linux.S_IFMT)) {
                return type;
            }
        }
        return UNKNOWN;
    }

    static FileType ofEntry(int entryType) {
        for (var type : ALL) {
            if (type.entryType == entryType) {
                return type;
            }
        }
        return UNKNOWN;
    }
}
