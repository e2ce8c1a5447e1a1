package carafe.files;

import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Writes the members of a tar below a directory of a tree. A member's parents are found as a process with this tree
/// as its root would find them, each time anew from the tree's root: links in them lead where they lead inside, and
/// nothing leads out, whatever a running container does to its directories meanwhile (CVE-2018-15664, CVE-2019-14271).
/// The last name is made or replaced without following anything. Names with `..` that would leave the directory are
/// refused. Nothing found in the tree is loaded or run.
final class TreeUnpacker {

    private static final int SET_ID = 07000;
    private static final int MAX_NAME_CHARS = 4096;

    private final FileTree tree;
    private final String top;
    private final Unpacking how;
    private final byte[] buffer = new byte[64 << 10];
    private final List<Times> directories = new ArrayList<>();

    private record Times(String path, long seconds, int nanos) {}

    /// Unpacks below `top`, an absolute path of `tree` that is a directory.
    TreeUnpacker(FileTree tree, String top, Unpacking how) {
        this.tree = tree;
        this.top = top.equals("/") ? "" : top;
        this.how = how;
    }

    /// Unpacks all of `tar`, then gives directories the times the archive says.
    void all(TarReader tar) throws IOException, EngineException.Invalid {
        for (var entry = tar.next(); entry != null; entry = tar.next()) {
            var names = names(entry.name(), entry);
            try {
                if (!names.isEmpty()) {
                    member(names, entry, tar);
                } else if (entry.type() == TarEntry.Type.DIRECTORY) {
                    try (var directory = tree.directory(path(List.of()))) {
                        adorn(directory.fd(), entry);
                    }
                    directories.add(new Times(path(List.of()), entry.mtimeSeconds(), entry.mtimeNanos()));
                }
            } catch (KernelException e) {
                throw refused(e, entry);
            }
        }
        for (var times : directories.reversed()) {
            try (var directory = tree.directory(times.path)) {
                Inodes.setModified(directory.fd(), times.seconds, times.nanos);
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT, Errno.ENOTDIR)) { // replaced by a later member
                    throw e;
                }
            }
        }
    }

    private String path(List<String> names) {
        return names.isEmpty() && top.isEmpty() ? "/" : top + (names.isEmpty() ? "" : "/" + String.join("/", names));
    }

    private static List<String> names(String name, TarEntry entry) throws EngineException.Invalid {
        if (name.length() > MAX_NAME_CHARS) {
            throw new EngineException.Invalid("cannot unpack a name of " + name.length() + " characters");
        }
        var names = new ArrayList<String>();
        for (String part : name.split("/")) {
            if (part.equals("..")) {
                if (names.isEmpty()) {
                    throw new EngineException.Invalid(
                            "\"" + entry.name() + "\" is outside of the directory it is unpacked to");
                }
                names.removeLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                names.add(part);
            }
        }
        return names;
    }

    private void member(List<String> names, TarEntry entry, TarReader tar)
            throws IOException, EngineException.Invalid {
        String name = names.getLast();
        var parents = names.subList(0, names.size() - 1);
        try (var parent = parents(parents)) {
            if (TreePacker.isKernelsOwn(parent.fd())) {
                throw new EngineException.Invalid("cannot unpack \"" + path(names) + "\": files there are the kernel's");
            }
            boolean directory = entry.type() == TarEntry.Type.DIRECTORY;
            var there = parent.find(name);
            if (there.isPresent()) {
                boolean isDirectory = there.get().isDirectory();
                if (how.keepKinds() && isDirectory && !directory) {
                    throw new EngineException.Invalid("cannot overwrite directory \"" + path(names)
                            + "\" with non-directory \"" + top + "\"");
                }
                if (how.keepKinds() && !isDirectory && directory) {
                    throw new EngineException.Invalid("cannot overwrite non-directory \"" + path(names)
                            + "\" with directory \"" + top + "\"");
                }
                if (isDirectory && !directory) {
                    parent.deleteTree(name);
                } else if (!isDirectory && directory) {
                    gone(parent, name);
                } else if (entry.type() == TarEntry.Type.FILE && there.get().isRegular() && inPlace(parent, name)) {
                    try (var file = parent.openRegular(name, Linux.O_WRONLY | Linux.O_TRUNC)) {
                        file(file, entry, tar);
                    }
                    return;
                }
            }
            make(parent, names, entry, tar);
        }
    }

    /// Unlinks what is replaced; true when something is mounted on it, so that it must be written where it is.
    private static boolean inPlace(Directory parent, String name) throws KernelException {
        try {
            parent.unlink(name);
            return false;
        } catch (KernelException e) {
            if (e.is(Errno.EBUSY)) {
                return true;
            }
            if (e.is(Errno.ENOENT)) {
                return false;
            }
            throw e;
        }
    }

    private Directory parents(List<String> parents) throws KernelException {
        try {
            return tree.directory(path(parents));
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
        var owner = how.owner().orElse(new Unpacking.Owner(0, 0));
        return tree.mkdirs(path(parents), 0755, (int) how.ids().hostUid(Integer.toUnsignedLong(owner.uid())),
                (int) how.ids().hostGid(Integer.toUnsignedLong(owner.gid())));
    }

    private void make(Directory parent, List<String> names, TarEntry entry, TarReader tar)
            throws IOException, EngineException.Invalid {
        String name = names.getLast();
        switch (entry.type()) {
            case DIRECTORY -> {
                try {
                    parent.mkdir(name, entry.mode() & ~SET_ID);
                } catch (KernelException e) {
                    if (!e.is(Errno.EEXIST)) {
                        throw e;
                    }
                }
                try (var directory = parent.directory(name)) {
                    adorn(directory.fd(), entry);
                }
                directories.add(new Times(path(names), entry.mtimeSeconds(), entry.mtimeNanos()));
            }
            case FILE -> {
                try (var file = made(parent, name)) {
                    file(file, entry, tar);
                }
            }
            case SYMLINK -> {
                gone(parent, name);
                parent.symlink(name, entry.linkName());
                parent.chown(name, uid(entry), gid(entry));
                parent.setModified(name, entry.mtimeSeconds(), entry.mtimeNanos());
            }
            case HARD_LINK -> {
                var target = names(entry.linkName(), entry);
                if (target.isEmpty()) {
                    throw new EngineException.Invalid("cannot unpack \"" + entry.name() + "\": a link to a directory");
                }
                if (!target.equals(names)) {
                    try (var from = tree.directory(path(target.subList(0, target.size() - 1)))) {
                        from.stat(target.getLast()); // before anything of the new name is removed
                        gone(parent, name);
                        parent.link(name, from, target.getLast());
                    }
                }
            }
            case CHAR_DEVICE -> node(parent, name, FileType.CHARACTER_DEVICE, entry);
            case BLOCK_DEVICE -> node(parent, name, FileType.BLOCK_DEVICE, entry);
            case FIFO -> node(parent, name, FileType.FIFO, entry);
        }
    }

    private static Fd made(Directory parent, String name) throws KernelException {
        gone(parent, name);
        return parent.create(name, 0600);
    }

    private static void gone(Directory parent, String name) throws KernelException {
        try {
            parent.unlink(name);
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    private void node(Directory parent, String name, FileType type, TarEntry entry) throws KernelException {
        gone(parent, name);
        boolean device = type != FileType.FIFO;
        parent.mknod(name, type, 0600, device ? entry.deviceMajor() : 0, device ? entry.deviceMinor() : 0);
        try (var node = parent.node(name)) {
            adorn(node, entry);
        }
    }

    private void file(Fd file, TarEntry entry, TarReader tar) throws IOException, EngineException.Invalid {
        for (var extent : entry.extents()) {
            FdStream.seek(file, extent.offset(), Linux.SEEK_SET);
            for (long left = extent.length(); left > 0; ) {
                int count = tar.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (count < 0) {
                    throw new EngineException.Invalid("unexpected EOF");
                }
                FdStream.write(file, buffer, 0, count);
                left -= count;
            }
        }
        FdStream.truncate(file, entry.size());
        adorn(file, entry);
    }

    private void adorn(Fd inode, TarEntry entry) throws KernelException {
        Inodes.chown(inode, uid(entry), gid(entry));
        Inodes.chmod(inode, entry.mode());
        Attributes.write(inode, entry.xattrs().isEmpty() ? Map.of() : entry.xattrs());
        Inodes.setModified(inode, entry.mtimeSeconds(), entry.mtimeNanos());
    }

    private int uid(TarEntry entry) throws KernelException {
        int uid = how.owner().map(Unpacking.Owner::uid).orElse((int) entry.uid());
        return hosts(how.ids().hostUid(Integer.toUnsignedLong(uid)), entry);
    }

    private int gid(TarEntry entry) throws KernelException {
        int gid = how.owner().map(Unpacking.Owner::gid).orElse((int) entry.gid());
        return hosts(how.ids().hostGid(Integer.toUnsignedLong(gid)), entry);
    }

    private static int hosts(long id, TarEntry entry) throws KernelException {
        if (id < 0) {
            throw new KernelException("chown", entry.name(), Errno.EINVAL, "its owner is none of the container's users");
        }
        return (int) id;
    }

    /// What the kernel says to a member that makes no sense is the archive's fault; a full or read-only disk is not.
    private static IOException refused(KernelException e, TarEntry entry) throws EngineException.Invalid {
        if (e.is(Errno.ENOTDIR, Errno.ELOOP, Errno.ENOENT, Errno.ENAMETOOLONG, Errno.EINVAL, Errno.EXDEV,
                Errno.EISDIR, Errno.EFBIG, Errno.EMLINK, Errno.ERANGE, Errno.EEXIST, Errno.E2BIG, Errno.EBUSY,
                Errno.EPERM)) {
            String name = entry.name();
            throw new EngineException.Invalid("cannot unpack \""
                    + (name.length() > 200 ? name.substring(0, 200) + "…" : name) + "\": " + e.reason());
        }
        return e;
    }
}
