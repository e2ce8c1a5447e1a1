package carafe.files;

import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FileStat;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;

/// Gives a file or tree to somebody: links themselves, not what they lead to; other mounts are not entered. Set-id bits,
/// which the kernel takes away with the owner, are put back. What belongs to him already is not touched.
final class TreeOwner {

    private static final int DEEPEST = 1000;
    private static final int SET_ID = 06000;

    private final Unpacking.Owner owner;
    private final long mount;

    private TreeOwner(Unpacking.Owner owner, long mount) {
        this.owner = owner;
        this.mount = mount;
    }

    static void give(Fd top, Unpacking.Owner owner) throws KernelException {
        var stat = Inodes.stat(top);
        var giving = new TreeOwner(owner, stat.mountId());
        giving.one(top, stat);
        if (stat.isDirectory()) {
            try (var directory = Directory.adopt(top.duplicate())) {
                giving.below(directory, 0);
            }
        }
    }

    private void one(Fd inode, FileStat stat) throws KernelException {
        if (stat.uid() != owner.uid() || stat.gid() != owner.gid()) {
            Inodes.chown(inode, owner.uid(), owner.gid());
            if ((stat.mode() & SET_ID) != 0 && !stat.isSymlink()) {
                Inodes.chmod(inode, stat.mode());
            }
        }
    }

    private void below(Directory directory, int depth) throws KernelException {
        if (depth > DEEPEST) {
            throw new KernelException("chown", "directories", Errno.ENAMETOOLONG, "more than " + DEEPEST + " deep");
        }
        for (var entry : directory.list()) {
            try (var node = directory.node(entry.name())) {
                var stat = Inodes.stat(node);
                if (stat.mountId() != mount) {
                    continue;
                }
                one(node, stat);
                if (stat.isDirectory()) {
                    try (var child = directory.directory(entry.name())) {
                        below(child, depth + 1);
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
