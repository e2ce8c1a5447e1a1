package carafe.image;

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
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarEntry.Extent;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Writes the files of a tree as a tar: a whole root as it is seen, or the upper directory of an overlay as a layer,
/// overlayfs's whiteouts and opaque marks turned back into `.wh.` names. Names sort, so the same tree gives the same
/// tar. Hard links, holes, attributes and fractions of seconds are kept; sockets are left out.
///
/// The tree may change meanwhile, by processes that wish us ill: every name is opened below its directory's descriptor
/// and is what its descriptor says it is; what vanishes is passed over. Not for several threads.
/// Source: OCI image-spec layer.md; overlayfs.rst "whiteouts and opaque directories".
final class TreeTar {

    /// What the tar shall be.
    enum Form {
        /// All files as they are.
        ROOT,
        /// A layer over others.
        LAYER
    }

    /// What makes an inode known again.
    private record Inode(long device, long number) {}

    private static final String OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";
    private static final int MAX_DEPTH = 2000;
    private static final int MAX_EXTENTS = 10_000;

    private final FileTree tree;
    private final TarWriter out;
    private final Form form;
    private final Map<Inode, String> linked = new HashMap<>();

    private TreeTar(FileTree tree, TarWriter out, Form form) {
        this.tree = tree;
        this.out = out;
        this.form = form;
    }

    /// Writes all of `tree` but its root itself to `out`, which is not finished.
    static void write(FileTree tree, TarWriter out, Form form) throws IOException {
        new TreeTar(tree, out, form).directory("", 0);
    }

    private void directory(String path, int depth) throws IOException {
        if (depth > MAX_DEPTH) {
            throw new IOException("directories are nested more than " + MAX_DEPTH + " deep: " + path.substring(0, 100));
        }
        var below = new ArrayList<String>();
        try (var directory = open(path)) {
            var entries = new ArrayList<>(directory.list());
            entries.sort(Comparator.comparing(DirectoryEntry::name));
            for (var entry : entries) {
                if (member(directory, path, entry.name())) {
                    below.add(entry.name());
                }
            }
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
                throw e;
            }
        }
        for (String name : below) {
            directory(path + name + "/", depth + 1);
        }
    }

    private Directory open(String path) throws KernelException {
        return tree.directory("/" + path);
    }

    /// @return true when the member is a directory
    private boolean member(Directory parent, String path, String name) throws IOException {
        try (var node = parent.node(name)) {
            var stat = Inodes.stat(node);
            switch (stat.type()) {
                case DIRECTORY -> {
                    add(TarEntry.Type.DIRECTORY, path + name + "/", "", stat, xattrs(node));
                    if (form == Form.LAYER && Inodes.xattr(node, OPAQUE_ATTRIBUTE).isPresent()) {
                        whiteout(path + name + "/" + LayerNames.OPAQUE);
                    }
                    return true;
                }
                case REGULAR -> file(parent, path, name, stat);
                case SYMLINK -> add(TarEntry.Type.SYMLINK, path + name, parent.readLink(name), stat, Map.of());
                case CHARACTER_DEVICE -> {
                    if (form == Form.LAYER && LayerWriter.isWhiteout(stat)) {
                        whiteout(path + LayerNames.WHITEOUT + name);
                    } else {
                        add(TarEntry.Type.CHAR_DEVICE, path + name, "", stat, Map.of());
                    }
                }
                case BLOCK_DEVICE -> add(TarEntry.Type.BLOCK_DEVICE, path + name, "", stat, Map.of());
                case FIFO -> add(TarEntry.Type.FIFO, path + name, "", stat, Map.of());
                default -> { } // sockets mean nothing without their process
            }
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT, Errno.ELOOP)) { // gone, or another thing meanwhile
                throw e;
            }
        }
        return false;
    }

    private void whiteout(String name) throws IOException {
        out.file(name, 0, new byte[0]);
    }

    private void add(TarEntry.Type type, String name, String link, FileStat stat, Map<String, byte[]> xattrs)
            throws IOException {
        boolean device = type == TarEntry.Type.CHAR_DEVICE || type == TarEntry.Type.BLOCK_DEVICE;
        out.add(new TarEntry(type, name, link, 0, List.of(), stat.mode(), stat.uid() & 0xFFFFFFFFL,
                stat.gid() & 0xFFFFFFFFL, stat.modifiedSeconds(), stat.modifiedNanos(),
                device ? stat.rdevMajor() : 0, device ? stat.rdevMinor() : 0, xattrs), InputStream.nullInputStream());
    }

    private void file(Directory parent, String path, String name, FileStat seen) throws IOException {
        if (seen.links() > 1) {
            String first = linked.putIfAbsent(new Inode(seen.deviceId(), seen.inode()), path + name);
            if (first != null) {
                add(TarEntry.Type.HARD_LINK, path + name, first, seen, Map.of());
                return;
            }
        }
        try (var file = parent.open(name, Linux.O_RDONLY | Linux.O_NOFOLLOW | Linux.O_NONBLOCK)) {
            var stat = Inodes.stat(file);
            if (!stat.isSame(seen)) {
                return; // replaced meanwhile
            }
            var extents = extents(file, stat);
            out.add(new TarEntry(TarEntry.Type.FILE, path + name, "", stat.sizeBytes(), extents, stat.mode(),
                    stat.uid() & 0xFFFFFFFFL, stat.gid() & 0xFFFFFFFFL, stat.modifiedSeconds(), stat.modifiedNanos(),
                    0, 0, xattrs(file)), new Stored(file, extents));
        }
    }

    /// The ranges with data; one for the whole file when it has no holes worth a map.
    private static List<Extent> extents(Fd file, FileStat stat) throws KernelException {
        long size = stat.sizeBytes();
        if (size == 0) {
            return List.of();
        }
        var whole = List.of(new Extent(0, size));
        if (stat.blocks() * 512 >= size || size < 64 << 10) {
            return whole;
        }
        var extents = new ArrayList<Extent>();
        for (long at = 0; at < size; ) {
            long data = next(file, at, Linux.SEEK_DATA, size);
            if (data >= size) {
                break;
            }
            long hole = Math.min(size, next(file, data, Linux.SEEK_HOLE, size));
            extents.add(new Extent(data, hole - data));
            at = hole;
            if (extents.size() > MAX_EXTENTS) {
                return whole;
            }
        }
        return extents;
    }

    private static long next(Fd file, long from, int what, long end) throws KernelException {
        try {
            return FdStream.seek(file, from, what);
        } catch (KernelException e) {
            if (e.is(Errno.ENXIO)) { // nothing but a hole up to the end
                return end;
            }
            throw e;
        }
    }

    private static Map<String, byte[]> xattrs(Fd node) throws KernelException {
        var kept = new TreeMap<String, byte[]>();
        for (String name : Inodes.xattrs(node)) {
            if (LayerNames.isKeptAttribute(name)) {
                Inodes.xattr(node, name).ifPresent(value -> kept.put(name, value));
            }
        }
        return kept;
    }

    /// The bytes of a file's extents, one behind the other.
    private static final class Stored extends InputStream {
        private final Fd file;
        private final List<Extent> extents;
        private int current;
        private long inCurrent;

        Stored(Fd file, List<Extent> extents) {
            this.file = file;
            this.extents = extents;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            while (current < extents.size() && inCurrent == extents.get(current).length()) {
                current++;
                inCurrent = 0;
            }
            if (current == extents.size() || length == 0) {
                return length == 0 ? 0 : -1;
            }
            var extent = extents.get(current);
            int count = FdStream.readAt(file, extent.offset() + inCurrent, buffer, offset,
                    (int) Math.min(length, extent.length() - inCurrent));
            inCurrent += Math.max(0, count);
            return count;
        }
    }
}
