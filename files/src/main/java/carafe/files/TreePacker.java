package carafe.files;

import carafe.kernel.Directory;
import carafe.kernel.DirectoryEntry;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.FileStat;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.spec.oci.IdMaps;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarWriter;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Writes a file or directory as a tar. Names are opened one at a time without following links; a file that shrinks
/// while it is read is filled up with zeros, one that grows is cut, for its size stands in front of it. Devices and
/// FIFOs are written as what they are, never opened; sockets are left out, as tar has none. Directories of the kernel's
/// own filesystems (proc, sysfs, cgroup) are written empty.
final class TreePacker {

    private static final int DEEPEST = 1000;
    private static final Set<Long> KERNELS_OWN = Set.of(Linux.PROC_SUPER_MAGIC, Linux.SYSFS_MAGIC,
            Linux.CGROUP_SUPER_MAGIC, Linux.CGROUP2_SUPER_MAGIC, Linux.DEVPTS_SUPER_MAGIC);

    private static final long NOBODY = 65_534;

    private final TarWriter tar;
    private final IdMaps ids;
    private final byte[] buffer = new byte[64 << 10];
    private final Map<Inode, String> linked = new HashMap<>();

    private record Inode(long device, long number) {}

    TreePacker(TarWriter tar) {
        this(tar, IdMaps.NONE);
    }

    /// Writes the owners that files have for those whose ids are `ids`.
    TreePacker(TarWriter tar, IdMaps ids) {
        this.tar = tar;
        this.ids = ids;
    }

    /// Whether files there are the kernel's answers and nothing to be copied.
    static boolean isKernelsOwn(Fd inode) throws KernelException {
        return KERNELS_OWN.contains(Inodes.filesystem(inode));
    }

    /// Packs the directory itself under `name`, then all below it.
    void directory(Directory directory, String name) throws IOException {
        directory(directory, name, 0);
    }

    private void directory(Directory directory, String name, int depth) throws IOException {
        if (depth > DEEPEST) {
            throw new KernelException("pack", "directories", Errno.ENAMETOOLONG, "more than " + DEEPEST + " deep");
        }
        tar.add(entry(TarEntry.Type.DIRECTORY, name, "", Inodes.stat(directory.fd()), directory.fd()));
        content(directory, name, depth);
    }

    private void content(Directory directory, String name, int depth) throws IOException {
        if (isKernelsOwn(directory.fd())) {
            return;
        }
        List<DirectoryEntry> entries = directory.list();
        entries.sort(Comparator.comparing(DirectoryEntry::name));
        for (var entry : entries) {
            child(directory, entry.name(), (name.endsWith("/") ? name : name + "/") + entry.name(), depth);
        }
    }

    /// Packs what `child` of `parent` is, under `name`.
    void child(Directory parent, String child, String name) throws IOException {
        child(parent, child, name, 0);
    }

    private void child(Directory parent, String child, String name, int depth) throws IOException {
        Fd node;
        try {
            node = parent.node(child);
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT) && depth > 0) {
                return; // gone meanwhile
            }
            throw e;
        }
        try (node) {
            var stat = Inodes.stat(node);
            switch (stat.type()) {
                case DIRECTORY -> below(parent, child, name, depth);
                case REGULAR -> file(parent, child, name, stat);
                case SYMLINK -> tar.add(entry(
                        TarEntry.Type.SYMLINK, name, parent.readLink(child), stat, node));
                case CHARACTER_DEVICE -> tar.add(entry(TarEntry.Type.CHAR_DEVICE, name, "", stat, node));
                case BLOCK_DEVICE -> tar.add(entry(TarEntry.Type.BLOCK_DEVICE, name, "", stat, node));
                case FIFO -> tar.add(entry(TarEntry.Type.FIFO, name, "", stat, node));
                case SOCKET, UNKNOWN -> { }
            }
        }
    }

    private void below(Directory parent, String child, String name, int depth) throws IOException {
        Directory directory;
        try {
            directory = parent.directory(child);
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
                return; // changed meanwhile
            }
            throw e;
        }
        try (directory) {
            directory(directory, name, depth + 1);
        }
    }

    private void file(Directory parent, String child, String name, FileStat seen) throws IOException {
        if (seen.links() > 1) {
            String first = linked.putIfAbsent(new Inode(seen.deviceId(), seen.inode()), name);
            if (first != null) {
                tar.add(new TarEntry(TarEntry.Type.HARD_LINK, name, first, 0, List.of(), seen.mode(),
                        user(seen), group(seen), seen.modifiedSeconds(), 0, 0, 0, Map.of()));
                return;
            }
        }
        Fd file;
        try {
            file = parent.openRegular(child, Linux.O_RDONLY);
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.EISDIR, Errno.ELOOP, Errno.EINVAL)) {
                return; // changed meanwhile
            }
            throw e;
        }
        try (file) {
            var stat = Inodes.stat(file);
            tar.add(entry(TarEntry.Type.FILE, name, "", stat, file));
            long left = stat.sizeBytes();
            while (left > 0) {
                int got = FdStream.read(file, buffer, 0, (int) Math.min(left, buffer.length));
                if (got < 0) {
                    break;
                }
                tar.write(buffer, 0, got);
                left -= got;
            }
            if (left > 0) {
                java.util.Arrays.fill(buffer, (byte) 0);
            }
            for (; left > 0; left -= Math.min(left, buffer.length)) {
                tar.write(buffer, 0, (int) Math.min(left, buffer.length));
            }
        }
    }

    private TarEntry entry(TarEntry.Type type, String name, String link, FileStat stat, Fd inode)
            throws KernelException {
        boolean file = type == TarEntry.Type.FILE;
        boolean attributed = file || type == TarEntry.Type.DIRECTORY;
        return new TarEntry(type, name, link, file ? stat.sizeBytes() : 0, List.of(), stat.mode(),
                user(stat), group(stat), stat.modifiedSeconds(), 0,
                stat.rdevMajor(), stat.rdevMinor(), attributed ? Attributes.read(inode) : Map.of());
    }

    private long user(FileStat stat) {
        long uid = ids.containerUid(Integer.toUnsignedLong(stat.uid()));
        return uid < 0 ? NOBODY : uid;
    }

    private long group(FileStat stat) {
        long gid = ids.containerGid(Integer.toUnsignedLong(stat.gid()));
        return gid < 0 ? NOBODY : gid;
    }
}
