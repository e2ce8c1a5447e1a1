package carafe.build.tree;

import java.util.Map;
import java.util.Optional;

/// One file of a tree as it is itself (a link is not followed). `path` has no slash at either end, `""` is the root;
/// `size` is a regular file's length, `target` what a symbolic link holds, `inode` which regular file it is where that may
/// have other names in the tree.
public record Node(String path, Type type, Owner owner, int mode, long size, Time modified, String target,
        Map<String, byte[]> xattrs, Optional<Inode> inode) {

    /// One that has no other names.
    public Node(String path, Type type, Owner owner, int mode, long size, Time modified, String target,
            Map<String, byte[]> xattrs) {
        this(path, type, owner, mode, size, modified, target, xattrs, Optional.empty());
    }

    /// What kind of file it is; devices, FIFOs and sockets are `SPECIAL`.
    public enum Type { FILE, DIRECTORY, SYMLINK, SPECIAL }

    /// Whom it belongs to.
    public record Owner(int uid, int gid) {
        /// root:root
        public static final Owner ROOT = new Owner(0, 0);
    }

    /// A moment since 1970.
    public record Time(long seconds, int nanos) {}

    /// What all names of one file have in common.
    public record Inode(long device, long number) {}

    /// The last name of the path.
    public String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /// Whether it is a directory itself.
    public boolean isDirectory() {
        return type == Type.DIRECTORY;
    }

    /// The same at another place.
    public Node at(String other) {
        return new Node(other, type, owner, mode, size, modified, target, xattrs, inode);
    }

    /// The same for another owner.
    public Node ownedBy(Owner other) {
        boolean same = other == owner || other.equals(owner);
        return same ? this : new Node(path, type, other, mode, size, modified, target, xattrs, inode);
    }

    /// The same with other permission bits.
    public Node withMode(int other) {
        return new Node(path, type, owner, other, size, modified, target, xattrs, inode);
    }

    /// The same with another time.
    public Node changedAt(Time time) {
        return new Node(path, type, owner, mode, size, time, target, xattrs, inode);
    }

    /// The same as a name of `file`.
    public Node named(Inode file) {
        return new Node(path, type, owner, mode, size, modified, target, xattrs, Optional.of(file));
    }

    /// A directory without anything special.
    public static Node directory(String path, Owner owner, int mode, Time modified) {
        return new Node(path, Type.DIRECTORY, owner, mode, 0, modified, "", Map.of());
    }
}
