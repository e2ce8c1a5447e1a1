package carafe.files;

import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import java.util.HashSet;
import java.util.Set;

/// How many bytes the files of a tree hold: the sizes of its regular files, each inode once. What changes meanwhile is
/// counted as it is found; links are not followed, other mounts not entered.
final class TreeBytes {

    private static final int DEEPEST = 1000;

    private final Set<Long> counted = new HashSet<>();
    private final long mount;
    private long bytes;

    private TreeBytes(long mount) {
        this.mount = mount;
    }

    static long of(Directory directory) throws KernelException {
        var sum = new TreeBytes(Inodes.stat(directory.fd()).mountId());
        sum.add(directory, 0);
        return sum.bytes;
    }

    private void add(Directory directory, int depth) throws KernelException {
        for (var entry : directory.list()) {
            try {
                var stat = directory.stat(entry.name());
                if (stat.isRegular() && (stat.links() == 1 || counted.add(stat.inode()))) {
                    bytes += stat.sizeBytes();
                } else if (stat.isDirectory() && stat.mountId() == mount && depth < DEEPEST) {
                    try (var below = directory.directory(entry.name())) {
                        add(below, depth + 1);
                    }
                }
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) { // changed meanwhile
                    throw e;
                }
            }
        }
    }
}
