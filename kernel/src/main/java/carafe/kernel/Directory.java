package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One directory by its descriptor, and operations on single names in it. A name holds no `/` and is not `.` or `..`;
/// no operation follows a symbolic link or leaves the directory, so names may come from the worst of tars. Modes are
/// exact: the process's umask takes nothing away. Owns its descriptor.
public final class Directory implements AutoCloseable {

    private static final int NOFOLLOW = Linux.AT_SYMLINK_NOFOLLOW;

    private final Fd fd;

    private Directory(Fd fd) {
        this.fd = fd;
    }

    /// Takes ownership of `fd`, an open directory (O_PATH will do).
    public static Directory adopt(Fd fd) {
        return new Directory(fd);
    }

    /// The directory that has the name `path` now, resolved as usual.
    public static Directory open(String path) throws KernelException {
        return adopt(Opening.trusted(Linux.O_PATH | Linux.O_DIRECTORY).open(Linux.AT_FDCWD, path));
    }

    /// Is shown names in a directory and what they stand for.
    @FunctionalInterface
    public interface Visitor {

        /// A name, never `.` or `..`.
        void entry(String name, FileStat stat) throws IOException;
    }

    /// The descriptor, borrowed.
    public Fd fd() {
        return fd;
    }

    /// Opens `name` with `O_*` flags; a symbolic link answers ELOOP unless O_PATH|O_NOFOLLOW ask for the link itself.
    /// Opening a device has effects and a FIFO blocks: look with [#find] first where the content is not ours.
    public Fd open(String name, int flags) throws KernelException {
        return Opening.nameOnly(flags, 0).open(fd.number(), checked(name));
    }

    /// An O_PATH descriptor of `name` itself, whatever it is.
    public Fd node(String name) throws KernelException {
        return open(name, Linux.O_PATH | Linux.O_NOFOLLOW);
    }

    /// Opens the regular file `name` with `O_*` flags; a device or FIFO is not even touched.
    /// @throws KernelException EISDIR a directory; ELOOP a symbolic link; EINVAL something else
    public Fd openRegular(String name, int flags) throws KernelException {
        try (var node = node(name)) {
            var type = Inodes.stat(node).type();
            switch (type) {
                case REGULAR -> {
                    return Opening.trusted(flags).open(Linux.AT_FDCWD, ProcFs.path(node));
                }
                case DIRECTORY -> throw new KernelException("open", name, Errno.EISDIR);
                case SYMLINK -> throw new KernelException("open", name, Errno.ELOOP);
                default -> throw new KernelException("open", name, Errno.EINVAL, "not a regular file");
            }
        }
    }

    /// The directory `name`.
    /// @throws KernelException ENOTDIR or ELOOP it is something else
    public Directory directory(String name) throws KernelException {
        return adopt(open(name, Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_NOFOLLOW));
    }

    /// Makes the regular file `name` and opens it for reading and writing.
    /// @throws KernelException EEXIST the name is taken, by a dangling link as well
    public Fd create(String name, int mode) throws KernelException {
        int flags = Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL | Linux.O_NOFOLLOW;
        var file = Opening.nameOnly(flags, mode & 07777).open(fd.number(), checked(name));
        try {
            if ((mode & Umask.BITS) != 0) {
                Inodes.chmod(file, mode);
            }
            return file;
        } catch (KernelException e) {
            file.close();
            throw e;
        }
    }

    /// Makes the directory `name`. Source: mkdirat(2).
    /// @throws KernelException EEXIST the name is taken
    public void mkdir(String name, int mode) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.MKDIRAT, fd.number(), frame.text(checked(name)).address(), mode & 01777);
            Frame.checked(rc, Syscall.MKDIRAT, name);
        }
        if ((mode & (Umask.BITS | 06000)) != 0) {
            chmod(name, mode);
        }
    }

    /// Makes a device node, FIFO or socket. Source: mknodat(2).
    /// @throws KernelException EPERM no CAP_MKNOD
    public void mknod(String name, FileType type, int mode, int major, int minor) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.MKNODAT, fd.number(), frame.text(checked(name)).address(),
                    type.bits() | mode & 07777, DeviceNumber.of(major, minor));
            Frame.checked(rc, Syscall.MKNODAT, name);
        }
        if ((mode & Umask.BITS) != 0) {
            chmod(name, mode);
        }
    }

    /// Makes `name` a symbolic link to `target`, which may be any text. Source: symlinkat(2).
    public void symlink(String name, String target) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.SYMLINKAT, frame.text(target).address(), fd.number(),
                    frame.text(checked(name)).address());
            Frame.checked(rc, Syscall.SYMLINKAT, name);
        }
    }

    /// Makes `name` another name of the inode `existing` in `from`, of a symbolic link itself too. Source: linkat(2).
    public void link(String name, Directory from, String existing) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.LINKAT, from.fd.number(), frame.text(checked(existing)).address(),
                    fd.number(), frame.text(checked(name)).address(), 0);
            Frame.checked(rc, Syscall.LINKAT, name);
        }
    }

    /// Gives the inode `name` the name `newName` in `to`, replacing what is there unless `flags` has RENAME_NOREPLACE.
    /// Source: renameat2(2).
    public void rename(String name, Directory to, String newName, int flags) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.RENAMEAT2, fd.number(), frame.text(checked(name)).address(),
                    to.fd.number(), frame.text(checked(newName)).address(), flags);
            Frame.checked(rc, Syscall.RENAMEAT2, name);
        }
    }

    /// What `name` itself is.
    public FileStat stat(String name) throws KernelException {
        try (var frame = new Frame()) {
            return Inodes.stat(frame, fd.number(), checked(name), NOFOLLOW, name);
        }
    }

    /// What `name` itself is; empty when there is none.
    public Optional<FileStat> find(String name) throws KernelException {
        try {
            return Optional.of(stat(name));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// What the symbolic link `name` holds. Source: readlinkat(2).
    /// @throws KernelException EINVAL it is no link
    public String readLink(String name) throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            long bytes = frame.attempt(Syscall.READLINKAT, fd.number(), frame.text(checked(name)).address(),
                    buffer.address(), TransferBuffer.BYTES);
            Frame.checked(bytes, Syscall.READLINKAT, name);
            return NativeText.decode(buffer.memory().asSlice(0, bytes).toArray(JAVA_BYTE));
        }
    }

    /// Gives `name` itself to `uid`:`gid`; -1 leaves one as it is. Before [#chmod]: the kernel clears set-id bits.
    public void chown(String name, int uid, int gid) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.FCHOWNAT, fd.number(), frame.text(checked(name)).address(), uid, gid,
                    NOFOLLOW);
            Frame.checked(rc, Syscall.FCHOWNAT, name);
        }
    }

    /// Sets the mode bits of `name`. Source: fchmodat2(2) (Linux 6.6), else by an O_PATH descriptor.
    /// @throws KernelException EOPNOTSUPP it is a symbolic link, which has no mode
    public void chmod(String name, int mode) throws KernelException {
        if (Features.has(Features.FCHMODAT2)) {
            try (var frame = new Frame()) {
                long rc = frame.attempt(Syscall.FCHMODAT2, fd.number(), frame.text(checked(name)).address(), mode,
                        NOFOLLOW);
                Frame.checked(rc, Syscall.FCHMODAT2, name);
            }
        } else {
            try (var node = node(name)) {
                Inodes.chmod(node, mode);
            }
        }
    }

    /// Sets when the content of `name` itself was last changed.
    public void setModified(String name, long seconds, int nanos) throws KernelException {
        try (var frame = new Frame()) {
            Inodes.setModified(frame, new Inodes.Target(fd.number(), checked(name), NOFOLLOW, name), seconds, nanos);
        }
    }

    /// Sets an extended attribute of `name` itself. Source: setxattr(2).
    public void setXattr(String name, String attribute, byte[] value) throws KernelException {
        try (var node = node(name)) {
            Inodes.setXattr(node, attribute, value);
        }
    }

    /// Removes `name`, which is no directory. Source: unlinkat(2).
    public void unlink(String name) throws KernelException {
        remove(name, 0);
    }

    /// Removes the empty directory `name`.
    /// @throws KernelException ENOTEMPTY it is not; EBUSY something is mounted on it
    public void rmdir(String name) throws KernelException {
        remove(name, Linux.AT_REMOVEDIR);
    }

    private void remove(String name, int flags) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.UNLINKAT, fd.number(), frame.text(checked(name)).address(), flags);
            Frame.checked(rc, Syscall.UNLINKAT, name);
        }
    }

    /// Removes `name` and everything below it; nothing there is no error. Links are removed, not followed.
    /// @throws KernelException EXDEV or EBUSY something is mounted below; what is mounted stays untouched
    public void deleteTree(String name) throws KernelException {
        new TreeDeletion(this).delete(checked(name));
    }

    /// All names here with their types, in no order. The whole list is kept in memory.
    public List<DirectoryEntry> list() throws KernelException {
        var all = new ArrayList<DirectoryEntry>();
        try (var reader = new DirectoryReader(fd)) {
            for (var batch = reader.next(); !batch.isEmpty(); batch = reader.next()) {
                all.addAll(batch);
            }
        }
        return all;
    }

    /// Shows all names here with what the kernel says of each, in no order; links are not followed, and what is gone
    /// meanwhile is left out. For who wants to know of thousands: [#list] and [#stat] ask and keep more.
    public void visit(Visitor visitor) throws IOException {
        try (var reader = new DirectoryReader(fd)) {
            while (reader.next(visitor)) {
                continue;
            }
        }
    }

    static String checked(String name) throws KernelException {
        if (name.isEmpty() || name.equals(".") || name.equals("..") || name.indexOf('/') >= 0) {
            throw new KernelException("name", "\"" + name + "\"", Errno.EINVAL, "not the name of a single file");
        }
        return name;
    }

    @Override
    public void close() {
        fd.close();
    }
}
