package carafe.image;

import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;

/// Makes a small tree durable file by file.
final class SmallTree {

    private static final int MAX_DEPTH = 32;

    private SmallTree() {}

    /// Syncs the files and directories of the directory `path`.
    /// @return false when there is something in it without an fsync(2) of its own (a link, a device), or too much depth
    static boolean sync(FileTree tree, String path) throws KernelException {
        return sync(tree, path, 0);
    }

    private static boolean sync(FileTree tree, String path, int depth) throws KernelException {
        if (depth == MAX_DEPTH) {
            return false;
        }
        for (var entry : tree.list(path)) {
            String child = path + "/" + entry.name();
            if (entry.type() == FileType.DIRECTORY) {
                if (!sync(tree, child, depth + 1)) {
                    return false;
                }
            } else if (entry.type() == FileType.REGULAR) {
                try (var file = tree.open(child, Linux.O_RDONLY | Linux.O_NOFOLLOW, 0)) {
                    FdStream.sync(file);
                }
            } else {
                return false;
            }
        }
        try (var directory = tree.open(path, Linux.O_RDONLY | Linux.O_DIRECTORY, 0)) {
            FdStream.sync(directory);
        }
        return true;
    }
}
