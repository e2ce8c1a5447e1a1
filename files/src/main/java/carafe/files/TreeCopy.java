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
/// are left out, mounts are not entered. Files and directories have modes that nobody gives them until they are whole.
final class TreeCopy {

    /// That of a file whose content or attributes may be missing.
    private static final int HALF_FILE = 0200;

    /// That of a directory whose content or attributes may be missing.
    private static final int HALF_DIRECTORY = 01700;

    private static final int DEEPEST = 1000;

    private final FileTree to;
    private final boolean filling;
    private final Map<Inode, String> linked = new HashMap<>();
    private long mount;
    private long files;

    private record Inode(long device, long number) {}

    private TreeCopy(FileTree to, boolean filling) {
        this.to = to;
        this.filling = filling;
    }

    /// Copies the content and the attributes of `from` to the root of `to`.
    /// @return how many files, directories and links were made
    static long into(Directory from, FileTree to) throws KernelException {
        return new TreeCopy(to, false).all(from);
    }

    /// The same where others may have written, or an earlier copy did not come to its end: what is there already stays as
    /// it is, but what that copy left unfinished.
    static long missing(Directory from, FileTree to) throws KernelException {
        return new TreeCopy(to, true).all(from);
    }

    private long all(Directory from) throws KernelException {
        var stat = Inodes.stat(from.fd());
        mount = stat.mountId();
        try (var root = to.directory("/")) {
            directory(from, root, "", 0);
            adorn(root.fd(), from.fd(), stat);
        }
        return files;
    }

    private void directory(Directory from, Directory into, String path, int depth) throws KernelException {
        if (depth > DEEPEST) {
            throw new KernelException("copy", "directories", Errno.ENAMETOOLONG, "more than " + DEEPEST + " deep");
        }
        for (DirectoryEntry entry : from.list()) {
            String name = entry.name();
            try (var node = from.node(name)) {
                var stat = Inodes.stat(node);
                if (!filling || lacks(into, name, stat)) {
                    copy(new Child(from, into, name, path + "/" + name), node, stat, depth);
                } else if (stat.links() > 1) { // its other names may be missing
                    linked.putIfAbsent(new Inode(stat.deviceId(), stat.inode()), path + "/" + name);
                }
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT)) { // gone meanwhile
                    throw e;
                }
            }
        }
    }

    /// Whether `name` is to be copied: it is not there, or is what a copy left that did not come to its end. That is seen
    /// by a file's mode, or, after the power failed, by the size of one with the very time of the original.
    private static boolean lacks(Directory into, String name, FileStat wanted) throws KernelException {
        var found = into.find(name);
        if (found.isEmpty()) {
            return true;
        }
        var there = found.get();
        if (there.type() != wanted.type()) {
            return false;
        }
        boolean half = isHalf(there, wanted) || there.sizeBytes() != wanted.sizeBytes()
                && there.modifiedSeconds() == wanted.modifiedSeconds() && there.modifiedNanos() == wanted.modifiedNanos();
        if (there.isRegular() && half) {
            into.unlink(name);
        }
        return there.isRegular() && half || there.isDirectory();
    }

    /// Whether its mode says so, which is not that of the original: else it may have been whole, and changed since.
    private static boolean isHalf(FileStat there, FileStat wanted) {
        return there.mode() == (there.isDirectory() ? HALF_DIRECTORY : HALF_FILE) && there.mode() != wanted.mode();
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
                boolean kept = filling && into.find(name).isPresent();
                if (!kept) {
                    into.mkdir(name, HALF_DIRECTORY);
                }
                try (var below = into.directory(name)) {
                    if (stat.mountId() == mount) {
                        try (var source = child.from.directory(name)) {
                            directory(source, below, child.path, depth + 1);
                        }
                    }
                    if (!kept || isHalf(Inodes.stat(below.fd()), stat)) {
                        adorn(below.fd(), node, stat);
                    }
                }
            }
            case REGULAR -> {
                try (var source = child.from.openRegular(name, Linux.O_RDONLY); var target = into.create(name, HALF_FILE)) {
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
        Attributes.write(made, Attributes.read(from));
        Inodes.setModified(made, stat.modifiedSeconds(), stat.modifiedNanos());
        Inodes.chmod(made, stat.mode());
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
