package carafe.image;

import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.KernelException;
import java.util.HashSet;
import java.util.Set;

/// Adds up the files of a tree that a container may be changing meanwhile: names that vanish are passed over, a hard
/// linked file counts once, and what lies deeper than [#MAX_DEPTH] directories is not counted, as each level costs an
/// open descriptor.
final class TreeSize {

    private static final int MAX_DEPTH = 128;

    private final Set<Long> linked = new HashSet<>();
    private long bytes;

    private TreeSize() {}

    /// The lengths of all regular files of `tree`.
    static long bytes(FileTree tree) throws KernelException {
        var size = new TreeSize();
        try (var root = tree.directory("/")) {
            size.add(root, 0);
        }
        return size.bytes;
    }

    private void add(Directory directory, int depth) throws KernelException {
        for (var entry : directory.list()) {
            try {
                if (entry.type() == FileType.DIRECTORY) {
                    if (depth < MAX_DEPTH) {
                        try (var child = directory.directory(entry.name())) {
                            add(child, depth + 1);
                        }
                    }
                } else if (entry.type() == FileType.REGULAR) {
                    var stat = directory.stat(entry.name());
                    if (stat.links() == 1 || linked.add(stat.inode())) {
                        bytes += stat.sizeBytes();
                    }
                }
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
                    throw e;
                }
            }
        }
    }
}
