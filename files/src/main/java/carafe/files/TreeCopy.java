package carafe.files;

import carafe.kernel.Directory;
import carafe.kernel.DirectoryEntry;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.FileStat;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import java.util.HashMap;
import java.util.Map;

/// Copies what is in one directory into another: owners, modes, times, attributes, links, holes. Names are opened one
/// at a time without following links, so neither tree can lead out of itself, whoever writes in it meanwhile. Sockets
/// are left out, mounts are not entered.
final class TreeCopy {

    private static final int DEEPEST = 1000;

    private final FileTree to;
    private final Map<Inode, String> linked = new HashMap<>();
    private long mount;
    private long files;

    private record Inode(long device, long number) {}

    private TreeCopy(FileTree to) {
        this.to = to;
    }

    /// Copies the content and the attributes of `from` to the root of `to`.
    /// @return how many files, directories and links were made
    static long into(Directory from, FileTree to) throws KernelException {
        var copy = new TreeCopy(to);
        var stat = Inodes.stat(from.fd());
        copy.mount = stat.mountId();
        try (var root = to.directory("/")) {
            copy.directory(from, root, "", 0);
            adorn(root.fd(), from.fd(), stat);
        }
        return copy.files;
    }

    private void directory(Directory from, Directory into, String path, int depth) throws KernelException {
        if (depth > DEEPEST) {
            throw new KernelException("copy", "directories", Errno.ENAMETOOLONG, "more than " + DEEPEST + " deep");
        }
        for (DirectoryEntry entry : from.list()) {
            String name = entry.name();
            try (var node = from.node(name)) {
                var stat = Inodes.stat(node);
                copy(new Child(from, into, name, path + "/" + name), node, stat, depth);
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT)) { // gone meanwhile
                    throw e;
                }
            }
        }
    }

    /// One name in both trees.
    private record Child(Directory from, Directory into, String name, String path) {}

    private void copy(Child child, Fd node, FileStat stat, int depth) throws KernelException {
        var into = child.into;
        String name = child.name;
        if (stat.type() != FileType.DIRECTORY && stat.links() > 1) {
            String first = linked.putIfAbsent(new Inode(stat.deviceId(), stat.inode()), child.path);
            if (first != null) {
                to.link(child.path, first);
                files++;
                return;
            }
        }
        switch (stat.type()) {
            case DIRECTORY -> {
                into.mkdir(name, 0700);
                try (var below = into.directory(name)) {
                    if (stat.mountId() == mount) {
                        try (var source = child.from.directory(name)) {
                            directory(source, below, child.path, depth + 1);
                        }
                    }
                    adorn(below.fd(), node, stat);
                }
            }
            case REGULAR -> {
                try (var source = child.from.openRegular(name, Linux.O_RDONLY); var target = into.create(name, 0600)) {
                    content(source, target, Inodes.stat(source).sizeBytes());
                    adorn(target, source, stat);
                }
            }
            case SYMLINK -> {
                into.symlink(name, child.from.readLink(name));
                into.chown(name, stat.uid(), stat.gid());
                into.setModified(name, stat.modifiedSeconds(), stat.modifiedNanos());
            }
            case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> {
                into.mknod(name, stat.type(), 0600, stat.rdevMajor(), stat.rdevMinor());
                try (var made = into.node(name)) {
                    adorn(made, node, stat);
                }
            }
            case SOCKET, UNKNOWN -> {
                return;
            }
        }
        files++;
    }

    private static void adorn(Fd made, Fd from, FileStat stat) throws KernelException {
        Inodes.chown(made, stat.uid(), stat.gid());
        Inodes.chmod(made, stat.mode());
        Attributes.write(made, Attributes.read(from));
        Inodes.setModified(made, stat.modifiedSeconds(), stat.modifiedNanos());
    }

    private static void content(Fd from, Fd to, long size) throws KernelException {
        long at = 0;
        while (at < size) {
            long data;
            try {
                data = FdStream.seek(from, at, Linux.SEEK_DATA);
            } catch (KernelException e) {
                if (e.is(Errno.ENXIO)) { // nothing but a hole up to the end
                    break;
                }
                throw e;
            }
            long hole = FdStream.seek(from, data, Linux.SEEK_HOLE);
            FdStream.seek(from, data, Linux.SEEK_SET);
            FdStream.seek(to, data, Linux.SEEK_SET);
            if (FdStream.copy(from, to, hole - data) == 0) {
                break; // cut meanwhile
            }
            at = hole;
        }
        FdStream.truncate(to, size);
    }
}
