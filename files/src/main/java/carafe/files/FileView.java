package carafe.files;

import carafe.kernel.Directory;
import carafe.kernel.Errno;
import carafe.kernel.Fd;
import carafe.kernel.FileIdentity;
import carafe.kernel.FileStat;
import carafe.kernel.FileTree;
import carafe.kernel.FileType;
import carafe.kernel.Inodes;
import carafe.kernel.KernelException;
import carafe.kernel.Linux;
import carafe.kernel.MountNamespace;
import carafe.spec.EngineException;
import carafe.spec.docker.PathStat;
import carafe.spec.oci.IdMaps;
import carafe.spec.tar.SentTar;
import carafe.spec.tar.TarWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/// The files of one container as its processes see them, until [#close]. Owns its descriptors and, for a container that
/// does not run, the mounts that put its root together; no one else sees those.
public final class FileView implements AutoCloseable {

    private static final int LINKS = 40;
    private static final int SMALL_FILE_BYTES = 1 << 20;

    private final FileTree tree;
    private final String container;
    private final Optional<MountNamespace> namespace;
    private final Users users;

    /// Whose ids the files have as they are seen here, and who may make more of them: the root of these users.
    record Users(IdMaps ids, Optional<FileIdentity> root) {
        static final Users HOST = new Users(IdMaps.NONE, Optional.empty());
    }

    FileView(FileTree tree, String container, Optional<MountNamespace> namespace, Users users) {
        this.tree = tree;
        this.container = container;
        this.namespace = namespace;
        this.users = users;
    }

    /// What is at `path`; a symbolic link itself, unless the path ends in a slash.
    public PathStat stat(String path) throws EngineException {
        var inside = InsidePath.of(path);
        try (var directory = tree.directory(inside.directory())) {
            if (inside.isDirectory()) {
                return describe(Inodes.stat(directory.fd()), inside.name(), "");
            }
            var stat = directory.stat(inside.base());
            return describe(stat, inside.name(), stat.isSymlink() ? target(inside.toString()) : "");
        } catch (KernelException e) {
            throw failure("looking at", path, e);
        }
    }

    /// Writes what is at `path` as a tar whose names begin with the path's last name.
    public void pack(String path, OutputStream out) throws EngineException, IOException {
        var inside = InsidePath.of(path);
        Directory opened;
        try {
            opened = tree.directory(inside.directory());
        } catch (KernelException e) {
            throw failure("reading", path, e);
        }
        try (opened) {
            var tar = new TarWriter(out);
            var packer = new TreePacker(tar, users.ids);
            if (inside.isDirectory()) {
                packer.directory(opened, inside.name().equals("/") ? "." : inside.name());
            } else {
                packer.child(opened, inside.base(), inside.base());
            }
            tar.finish();
        } catch (KernelException e) {
            throw failure("reading", path, e);
        }
    }

    /// Unpacks a tar, plain or compressed, below the directory that `path` leads to.
    public void unpack(String path, SentTar archive, Unpacking how) throws EngineException, IOException {
        var mapped = how.in(users.ids);
        if (users.root.isEmpty()) {
            unpackHere(path, archive, mapped);
            return;
        }
        var failure = users.root.get().call(() -> {
            try {
                unpackHere(path, archive, mapped);
                return Optional.<EngineException>empty();
            } catch (EngineException e) {
                return Optional.of(e);
            }
        });
        if (failure.isPresent()) {
            throw failure.get();
        }
    }

    private void unpackHere(String path, SentTar archive, Unpacking how) throws EngineException, IOException {
        var inside = InsidePath.of(path);
        try {
            String there = inside.toString();
            if (!tree.stat(there).isDirectory()) {
                throw new EngineException.Invalid("extraction point is not a directory");
            }
            PlainTar.read(archive, tar -> new TreeUnpacker(tree, tree.resolve(there), how).all(tar));
        } catch (KernelException e) {
            if (e.is(Errno.EROFS)) {
                throw readOnly(inside);
            }
            throw failure("writing to", path, e);
        }
    }

    /// The content of the small regular file that `path` leads to; empty when there is none.
    public Optional<byte[]> content(String path) throws EngineException {
        try {
            return Optional.of(tree.readFile(path, SMALL_FILE_BYTES));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.EISDIR, Errno.EINVAL, Errno.ELOOP)) {
                return Optional.empty();
            }
            throw Trouble.of("cannot read " + path + " in container " + container, e);
        }
    }

    private EngineException readOnly(InsidePath inside) throws EngineException {
        try (Fd node = tree.open(inside.toString(), Linux.O_PATH, 0)) {
            boolean root = Inodes.stat(node).mountId() == Inodes.stat(tree.root()).mountId();
            return new EngineException.Forbidden(
                    root ? "container rootfs is marked read-only" : "mounted volume is marked read-only");
        } catch (KernelException e) {
            throw Trouble.of("cannot look at " + inside + " in container " + container, e);
        }
    }

    private EngineException failure(String doing, String path, KernelException e) {
        if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
            return new EngineException.NotFound("Could not find the file " + path + " in container " + container);
        }
        if (e.is(Errno.ENAMETOOLONG, Errno.EINVAL)) {
            return new EngineException.Invalid(doing + " " + path + " in container " + container + ": " + e.reason());
        }
        return Trouble.of(doing + " " + path + " in container " + container, e);
    }

    private static PathStat describe(FileStat stat, String name, String target) {
        long mode = stat.mode() & 0777;
        mode |= (stat.mode() & 04000) != 0 ? PathStat.SETUID : 0;
        mode |= (stat.mode() & 02000) != 0 ? PathStat.SETGID : 0;
        mode |= (stat.mode() & 01000) != 0 ? PathStat.STICKY : 0;
        mode |= switch (stat.type()) {
            case DIRECTORY -> PathStat.DIRECTORY;
            case SYMLINK -> PathStat.SYMLINK;
            case CHARACTER_DEVICE -> PathStat.DEVICE | PathStat.CHARACTER_DEVICE;
            case BLOCK_DEVICE -> PathStat.DEVICE;
            case FIFO -> PathStat.NAMED_PIPE;
            case SOCKET -> PathStat.SOCKET;
            case REGULAR, UNKNOWN -> 0;
        };
        return new PathStat(name, stat.sizeBytes(), mode, stat.modified(), target);
    }

    /// Where a link leads in the end, also when nothing is there.
    private String target(String link) throws KernelException {
        String path = link;
        for (int i = 0; i < LINKS; i++) {
            try {
                return tree.resolve(path);
            } catch (KernelException e) {
                if (!e.is(Errno.ENOENT, Errno.ENOTDIR)) {
                    return e.is(Errno.ELOOP) ? path : fail(e);
                }
            }
            int cut = path.lastIndexOf('/') + 1;
            var there = find(path);
            if (there.isEmpty() || there.get().type() != FileType.SYMLINK) {
                return path;
            }
            String next = tree.readLink(path);
            var clean = InsidePath.of(next.startsWith("/") ? next : path.substring(0, cut) + next);
            path = clean.base().isEmpty() || clean.base().equals(".") ? clean.directory() : clean.toString();
        }
        return path;
    }

    private static String fail(KernelException e) throws KernelException {
        throw e;
    }

    private Optional<FileStat> find(String path) throws KernelException {
        try {
            return Optional.of(tree.lstat(path));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public void close() {
        tree.close();
        namespace.ifPresent(MountNamespace::close);
        users.root.ifPresent(FileIdentity::close);
    }
}
