package carafe.kernel;

import java.util.ArrayDeque;
import java.util.List;

/// Removes a tree of any depth with a handful of descriptors. Children are opened by name with RESOLVE_NO_XDEV and
/// without following links, so neither a link nor a mount leads out. A directory deeper than [#DEPTH] is first renamed
/// up into the directory the deletion began in and removed from there, so depth costs neither stack nor descriptors.
final class TreeDeletion {

    private static final int DEPTH = 32;
    private static final int OPEN_CHILD = Linux.O_PATH | Linux.O_DIRECTORY | Linux.O_NOFOLLOW;

    private final Directory top;
    private final ArrayDeque<String> lifted = new ArrayDeque<>();
    private final String prefix = ".deleting-" + ProcessHandle.current().pid() + "-" + System.nanoTime() + "-";
    private int liftedCount;

    TreeDeletion(Directory top) {
        this.top = top;
    }

    void delete(String name) throws KernelException {
        remove(top, name, FileType.UNKNOWN, 0);
        while (!lifted.isEmpty()) {
            remove(top, lifted.pop(), FileType.DIRECTORY, 0);
        }
    }

    private void remove(Directory parent, String name, FileType type, int depth) throws KernelException {
        if (type != FileType.DIRECTORY) {
            int errno = unlink(parent, name, 0);
            if (errno == 0 || errno == Errno.ENOENT) {
                return;
            }
            if (errno != Errno.EISDIR && errno != Errno.EPERM) { // EPERM: what POSIX has for directories
                throw new KernelException("unlinkat", name, errno);
            }
        }
        int errno = unlink(parent, name, Linux.AT_REMOVEDIR);
        if (errno == 0 || errno == Errno.ENOENT) {
            return;
        }
        if (errno != Errno.ENOTEMPTY && errno != Errno.EEXIST) {
            throw new KernelException("unlinkat", name, errno);
        }
        if (depth == DEPTH) {
            String parked = prefix + liftedCount++;
            parent.rename(name, top, parked, Linux.RENAME_NOREPLACE);
            lifted.push(parked);
            return;
        }
        empty(parent, name, depth);
        errno = unlink(parent, name, Linux.AT_REMOVEDIR);
        if (errno != 0 && errno != Errno.ENOENT) {
            throw new KernelException("unlinkat", name, errno);
        }
    }

    /// Removes what is in the directory; begins again as long as a pass found anything, because filesystems may skip
    /// names while others go.
    private void empty(Directory parent, String name, int depth) throws KernelException {
        var opening = new Opening(OPEN_CHILD, 0, Opening.NAME_ONLY | Linux.RESOLVE_NO_XDEV);
        try (var directory = Directory.adopt(opening.open(parent.fd().number(), name));
                var reader = new DirectoryReader(directory.fd())) {
            boolean found = true;
            while (found) {
                found = false;
                for (List<DirectoryEntry> batch = reader.next(); !batch.isEmpty(); batch = reader.next()) {
                    found = true;
                    for (var entry : batch) {
                        remove(directory, entry.name(), entry.type(), depth + 1);
                    }
                }
                reader.rewind();
            }
        }
    }

    /// @return 0 or the errno
    private static int unlink(Directory parent, String name, int flags) throws KernelException {
        try (var frame = new Frame()) {
            long rc = frame.attempt(Syscall.UNLINKAT, parent.fd().number(), frame.text(name).address(), flags);
            return (int) -rc;
        }
    }
}
