package carafe.image;

import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.FileStat;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Writes the members of one layer's tar below one directory, in the form overlayfs wants: AUFS whiteouts become
/// character devices 0:0, opaque marks the attribute `trusted.overlay.opaque`. Every operation is on one name in a
/// directory's descriptor; symbolic links in parents lead to where they lead inside the layer, as in a chroot, and no
/// name with `..` is taken. Of members with the same name the last stays; a directory met again is kept.
///
/// A whiteout hides only what lower layers have: beside a member of the same name in this layer it makes that
/// directory opaque, or does nothing. Owners, set-id bits, times, holes, capabilities, ACLs and `user.*` attributes are
/// kept; other attributes (`trusted.overlay.redirect` would read foreign files) are dropped.
///
/// Not synced here. Not for several threads. Source: OCI image-spec layer.md; overlayfs.rst "whiteouts and opaque".
final class LayerWriter implements AutoCloseable {

    private static final String OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";
    private static final int SET_ID = 07000;

    private final DirectoryPath path;
    private final FileTree tree;
    private final long maxEntries;
    private final byte[] buffer = new byte[128 << 10];
    private long entries;
    private long fileBytes;

    /// Writes below `tree`, which stays the caller's; more than `maxEntries` members are refused.
    LayerWriter(FileTree tree, long maxEntries) throws KernelException {
        this.tree = tree;
        this.maxEntries = maxEntries;
        this.path = new DirectoryPath(tree);
    }

    /// Adds one member, whose data `tar` is about to give.
    void add(TarEntry entry, TarReader tar) throws IOException, EngineException.Invalid {
        if (++entries > maxEntries) {
            throw new EngineException.Invalid("layer has more than " + maxEntries + " files");
        }
        var names = LayerNames.parts(entry.name(), entry);
        try {
            if (names.isEmpty()) {
                root(entry);
                return;
            }
            String name = names.getLast();
            var parents = names.subList(0, names.size() - 1);
            if (name.startsWith(LayerNames.WHITEOUT)) {
                whiteout(parents, name);
            } else if (parents.stream().noneMatch(parent -> parent.startsWith(LayerNames.AUFS))) {
                make(parents, name, entry, tar);
            }
        } catch (KernelException e) {
            throw refused(e, entry);
        }
    }

    /// Restores the times of directories that were written into.
    void finish() throws KernelException {
        path.leaveAll();
    }

    /// The lengths of all files added, holes included.
    long fileBytes() {
        return fileBytes;
    }

    /// How many members were added.
    long entries() {
        return entries;
    }

    private void root(TarEntry entry) throws IOException, EngineException.Invalid {
        if (entry.type() != TarEntry.Type.DIRECTORY) {
            throw new EngineException.Invalid("cannot unpack \"" + entry.name()
                    + "\": the layer's root is a directory");
        }
        var directory = path.enter(List.of());
        Inodes.chown(directory.fd(), (int) entry.uid(), (int) entry.gid());
        Inodes.chmod(directory.fd(), entry.mode());
        setAttributes(directory.fd(), entry);
        path.changedRoot(entry.mode(), entry.mtimeSeconds(), entry.mtimeNanos());
    }

    private void make(List<String> parents, String name, TarEntry entry, TarReader tar)
            throws IOException, EngineException.Invalid {
        var parent = path.enter(parents);
        if (entry.type() == TarEntry.Type.HARD_LINK) {
            link(parent, parents, name, entry);
            return;
        }
        if (entry.type() == TarEntry.Type.DIRECTORY) {
            directory(parent, name, entry);
            return;
        }
        path.written();
        switch (entry.type()) {
            case FILE -> file(parent, name, entry, tar);
            case SYMLINK -> {
                LayerNames.checkTarget(entry);
                making(parent, name, () -> parent.symlink(name, entry.linkName()));
                if (needsOwner(entry)) {
                    parent.chown(name, (int) entry.uid(), (int) entry.gid());
                }
                parent.setModified(name, entry.mtimeSeconds(), entry.mtimeNanos());
            }
            case CHAR_DEVICE -> node(parent, name, FileType.CHARACTER_DEVICE, entry);
            case BLOCK_DEVICE -> node(parent, name, FileType.BLOCK_DEVICE, entry);
            case FIFO -> node(parent, name, FileType.FIFO, entry);
            case DIRECTORY, HARD_LINK -> throw new AssertionError(entry.type());
        }
    }

    private void file(Directory parent, String name, TarEntry entry, TarReader tar)
            throws IOException, EngineException.Invalid {
        try (var file = created(parent, name, entry.mode() & ~SET_ID)) {
            long at = 0;
            for (var extent : entry.extents()) {
                if (extent.offset() != at) {
                    FdStream.seek(file, extent.offset(), Linux.SEEK_SET);
                }
                for (long left = extent.length(); left > 0; ) {
                    int count = tar.read(buffer, 0, (int) Math.min(left, buffer.length));
                    if (count < 0) {
                        throw new EngineException.Invalid("unexpected EOF");
                    }
                    FdStream.write(file, buffer, 0, count);
                    left -= count;
                }
                at = extent.offset() + extent.length();
            }
            if (at != entry.size()) {
                FdStream.truncate(file, entry.size());
            }
            if (needsOwner(entry)) {
                Inodes.chown(file, (int) entry.uid(), (int) entry.gid());
            }
            if ((entry.mode() & SET_ID) != 0) {
                Inodes.chmod(file, entry.mode());
            }
            setAttributes(file, entry);
            Inodes.setModified(file, entry.mtimeSeconds(), entry.mtimeNanos());
        }
        fileBytes += entry.size();
    }

    private boolean needsOwner(TarEntry entry) {
        return entry.uid() != 0 || entry.gid() != 0 || path.givesGroup();
    }

    private static Fd created(Directory parent, String name, int mode) throws KernelException {
        try {
            return parent.create(name, mode);
        } catch (KernelException e) {
            if (!e.is(Errno.EEXIST)) {
                throw e;
            }
            parent.deleteTree(name);
            return parent.create(name, mode);
        }
    }

    private void node(Directory parent, String name, FileType type, TarEntry entry) throws KernelException {
        boolean device = type != FileType.FIFO;
        making(parent, name, () -> parent.mknod(name, type, entry.mode() & ~SET_ID,
                device ? entry.deviceMajor() : 0, device ? entry.deviceMinor() : 0));
        if (needsOwner(entry)) {
            parent.chown(name, (int) entry.uid(), (int) entry.gid());
        }
        if ((entry.mode() & SET_ID) != 0) {
            parent.chmod(name, entry.mode());
        }
        parent.setModified(name, entry.mtimeSeconds(), entry.mtimeNanos());
    }

    private void directory(Directory parent, String name, TarEntry entry) throws KernelException {
        path.makeDirectory(name, entry.mode() & ~SET_ID);
        parent.chown(name, (int) entry.uid(), (int) entry.gid());
        parent.chmod(name, entry.mode());
        if (!entry.xattrs().isEmpty()) {
            try (var directory = parent.directory(name)) {
                setAttributes(directory.fd(), entry);
            }
        }
        parent.setModified(name, entry.mtimeSeconds(), entry.mtimeNanos());
    }

    private void link(Directory parent, List<String> parents, String name, TarEntry entry)
            throws KernelException, EngineException.Invalid {
        var target = LayerNames.parts(entry.linkName(), entry);
        if (target.isEmpty()) {
            throw new EngineException.Invalid("cannot unpack \"" + entry.name() + "\": a hard link to the root");
        }
        if (target.size() == parents.size() + 1 && target.getLast().equals(name)
                && target.subList(0, parents.size()).equals(parents)) {
            return; // a link to itself
        }
        path.written();
        String targetParent = String.join("/", target.subList(0, target.size() - 1));
        try (var from = tree.directory(targetParent)) {
            from.stat(target.getLast()); // before anything of the new name is removed
            making(parent, name, () -> parent.link(name, from, target.getLast()));
        }
    }

    /// A step that makes one name.
    private interface Making {
        void run() throws KernelException;
    }

    private static void making(Directory parent, String name, Making step) throws KernelException {
        try {
            step.run();
        } catch (KernelException e) {
            if (!e.is(Errno.EEXIST)) {
                throw e;
            }
            parent.deleteTree(name);
            step.run();
        }
    }

    private void whiteout(List<String> parents, String name) throws KernelException, EngineException.Invalid {
        if (name.equals(LayerNames.OPAQUE)) {
            var parent = path.enter(parents);
            Inodes.setXattr(parent.fd(), OPAQUE_ATTRIBUTE, yes());
            return;
        }
        if (name.startsWith(LayerNames.AUFS)) {
            return; // AUFS's own book-keeping
        }
        String hidden = LayerNames.hidden(name);
        var parent = path.enter(parents);
        var existing = parent.find(hidden);
        if (existing.isEmpty()) {
            path.written();
            parent.mknod(hidden, FileType.CHARACTER_DEVICE, 0, 0, 0);
        } else if (existing.get().isDirectory()) {
            parent.setXattr(hidden, OPAQUE_ATTRIBUTE, yes());
        }
    }

    static boolean isWhiteout(FileStat stat) {
        return stat.type() == FileType.CHARACTER_DEVICE && stat.rdevMajor() == 0 && stat.rdevMinor() == 0;
    }

    static void makeOpaque(Directory parent, String name) throws KernelException {
        parent.setXattr(name, OPAQUE_ATTRIBUTE, yes());
    }

    private static byte[] yes() {
        return "y".getBytes(StandardCharsets.US_ASCII);
    }

    private static void setAttributes(Fd fd, TarEntry entry) throws KernelException {
        for (var attribute : entry.xattrs().entrySet()) {
            String name = attribute.getKey();
            if (!LayerNames.isKeptAttribute(name)) {
                continue;
            }
            try {
                Inodes.setXattr(fd, name, attribute.getValue());
            } catch (KernelException e) {
                if (!e.is(Errno.EOPNOTSUPP)) { // a filesystem without ACLs or user attributes still holds the files
                    throw e;
                }
            }
        }
    }

    /// What the kernel says to a member that makes no sense is the archive's fault; a full disk is not.
    private static IOException refused(KernelException e, TarEntry entry) throws EngineException.Invalid {
        if (e.is(Errno.ENOTDIR, Errno.ELOOP, Errno.ENOENT, Errno.ENAMETOOLONG, Errno.EINVAL, Errno.EXDEV,
                Errno.EISDIR, Errno.EFBIG, Errno.EMLINK, Errno.ERANGE, Errno.EEXIST, Errno.E2BIG)
                || e.is(Errno.EPERM) && entry.type() == TarEntry.Type.HARD_LINK) {
            throw LayerNames.refused(entry, e.reason());
        }
        return e;
    }

    @Override
    public void close() {
        path.close();
    }
}
