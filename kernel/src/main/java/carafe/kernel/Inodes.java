package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Metadata of one inode by its borrowed descriptor, which may be an O_PATH one (of a symbolic link, a device). Nothing
/// here resolves a name. None of it blocks beyond the disk.
public final class Inodes {

    /// The kernel's bound on one attribute's value and on the list of names (XATTR_SIZE_MAX, XATTR_LIST_MAX).
    private static final int XATTR_LIMIT_BYTES = 65_536;

    static final int STATX_BYTES = 256;
    static final long STATX_MASK = Linux.STATX_BASIC_STATS | Linux.STATX_MNT_ID;

    private Inodes() {}

    /// What the kernel says of the inode. Source: statx(2).
    public static FileStat stat(Fd fd) throws KernelException {
        try (var frame = new Frame()) {
            return stat(frame, fd.number(), "", Linux.AT_EMPTY_PATH, fd.subject());
        }
    }

    /// Whether the descriptor is of the root of a mount. Source: statx(2), STATX_ATTR_MOUNT_ROOT (Linux 5.8).
    public static boolean isMountRoot(Fd fd) throws KernelException {
        try (var frame = new Frame()) {
            var out = statx(frame, fd.number(), "", Linux.AT_EMPTY_PATH, fd.subject());
            return (out.get(JAVA_LONG, 8) & Linux.STATX_ATTR_MOUNT_ROOT) != 0;
        }
    }

    static FileStat stat(Frame frame, int directory, String name, int flags, String subject) throws KernelException {
        return decode(statx(frame, directory, name, flags, subject));
    }

    private static MemorySegment statx(Frame frame, int directory, String name, int flags, String subject)
            throws KernelException {
        var out = frame.allocate(STATX_BYTES, 8);
        long rc = frame.attempt(Syscall.STATX, directory, frame.text(name).address(),
                flags | Linux.AT_NO_AUTOMOUNT, STATX_MASK, out.address());
        Frame.checked(rc, Syscall.STATX, subject);
        return out;
    }

    /// Offsets of `struct statx`, the same on every machine.
    static FileStat decode(MemorySegment statx) {
        int mode = Short.toUnsignedInt(statx.get(JAVA_SHORT, 28));
        return new FileStat(FileType.ofMode(mode), mode & 07777,
                statx.get(JAVA_INT, 20), statx.get(JAVA_INT, 24),
                statx.get(JAVA_LONG, 40),
                (statx.get(JAVA_INT, 136) & 0xFFFFFFFFL) << 32 | statx.get(JAVA_INT, 140) & 0xFFFFFFFFL,
                statx.get(JAVA_LONG, 32), statx.get(JAVA_INT, 16),
                statx.get(JAVA_INT, 128), statx.get(JAVA_INT, 132),
                statx.get(JAVA_LONG, 112), statx.get(JAVA_INT, 120),
                statx.get(JAVA_LONG, 96), statx.get(JAVA_INT, 104),
                statx.get(JAVA_LONG, 48), statx.get(JAVA_LONG, 144));
    }

    /// The kind of filesystem the inode is on, one of `*_SUPER_MAGIC`. Source: fstatfs(2).
    public static long filesystem(Fd fd) throws KernelException {
        try (var frame = new Frame()) {
            var statfs = frame.allocate(120, 8);
            long rc = frame.attempt(Syscall.FSTATFS, fd.number(), statfs.address());
            Frame.checked(rc, Syscall.FSTATFS, fd.subject());
            return statfs.get(JAVA_LONG, 0);
        }
    }

    /// Gives the inode to `uid`:`gid`; -1 leaves one as it is. The kernel clears set-id bits: change the mode after the
    /// owner. Source: fchownat(2).
    public static void chown(Fd fd, int uid, int gid) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.FCHOWNAT, fd.number(), frame.text("").address(), uid, gid,
                    Linux.AT_EMPTY_PATH);
            Frame.checked(rc, Syscall.FCHOWNAT, fd.subject());
        }
    }

    /// Sets the permission, set-id and sticky bits. Source: fchmod(2), and by way of /proc for an O_PATH descriptor.
    /// @throws KernelException EOPNOTSUPP a symbolic link, which has no mode
    public static void chmod(Fd fd, int mode) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.FCHMOD, fd.number(), mode);
            if (rc == -Errno.EBADF && fd.isOpen()) { // O_PATH
                if (stat(fd).isSymlink()) {
                    throw new KernelException("fchmod", fd.subject(), Errno.EOPNOTSUPP);
                }
                rc = frame.attempt(Syscall.FCHMODAT, Linux.AT_FDCWD, frame.text(ProcFs.path(fd)).address(), mode);
            }
            Frame.checked(rc, Syscall.FCHMOD, fd.subject());
        }
    }

    /// Sets when the content was last changed (and last read, to the same). Source: utimensat(2).
    public static void setModified(Fd fd, long seconds, int nanos) throws KernelException {
        try (var frame = new Frame()) {
            setModified(frame, new Target(fd.number(), "", Linux.AT_EMPTY_PATH, fd.subject()), seconds, nanos);
        }
    }

    /// One inode as the `*at` calls name it; `subject` is for messages.
    record Target(int directory, String name, int flags, String subject) {}

    static void setModified(Frame frame, Target target, long seconds, int nanos) throws KernelException {
        var times = frame.allocate(32, 8);
        for (int i = 0; i < 2; i++) {
            times.set(JAVA_LONG, 16L * i, seconds);
            times.set(JAVA_LONG, 16L * i + 8, nanos);
        }
        long rc = frame.attempt(Syscall.UTIMENSAT, target.directory, frame.text(target.name).address(),
                times.address(), target.flags);
        Frame.checked(rc, Syscall.UTIMENSAT, target.subject);
    }

    /// Sets an extended attribute, `security.capability` or `user.x`. Source: setxattr(2).
    /// @throws KernelException EOPNOTSUPP the filesystem has none of that kind
    public static void setXattr(Fd fd, String name, byte[] value) throws KernelException {
        try (var frame = new Frame()) {
            var nameText = frame.text(name);
            var content = frame.bytes(value);
            long rc = frame.attempt(Syscall.FSETXATTR, fd.number(), nameText.address(), content.address(),
                    value.length, 0);
            if (rc == -Errno.EBADF && fd.isOpen()) { // O_PATH: the magic link leads to the inode itself, link or not
                rc = frame.attempt(Syscall.SETXATTR, frame.text(ProcFs.path(fd)).address(), nameText.address(),
                        content.address(), value.length, 0);
            }
            Frame.checked(rc, Syscall.SETXATTR, fd.subject() + " " + name);
        }
    }

    /// The value of an extended attribute; empty when there is none of that name or kind. Source: getxattr(2).
    public static Optional<byte[]> xattr(Fd fd, String name) throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            long bytes = frame.attempt(Syscall.GETXATTR, frame.text(ProcFs.path(fd)).address(),
                    frame.text(name).address(), buffer.address(), XATTR_LIMIT_BYTES);
            if (bytes == -Errno.ENODATA || bytes == -Errno.EOPNOTSUPP) {
                return Optional.empty();
            }
            Frame.checked(bytes, Syscall.GETXATTR, fd.subject() + " " + name);
            return Optional.of(buffer.memory().asSlice(0, bytes).toArray(JAVA_BYTE));
        }
    }

    /// The value of an extended attribute of what has the name `path` now, links followed; empty when there is none of that
    /// name or kind, or no such file. Source: getxattr(2).
    public static Optional<byte[]> xattr(String path, String name) throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            long bytes = frame.attempt(Syscall.GETXATTR, frame.text(path).address(), frame.text(name).address(),
                    buffer.address(), XATTR_LIMIT_BYTES);
            if (bytes == -Errno.ENODATA || bytes == -Errno.EOPNOTSUPP || bytes == -Errno.ENOENT) {
                return Optional.empty();
            }
            Frame.checked(bytes, Syscall.GETXATTR, path + " " + name);
            return Optional.of(buffer.memory().asSlice(0, bytes).toArray(JAVA_BYTE));
        }
    }

    /// The names of all extended attributes we may see. Source: listxattr(2).
    public static List<String> xattrs(Fd fd) throws KernelException {
        try (var frame = new Frame(); var buffer = TransferBuffer.borrow()) {
            long bytes = frame.attempt(Syscall.LISTXATTR, frame.text(ProcFs.path(fd)).address(), buffer.address(),
                    XATTR_LIMIT_BYTES);
            if (bytes == -Errno.EOPNOTSUPP) {
                return List.of();
            }
            Frame.checked(bytes, Syscall.LISTXATTR, fd.subject());
            byte[] all = buffer.memory().asSlice(0, bytes).toArray(JAVA_BYTE);
            var names = new ArrayList<String>();
            int start = 0;
            for (int i = 0; i < all.length; i++) {
                if (all[i] == 0) {
                    names.add(NativeText.decode(all, start, i - start));
                    start = i + 1;
                }
            }
            return List.copyOf(names);
        }
    }

    /// Removes an extended attribute; one that is not there is no error. Source: removexattr(2).
    public static void removeXattr(Fd fd, String name) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.REMOVEXATTR, frame.text(ProcFs.path(fd)).address(),
                    frame.text(name).address());
            if (rc != -Errno.ENODATA) {
                Frame.checked(rc, Syscall.REMOVEXATTR, fd.subject() + " " + name);
            }
        }
    }
}
