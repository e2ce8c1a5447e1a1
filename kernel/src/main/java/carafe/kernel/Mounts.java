package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Mounts, by descriptors where the kernel has a way (Linux 5.2 and later) and the old way besides. A detached mount is
/// a tree that only its descriptor reaches; it is gone with the descriptor unless [#move] has put it somewhere. Paths
/// given here are ours and trusted; what lies in a container's tree comes as a descriptor. None of it waits, but the
/// kernel may take milliseconds. Needs CAP_SYS_ADMIN.
public final class Mounts {

    private Mounts() {}

    /// A new detached mount of what `directory` or file shows, with all mounts below it if `recursive`; owned by the
    /// caller. Source: open_tree(2), OPEN_TREE_CLONE.
    /// @throws KernelException EINVAL it is unbindable, or not of our mount namespace
    public static Fd cloneTree(Fd of, boolean recursive) throws KernelException {
        return openTree(of.number(), "", cloneFlags(recursive) | Linux.AT_EMPTY_PATH, of.subject());
    }

    /// As the other, of a path of ours.
    public static Fd cloneTree(Path of, boolean recursive) throws KernelException {
        return openTree(Linux.AT_FDCWD, of.toString(), cloneFlags(recursive), of.toString());
    }

    private static int cloneFlags(boolean recursive) {
        return Linux.OPEN_TREE_CLONE | (recursive ? Linux.AT_RECURSIVE : 0);
    }

    private static Fd openTree(int directory, String path, int flags, String subject) throws KernelException {
        try (var frame = new Frame()) {
            long fd = frame.attempt(Syscall.OPEN_TREE, directory, frame.text(path).address(),
                    flags | Linux.OPEN_TREE_CLOEXEC);
            return Fd.adopt((int) Frame.checked(fd, Syscall.OPEN_TREE, subject), subject);
        }
    }

    /// Puts a detached mount onto the directory or file `target`; the descriptor goes on to name the mount.
    /// Source: move_mount(2).
    public static void move(Fd mount, Fd target) throws KernelException {
        move(mount, target.number(), "", Linux.MOVE_MOUNT_T_EMPTY_PATH, target.subject());
    }

    /// As the other, onto a path of ours.
    public static void move(Fd mount, Path target) throws KernelException {
        move(mount, Linux.AT_FDCWD, target.toString(), Linux.MOVE_MOUNT_T_SYMLINKS, target.toString());
    }

    private static void move(Fd mount, int directory, String path, int flags, String subject) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.MOVE_MOUNT, mount.number(), frame.text("").address(), directory,
                    frame.text(path).address(), flags | Linux.MOVE_MOUNT_F_EMPTY_PATH);
            Frame.checked(rc, Syscall.MOVE_MOUNT, subject);
        }
    }

    /// Changes attributes and propagation of a mount, and of all below it if `recursive`: all or none.
    /// Source: mount_setattr(2) (Linux 5.12).
    public static void change(Fd mount, MountChange change, boolean recursive) throws KernelException {
        setAttributes(mount, change, -1, recursive ? Linux.AT_RECURSIVE : 0);
    }

    /// Shows the owners of a mount as the user namespace behind `userNamespace` maps them; only before it is attached.
    /// @throws KernelException EINVAL the filesystem cannot; EPERM it is mapped already
    public static void mapOwners(Fd mount, Fd userNamespace) throws KernelException {
        var change = MountChange.setting(Linux.MOUNT_ATTR_IDMAP);
        setAttributes(mount, change, userNamespace.number(), 0);
    }

    private static void setAttributes(Fd mount, MountChange change, int userNamespace, int flags)
            throws KernelException {
        try (var frame = new Frame()) {
            var attr = frame.allocate(32, 8);
            attr.set(JAVA_LONG, 0, change.set());
            attr.set(JAVA_LONG, 8, change.clear());
            attr.set(JAVA_LONG, 16, change.propagation().map(MountChange.Propagation::flag).orElse(0));
            attr.set(JAVA_LONG, 24, Math.max(0, userNamespace));
            long rc = frame.attempt(Syscall.MOUNT_SETATTR, mount.number(), frame.text("").address(),
                    flags | Linux.AT_EMPTY_PATH, attr.address(), 32);
            Frame.checked(rc, Syscall.MOUNT_SETATTR, mount.subject());
        }
    }

    /// The old way: `source`, `fsType` and `data` may be empty. Source: mount(2).
    public static void mount(String source, Path target, String fsType, long flags, String data)
            throws KernelException { // the five of mount(2)
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.MOUNT, address(frame, source), frame.text(target.toString()).address(),
                    address(frame, fsType), flags, address(frame, data));
            Frame.checked(rc, Syscall.MOUNT, target);
        }
    }

    private static long address(Frame frame, @Nullable String text) throws KernelException {
        return text == null || text.isEmpty() ? 0 : frame.text(text).address();
    }

    /// Takes the mount off `target`, which is not followed when it is a link. Source: umount2(2).
    /// @throws KernelException EBUSY it is in use; EINVAL not a mount point
    public static void unmount(Path target) throws KernelException {
        unmount(target, Linux.UMOUNT_NOFOLLOW);
    }

    /// Takes the mount off `target` at once; open files stay usable. Source: umount2(2), MNT_DETACH.
    /// @throws KernelException EINVAL not a mount point
    public static void detach(Path target) throws KernelException {
        unmount(target, Linux.UMOUNT_NOFOLLOW | Linux.MNT_DETACH);
    }

    /// Takes `mount` off its place at once with all that is mounted in it; open files stay usable.
    /// Source: umount2(2), MNT_DETACH.
    /// @throws KernelException EINVAL it is not attached in our mount namespace
    public static void detach(Fd mount) throws KernelException {
        unmount(Path.of(ProcFs.path(mount)), Linux.MNT_DETACH);
    }

    private static void unmount(Path target, int flags) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.UMOUNT2, frame.text(target.toString()).address(), flags);
            Frame.checked(rc, Syscall.UMOUNT2, target);
        }
    }

    /// All mounts of our mount namespace in the order they were made.
    public static List<MountEntry> list() throws IOException {
        return parse(NativeText.decode(Files.readAllBytes(Path.of("/proc/self/mountinfo"))));
    }

    /// All mounts that process `pid` sees.
    public static List<MountEntry> list(long pid) throws IOException {
        return parse(NativeText.decode(Files.readAllBytes(Path.of("/proc/" + pid + "/mountinfo"))));
    }

    static List<MountEntry> parse(String mountinfo) throws IOException {
        var entries = new ArrayList<MountEntry>();
        for (String line : mountinfo.split("\n")) {
            if (line.isEmpty()) {
                continue;
            }
            String[] fields = line.split(" ", -1);
            int dash = 6;
            while (dash < fields.length && !fields[dash].equals("-")) {
                dash++;
            }
            if (dash + 3 >= fields.length) {
                throw new IOException("not a line of mountinfo: " + line);
            }
            entries.add(new MountEntry(Integer.parseInt(fields[0]), Integer.parseInt(fields[1]), fields[2],
                    unescaped(fields[3]), unescaped(fields[4]), fields[5],
                    String.join(" ", List.of(fields).subList(6, dash)),
                    unescaped(fields[dash + 1]), unescaped(fields[dash + 2]), unescaped(fields[dash + 3])));
        }
        return entries;
    }

    /// The kernel writes blanks, tabs, line ends and backslashes as three octal digits.
    private static String unescaped(String field) {
        if (field.indexOf('\\') < 0) {
            return field;
        }
        var text = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            if (field.charAt(i) == '\\' && i + 3 < field.length()) {
                text.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                text.append(field.charAt(i));
            }
        }
        return text.toString();
    }
}
