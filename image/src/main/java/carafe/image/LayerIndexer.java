package carafe.image;

import carafe.image.LayerTree.Attributes;
import carafe.image.LayerTree.Xattr;
import carafe.kernel.Linux;
import carafe.kernel.NativeText;
import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Puts the members of a layer's tar into a [LayerTree], in the form overlayfs wants, by the same rules as
/// [LayerWriter] on a real filesystem: AUFS whiteouts become character devices 0:0, opaque marks an attribute; symbolic
/// links in parents lead to where they lead inside the layer; of members with the same name the last stays, a directory
/// met again is kept; a hard link is to what the layer has. Nothing here touches a file.
///
/// A directory that nobody listed gets the time of the member that implied it. Not for several threads.
/// Source: OCI image-spec layer.md; overlayfs.rst "whiteouts and opaque".
final class LayerIndexer {

    private static final int MAX_NAME_BYTES = 255;
    private static final int MAX_LINKS = 40;
    private static final int MAX_XATTR_BYTES = 65_535;
    private static final int IMPLIED_MODE = 0755;
    private static final long MAX_FILE_BYTES = 16L << 40;
    private static final Map<String, Integer> PREFIXES =
            Map.of("system.posix_acl_access", 2, "system.posix_acl_default", 3, "user.", 1, "security.", 6);

    private final LayerTree tree;
    private final long maxEntries;
    private int whiteout = LayerTree.NONE;
    private long entries;
    private long fileBytes;

    /// Adds to `tree`; more than `maxEntries` members are refused.
    LayerIndexer(LayerTree tree, long maxEntries) {
        this.tree = tree;
        this.maxEntries = maxEntries;
    }

    /// How many members were added.
    long entries() {
        return entries;
    }

    /// The lengths of all files added, holes included.
    long fileBytes() {
        return fileBytes;
    }

    /// Adds one member, whose stored data begin at `data` of the tar.
    void add(TarEntry entry, long data) throws EngineException.Invalid {
        if (++entries > maxEntries) {
            throw new EngineException.Invalid("layer has more than " + maxEntries + " files");
        }
        var names = LayerNames.parts(entry.name(), entry);
        if (names.isEmpty()) {
            root(entry);
            return;
        }
        String name = names.getLast();
        var parents = names.subList(0, names.size() - 1);
        if (name.startsWith(LayerNames.WHITEOUT)) {
            whiteout(parents, name, entry);
        } else if (parents.stream().noneMatch(parent -> parent.startsWith(LayerNames.AUFS))) {
            make(parents, name, entry, data);
        }
    }

    private void root(TarEntry entry) throws EngineException.Invalid {
        if (entry.type() != TarEntry.Type.DIRECTORY) {
            throw new EngineException.Invalid("cannot unpack \"" + entry.name()
                    + "\": the layer's root is a directory");
        }
        tree.set(LayerTree.ROOT, attributes(entry, Linux.S_IFDIR));
        addXattrs(LayerTree.ROOT, entry);
    }

    private static Attributes attributes(TarEntry entry, int type) {
        return new Attributes(type | entry.mode(), (int) entry.uid(), (int) entry.gid(), entry.mtimeSeconds(),
                entry.mtimeNanos());
    }

    private void make(List<String> parents, String name, TarEntry entry, long data) throws EngineException.Invalid {
        int parent = enter(parents, entry, true);
        byte[] bytes = bytes(name, entry);
        switch (entry.type()) {
            case DIRECTORY -> directory(parent, bytes, entry);
            case HARD_LINK -> link(parent, bytes, parents, entry);
            case FILE -> tree.put(parent, bytes, file(entry, data));
            case SYMLINK -> tree.put(parent, bytes, symlink(entry));
            case CHAR_DEVICE -> tree.put(parent, bytes, device(entry, Linux.S_IFCHR));
            case BLOCK_DEVICE -> tree.put(parent, bytes, device(entry, Linux.S_IFBLK));
            case FIFO -> tree.put(parent, bytes, tree.plain(attributes(entry, Linux.S_IFIFO)));
        }
    }

    private int file(TarEntry entry, long data) throws EngineException.Invalid {
        if (entry.size() > MAX_FILE_BYTES) {
            throw LayerNames.refused(entry, "file too large");
        }
        fileBytes += entry.size();
        var attributes = attributes(entry, Linux.S_IFREG);
        boolean whole = entry.storedBytes() == entry.size();
        int inode = whole
                ? tree.file(attributes, entry.size(), data)
                : tree.sparse(attributes, entry.size(), new LayerTree.Sparse(data, entry.extents()));
        addXattrs(inode, entry);
        return inode;
    }

    private int symlink(TarEntry entry) throws EngineException.Invalid {
        LayerNames.checkTarget(entry);
        return tree.symlink(attributes(entry, Linux.S_IFLNK), NativeText.encode(entry.linkName()));
    }

    private int device(TarEntry entry, int type) throws EngineException.Invalid {
        int major = entry.deviceMajor();
        int minor = entry.deviceMinor();
        if (major > 0xFFF) {
            throw LayerNames.refused(entry, "invalid argument");
        }
        return tree.device(attributes(entry, type), minor & 0xFF | major << 8 | (minor & ~0xFF) << 12);
    }

    private void directory(int parent, byte[] name, TarEntry entry) throws EngineException.Invalid {
        int existing = tree.find(parent, name);
        int directory;
        if (existing != LayerTree.NONE && tree.is(existing, Linux.S_IFDIR)) {
            directory = existing;
            tree.set(existing, attributes(entry, Linux.S_IFDIR));
        } else {
            directory = tree.plain(attributes(entry, Linux.S_IFDIR));
            tree.put(parent, name, directory);
            if (isWhiteout(existing)) {
                tree.makeOpaque(directory); // what lower layers have stays hidden
            }
        }
        addXattrs(directory, entry);
    }

    private void link(int parent, byte[] name, List<String> parents, TarEntry entry) throws EngineException.Invalid {
        var target = LayerNames.parts(entry.linkName(), entry);
        if (target.isEmpty()) {
            throw new EngineException.Invalid("cannot unpack \"" + entry.name() + "\": a hard link to the root");
        }
        var targetParents = target.subList(0, target.size() - 1);
        byte[] targetName = bytes(target.getLast(), entry);
        if (targetParents.equals(parents) && java.util.Arrays.equals(targetName, name)) {
            return; // a link to itself
        }
        int inode = tree.find(enter(targetParents, entry, false), targetName);
        if (inode == LayerTree.NONE) {
            throw LayerNames.refused(entry, "no such file or directory");
        }
        if (tree.is(inode, Linux.S_IFDIR)) {
            throw LayerNames.refused(entry, "operation not permitted");
        }
        tree.put(parent, name, inode);
    }

    private void whiteout(List<String> parents, String name, TarEntry entry) throws EngineException.Invalid {
        if (name.equals(LayerNames.OPAQUE)) {
            tree.makeOpaque(enter(parents, entry, true));
            return;
        }
        if (name.startsWith(LayerNames.AUFS)) {
            return; // AUFS's own book-keeping
        }
        byte[] hidden = bytes(LayerNames.hidden(name), entry);
        int parent = enter(parents, entry, true);
        int existing = tree.find(parent, hidden);
        if (existing == LayerTree.NONE) {
            if (whiteout == LayerTree.NONE) {
                whiteout = tree.device(new Attributes(Linux.S_IFCHR, 0, 0, 0, 0), 0);
            }
            tree.put(parent, hidden, whiteout);
        } else if (tree.is(existing, Linux.S_IFDIR)) {
            tree.makeOpaque(existing);
        }
    }

    private boolean isWhiteout(int inode) {
        return inode != LayerTree.NONE && tree.is(inode, Linux.S_IFCHR) && tree.data(inode) == 0;
    }

    /// The directory that these names lead to from the root, through symbolic links as in a chroot; what is missing on
    /// the way is made if `making` says so.
    private int enter(List<String> names, TarEntry entry, boolean making) throws EngineException.Invalid {
        var left = new ArrayDeque<>(names);
        var path = new ArrayList<Integer>(List.of(LayerTree.ROOT));
        int links = 0;
        while (!left.isEmpty()) {
            String part = left.removeFirst();
            if (part.equals("..")) {
                if (path.size() > 1) {
                    path.removeLast();
                }
                continue;
            }
            byte[] name = bytes(part, entry);
            int child = tree.find(path.getLast(), name);
            if (child == LayerTree.NONE || isWhiteout(child)) {
                if (!making) {
                    throw LayerNames.refused(entry, "no such file or directory");
                }
                path.add(implied(path.getLast(), name, child, entry));
            } else if (tree.is(child, Linux.S_IFDIR)) {
                path.add(child);
            } else if (tree.is(child, Linux.S_IFLNK)) {
                if (++links > MAX_LINKS) {
                    throw LayerNames.refused(entry, "too many levels of symbolic links");
                }
                String target = NativeText.decode(tree.target(child));
                if (target.startsWith("/")) {
                    path.subList(1, path.size()).clear();
                }
                LayerNames.pushFront(left, target);
            } else {
                throw LayerNames.refused(entry, "not a directory");
            }
        }
        return path.getLast();
    }

    private int implied(int parent, byte[] name, int hidden, TarEntry by) throws EngineException.Invalid {
        int directory = tree.plain(new Attributes(Linux.S_IFDIR | IMPLIED_MODE, 0, 0, by.mtimeSeconds(),
                by.mtimeNanos()));
        tree.put(parent, name, directory);
        if (hidden != LayerTree.NONE) {
            tree.makeOpaque(directory);
        }
        return directory;
    }

    private static byte[] bytes(String name, TarEntry entry) throws EngineException.Invalid {
        byte[] bytes = NativeText.encode(name);
        if (bytes.length > MAX_NAME_BYTES) {
            throw LayerNames.refused(entry, "file name too long");
        }
        return bytes;
    }

    /// Adds the attributes that are kept to those that the inode has.
    private void addXattrs(int inode, TarEntry entry) throws EngineException.Invalid {
        if (entry.xattrs().isEmpty()) {
            return;
        }
        var set = new ArrayList<>(tree.xattrs(inode));
        for (var attribute : entry.xattrs().entrySet()) {
            String name = attribute.getKey();
            if (!LayerNames.isKeptAttribute(name)) {
                continue;
            }
            boolean acl = name.startsWith("system.");
            if (acl && !isAcl(attribute.getValue())) {
                throw LayerNames.refused(entry, "invalid argument");
            }
            if (name.equals("system.posix_acl_default") && !tree.is(inode, Linux.S_IFDIR)) {
                continue; // only directories hand an ACL down
            }
            String head = acl ? name : name.substring(0, name.indexOf('.') + 1);
            var xattr = new Xattr(PREFIXES.getOrDefault(head, 1), name.substring(head.length()),
                    ByteBuffer.wrap(attribute.getValue()).asReadOnlyBuffer());
            if (xattr.suffix().getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES
                    || xattr.value().remaining() > MAX_XATTR_BYTES || !acl && xattr.suffix().isEmpty()) {
                throw LayerNames.refused(entry, "invalid argument");
            }
            set.removeIf(other -> other.prefix() == xattr.prefix() && other.suffix().equals(xattr.suffix()));
            set.add(xattr);
        }
        set.sort((a, b) -> a.prefix() != b.prefix() ? a.prefix() - b.prefix() : a.suffix().compareTo(b.suffix()));
        int bytes = 0;
        for (var xattr : set) {
            bytes += xattr.suffix().length() + xattr.value().remaining();
        }
        if (bytes > MAX_XATTR_BYTES) {
            throw LayerNames.refused(entry, "argument list too long");
        }
        tree.xattrs(inode, List.copyOf(set));
    }

    /// The second version of the form in which ACLs are attributes: a header, then entries of eight bytes.
    private static boolean isAcl(byte[] value) {
        return value.length >= 4 && value.length % 8 == 4
                && ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getInt() == 2;
    }
}
