package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A tree of files that others may have written (a rootfs, a layer, a volume), by the descriptor of its root. Paths
/// are resolved as a process inside would see them: `/` and `..` end at the root, symbolic links are followed in it,
/// /proc's magic links not at all; there is no path by which anything here touches a file outside. Owns its
/// descriptor.
///
/// Methods named for one file act on what the path leads to; where the last name itself matters (making, removing,
/// [#lstat], [#readLink]) links are followed in its parents only. Source: openat2(2), SECURITY R1.
public final class FileTree implements AutoCloseable {

    /// As many links as the kernel follows in one path.
    private static final int LINKS = 40;

    private final Fd root;

    private FileTree(Fd root) {
        this.root = root;
    }

    /// The tree below a directory of ours; `directory` itself is trusted and resolved as usual.
    public static FileTree open(Path directory) throws KernelException {
        return adopt(Opening.trusted(Linux.O_PATH | Linux.O_DIRECTORY).open(Linux.AT_FDCWD, directory.toString()));
    }

    /// Takes ownership of `root`, a directory or a detached mount.
    public static FileTree adopt(Fd root) {
        return new FileTree(root);
    }

    /// The root's descriptor, borrowed.
    public Fd root() {
        return root;
    }

    /// Opens `path` with `O_*` flags; `mode` is for O_CREAT and loses the umask's bits. Opening a device has effects
    /// and a FIFO blocks: where the content is not ours, look first or use [#openRegular].
    public Fd open(String path, int flags, int mode) throws KernelException {
        return Opening.inRoot(flags, mode).open(root.number(), path);
    }

    /// Opens the regular file that `path` leads to, for `O_RDONLY`, `O_WRONLY` or `O_RDWR` and flags like O_APPEND; a
    /// device or FIFO is not even touched.
    /// @throws KernelException EISDIR a directory; EINVAL something else than a regular file
    public Fd openRegular(String path, int flags) throws KernelException {
        try (var node = open(path, Linux.O_PATH, 0)) {
            return openFound(node, path, flags);
        }
    }

    private static Fd openFound(Fd node, String path, int flags) throws KernelException {
        var stat = Inodes.stat(node);
        if (!stat.isRegular()) {
            throw new KernelException("open", path, stat.isDirectory() ? Errno.EISDIR : Errno.EINVAL,
                    stat.isDirectory() ? "" : "not a regular file");
        }
        return Opening.trusted(flags).open(Linux.AT_FDCWD, ProcFs.path(node));
    }

    /// The directory that `path` leads to.
    public Directory directory(String path) throws KernelException {
        return Directory.adopt(open(path, Linux.O_PATH | Linux.O_DIRECTORY, 0));
    }

    /// The directory in which the last name of `path` is or may be made.
    public Directory parent(String path) throws KernelException {
        return directory(parentOf(path));
    }

    /// The last name of `path`, without slashes behind it; refused where it is none (`/`, `..`).
    public static String nameOf(String path) throws KernelException {
        String trimmed = trimmed(path);
        return Directory.checked(trimmed.substring(trimmed.lastIndexOf('/') + 1));
    }

    private static String parentOf(String path) {
        String trimmed = trimmed(path);
        return trimmed.substring(0, trimmed.lastIndexOf('/') + 1);
    }

    private static String trimmed(String path) {
        int end = path.length();
        while (end > 0 && path.charAt(end - 1) == '/') {
            end--;
        }
        return path.substring(0, end);
    }

    /// The directory `path`, made where it is missing: every new one with `mode` and given to `uid`:`gid`. A link that
    /// leads nowhere gets the directory it names.
    /// @throws KernelException ENOTDIR something on the way is no directory
    public Directory mkdirs(String path, int mode, int uid, int gid) throws KernelException {
        return mkdirs(path, new Made(mode, uid, gid), LINKS);
    }

    private record Made(int mode, int uid, int gid) {}

    private Directory mkdirs(String path, Made made, int links) throws KernelException {
        try {
            return directory(path);
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
        String walked = "";
        for (String name : path.split("/")) {
            if (name.isEmpty() || name.equals(".")) {
                continue;
            }
            String next = walked + "/" + name;
            try (var _ = directory(next)) {
                walked = next;
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT)) {
                    throw e;
                }
                walked = makeMissing(walked, name, made, links);
            }
        }
        return directory(walked);
    }

    /// @return the path of the directory that is there now
    private String makeMissing(String parentPath, String name, Made made, int links) throws KernelException {
        try (var parent = directory(parentPath)) {
            var there = parent.find(name);
            if (there.isPresent() && there.get().isSymlink()) {
                if (links == 0) {
                    throw new KernelException("mkdir", parentPath + "/" + name, Errno.ELOOP);
                }
                String target = parent.readLink(name);
                String path = target.startsWith("/") ? target : parentPath + "/" + target;
                mkdirs(path, made, links - 1).close();
                return path;
            }
            try {
                parent.mkdir(name, made.mode);
            } catch (KernelException e) {
                if (e.is(Errno.EEXIST)) { // somebody else was quicker; it must be a directory
                    parent.directory(name).close();
                    return parentPath + "/" + name;
                }
                throw e;
            }
            if (made.uid != 0 || made.gid != 0) {
                parent.chown(name, made.uid, made.gid);
                if ((made.mode & 06000) != 0) {
                    parent.chmod(name, made.mode);
                }
            }
            return parentPath + "/" + name;
        }
    }

    /// The content of the regular file that `path` leads to.
    /// @throws KernelException EFBIG it is longer than `limitBytes`
    public byte[] readFile(String path, int limitBytes) throws KernelException {
        try (var file = openRegular(path, Linux.O_RDONLY)) {
            return FdStream.readAll(file, limitBytes);
        }
    }

    /// The same where it may not be there, which is no failure: nothing is thrown for what is common.
    /// @throws KernelException as [#readFile], but for ENOENT
    public Optional<byte[]> readIfThere(String path, int limitBytes) throws KernelException {
        try (var frame = new Frame()) {
            long node = Opening.inRoot(Linux.O_PATH, 0).attempt(frame, root.number(), path);
            if (node == -Errno.ENOENT) {
                return Optional.empty();
            }
            try (var found = Fd.adopt((int) Frame.checked(node, Syscall.OPENAT2, path), path);
                    var file = openFound(found, path, Linux.O_RDONLY)) {
                return Optional.of(FdStream.readAll(file, limitBytes));
            }
        }
    }

    /// Makes `path` a regular file with this content, mode and owner; a regular file that is there is rewritten, so
    /// that what is bound to it stays. Not atomic.
    /// @throws KernelException EEXIST something else than a regular file is there, a symbolic link too
    public void writeFile(String path, byte[] content, int mode, int uid, int gid) throws KernelException {
        try (var parent = parent(path); var file = createOrReplace(parent, nameOf(path), mode)) {
            FdStream.write(file, content);
            Inodes.chown(file, uid, gid);
            Inodes.chmod(file, mode);
        }
    }

    private static Fd createOrReplace(Directory parent, String name, int mode) throws KernelException {
        try {
            return parent.create(name, mode);
        } catch (KernelException e) {
            if (!e.is(Errno.EEXIST)) {
                throw e;
            }
            try (var node = parent.node(name)) {
                if (!Inodes.stat(node).isRegular()) {
                    throw e;
                }
                return Opening.trusted(Linux.O_WRONLY | Linux.O_TRUNC).open(Linux.AT_FDCWD, ProcFs.path(node));
            }
        }
    }

    /// What `path` leads to.
    public FileStat stat(String path) throws KernelException {
        try (var node = open(path, Linux.O_PATH, 0)) {
            return Inodes.stat(node);
        }
    }

    /// What the last name of `path` itself is.
    public FileStat lstat(String path) throws KernelException {
        try (var node = open(path, Linux.O_PATH | Linux.O_NOFOLLOW, 0)) {
            return Inodes.stat(node);
        }
    }

    /// What `path` leads to; empty when it leads nowhere.
    public Optional<FileStat> find(String path) throws KernelException {
        try {
            return Optional.of(stat(path));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// What the symbolic link `path` holds.
    public String readLink(String path) throws KernelException {
        try (var parent = parent(path)) {
            return parent.readLink(nameOf(path));
        }
    }

    /// Makes `path` a symbolic link to `target`.
    public void symlink(String path, String target) throws KernelException {
        try (var parent = parent(path)) {
            parent.symlink(nameOf(path), target);
        }
    }

    /// Makes `path` another name of the file `existing`, whose last name is not followed.
    public void link(String path, String existing) throws KernelException {
        try (var from = parent(existing); var parent = parent(path)) {
            parent.link(nameOf(path), from, nameOf(existing));
        }
    }

    /// Removes the file or link `path`, no directory.
    public void unlink(String path) throws KernelException {
        try (var parent = parent(path)) {
            parent.unlink(nameOf(path));
        }
    }

    /// Removes the empty directory `path`.
    public void rmdir(String path) throws KernelException {
        try (var parent = parent(path)) {
            parent.rmdir(nameOf(path));
        }
    }

    /// Removes `path` and everything below it, following no link and crossing no mount; nothing there is no error.
    public void deleteTree(String path) throws KernelException {
        try (var parent = parent(path)) {
            parent.deleteTree(nameOf(path));
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
    }

    /// All names in the directory that `path` leads to.
    public List<DirectoryEntry> list(String path) throws KernelException {
        try (var directory = directory(path)) {
            return directory.list();
        }
    }

    /// What a path leads to, and where that is, as [#resolve] says it.
    public record Found(FileStat stat, String path) {}

    /// [#find] and [#resolve] of one moment; empty when `path` leads nowhere.
    public Optional<Found> look(String path) throws KernelException {
        try (var node = open(path, Linux.O_PATH, 0)) {
            return Optional.of(new Found(Inodes.stat(node), resolved(node)));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Where `path` leads inside the tree once all links are resolved, absolute from the root. As true as the moment it
    /// is asked.
    public String resolve(String path) throws KernelException {
        try (var node = open(path, Linux.O_PATH, 0)) {
            return resolved(node);
        }
    }

    private String resolved(Fd node) throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            String top = target(frame, buffer, root);
            String there = target(frame, buffer, node);
            if (there.equals(top)) {
                return "/";
            }
            if (top.equals("/")) {
                return there;
            }
            return there.startsWith(top + "/") ? there.substring(top.length()) : there;
        }
    }

    private static String target(Frame frame, TransferBuffer buffer, Fd fd) throws KernelException {
        long bytes = frame.attempt(Syscall.READLINKAT, Linux.AT_FDCWD, frame.text(ProcFs.path(fd)).address(),
                buffer.address(), TransferBuffer.BYTES);
        Frame.checked(bytes, Syscall.READLINKAT, fd.subject());
        return NativeText.decode(buffer.memory().asSlice(0, bytes).toArray(JAVA_BYTE));
    }

    @Override
    public void close() {
        root.close();
    }
}
