package carafe.image;

import carafe.kernel.Linux;
import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry;
import carafe.spec.tar.TarEntry.Extent;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The files of one layer, as its tar describes them and before they are anywhere: inodes, and names in directories
/// that mean them. A name put again means the new inode; what nothing in [#ROOT] leads to any more is simply not
/// written. Kept in arrays, some 100 bytes a file, as hostile layers have millions; names hash with a secret, as
/// hostile names would collide.
///
/// Bounded: [#MAX_TEXT_BYTES] of names and link targets, as much of extended attributes, [#MAX_EXTENTS] ranges of
/// sparse files. Not for several threads.
final class LayerTree {

    static final int ROOT = 0;
    static final int NONE = -1;
    static final int MAX_TEXT_BYTES = 256 << 20;
    static final int MAX_EXTENTS = 1_000_000;

    private static final int MAX_XATTR_BYTES = 64 << 20;
    private static final int INODE_LONGS = 6;
    private static final int NAME_INTS = 4;
    private static final long OPAQUE = 1L << 32;

    /// What an inode is; `mode` has the type's bits too.
    record Attributes(int mode, int uid, int gid, long seconds, int nanos) {}

    /// One extended attribute: `prefix` is EROFS's number for the first part of the name.
    record Xattr(int prefix, String suffix, ByteBuffer value) {}

    /// The ranges of a sparse file; their bytes lie one behind the other from `data` on.
    record Sparse(long data, List<Extent> extents) {}

    private final int secret = new SecureRandom().nextInt();
    private long[] inodes = new long[INODE_LONGS * 256];
    private int inodeCount;
    private int[] names = new int[NAME_INTS * 256];
    private int nameCount;
    private int[] slots = new int[1024];
    private byte[] text = new byte[16 << 10];
    private int textBytes;
    private final List<List<Xattr>> xattrSets = new ArrayList<>(List.of(List.of()));
    private final Map<List<Xattr>, Integer> xattrNumbers = new HashMap<>(Map.of(List.of(), 0));
    private long xattrBytes;
    private final List<Sparse> sparse = new ArrayList<>();
    private int extents;

    LayerTree() {
        add(new Attributes(Linux.S_IFDIR | 0755, 0, 0, 0, 0), 0, 0);
    }

    /// How many inodes there are, those that nothing leads to included.
    int inodeCount() {
        return inodeCount;
    }

    /// How many names there are, those that nothing leads to included.
    int nameCount() {
        return nameCount;
    }

    private int add(Attributes attributes, long size, long data) {
        int at = inodeCount * INODE_LONGS;
        if (at == inodes.length) {
            inodes = Arrays.copyOf(inodes, inodes.length * 2);
        }
        inodes[at + 3] = size;
        inodes[at + 4] = data;
        set(inodeCount, attributes);
        return inodeCount++;
    }

    /// Changes what an inode is, but not its content.
    void set(int inode, Attributes attributes) {
        int at = inode * INODE_LONGS;
        inodes[at] = (long) attributes.uid << 32 | attributes.mode;
        inodes[at + 1] = (long) attributes.nanos << 32 | attributes.gid & 0xFFFFFFFFL;
        inodes[at + 2] = attributes.seconds;
    }

    /// A new directory or FIFO.
    int plain(Attributes attributes) {
        return add(attributes, 0, 0);
    }

    /// A new file whose `size` bytes begin at `data` of the tar.
    int file(Attributes attributes, long size, long data) {
        return add(attributes, size, data);
    }

    /// A new file with holes.
    int sparse(Attributes attributes, long size, Sparse ranges) throws EngineException.Invalid {
        extents += ranges.extents.size();
        if (extents > MAX_EXTENTS) {
            throw new EngineException.Invalid("layer has sparse files with more than " + MAX_EXTENTS + " ranges");
        }
        sparse.add(ranges);
        return add(attributes, size, -sparse.size());
    }

    /// A new symbolic link to `target`.
    int symlink(Attributes attributes, byte[] target) throws EngineException.Invalid {
        return add(attributes, target.length, keep(target));
    }

    /// A new device node; `number` is the kernel's 32-bit form of it.
    int device(Attributes attributes, int number) {
        return add(attributes, 0, number & 0xFFFFFFFFL);
    }

    private int keep(byte[] bytes) throws EngineException.Invalid {
        if (textBytes + bytes.length > MAX_TEXT_BYTES) {
            throw new EngineException.Invalid("layer has more than " + MAX_TEXT_BYTES + " bytes of names");
        }
        if (textBytes + bytes.length > text.length) {
            text = Arrays.copyOf(text, Math.max(text.length * 2, textBytes + bytes.length));
        }
        System.arraycopy(bytes, 0, text, textBytes, bytes.length);
        textBytes += bytes.length;
        return textBytes - bytes.length;
    }

    /// Gives an inode these extended attributes and no others.
    void xattrs(int inode, List<Xattr> set) throws EngineException.Invalid {
        var number = xattrNumbers.get(set);
        if (number == null) {
            for (var xattr : set) {
                xattrBytes += xattr.suffix.length() + xattr.value.remaining();
            }
            if (xattrBytes > MAX_XATTR_BYTES) {
                throw new EngineException.Invalid("layer has more than " + MAX_XATTR_BYTES
                        + " bytes of extended attributes");
            }
            number = xattrSets.size();
            xattrSets.add(set);
            xattrNumbers.put(set, number);
        }
        int at = inode * INODE_LONGS + 5;
        inodes[at] = inodes[at] & OPAQUE | number;
    }

    /// The inode's extended attributes, the opaque mark apart.
    List<Xattr> xattrs(int inode) {
        return xattrSets.get((int) inodes[inode * INODE_LONGS + 5]);
    }

    /// All sets of attributes that inodes have.
    List<List<Xattr>> xattrSets() {
        return xattrSets;
    }

    /// Marks a directory as hiding what lower layers have in it.
    void makeOpaque(int directory) {
        inodes[directory * INODE_LONGS + 5] |= OPAQUE;
    }

    boolean isOpaque(int directory) {
        return (inodes[directory * INODE_LONGS + 5] & OPAQUE) != 0;
    }

    int mode(int inode) {
        return (int) inodes[inode * INODE_LONGS];
    }

    boolean is(int inode, int type) {
        return (mode(inode) & Linux.S_IFMT) == type;
    }

    Attributes attributes(int inode) {
        int at = inode * INODE_LONGS;
        return new Attributes((int) inodes[at], (int) (inodes[at] >>> 32), (int) inodes[at + 1], inodes[at + 2],
                (int) (inodes[at + 1] >>> 32));
    }

    /// The length of a file or link target.
    long size(int inode) {
        return inodes[inode * INODE_LONGS + 3];
    }

    /// Where a file's data begin in the tar; a device's number.
    long data(int inode) {
        return inodes[inode * INODE_LONGS + 4];
    }

    boolean isSparse(int inode) {
        return is(inode, Linux.S_IFREG) && data(inode) < 0;
    }

    Sparse ranges(int inode) {
        return sparse.get((int) (-data(inode) - 1));
    }

    /// What a symbolic link holds.
    byte[] target(int symlink) {
        int at = (int) data(symlink);
        return Arrays.copyOfRange(text, at, at + (int) size(symlink));
    }

    /// What `name` means in `directory`, or [#NONE].
    int find(int directory, byte[] name) {
        int entry = slots[slot(directory, name)] - 1;
        return entry < 0 ? NONE : names[entry * NAME_INTS + 1];
    }

    /// Lets `name` in `directory` mean `inode`.
    void put(int directory, byte[] name, int inode) throws EngineException.Invalid {
        int slot = slot(directory, name);
        if (slots[slot] != 0) {
            names[(slots[slot] - 1) * NAME_INTS + 1] = inode;
            return;
        }
        int at = nameCount * NAME_INTS;
        if (at == names.length) {
            names = Arrays.copyOf(names, names.length * 2);
        }
        names[at] = directory;
        names[at + 1] = inode;
        names[at + 2] = keep(name);
        names[at + 3] = name.length;
        slots[slot] = ++nameCount;
        if (nameCount * 2 > slots.length) {
            rehash();
        }
    }

    private void rehash() {
        slots = new int[slots.length * 2];
        for (int entry = 0; entry < nameCount; entry++) {
            slots[slot(parent(entry), name(entry))] = entry + 1;
        }
    }

    private int slot(int directory, byte[] name) {
        int hash = secret ^ directory * 0x9E3779B1;
        for (byte b : name) {
            hash = Integer.rotateLeft(hash, 5) * 0x85EBCA6B + b;
            hash ^= hash >>> 15;
        }
        int slot = (hash ^ hash >>> 13) & slots.length - 1;
        while (slots[slot] != 0 && !isNamed(slots[slot] - 1, directory, name)) {
            slot = slot + 1 & slots.length - 1;
        }
        return slot;
    }

    private boolean isNamed(int entry, int directory, byte[] name) {
        int at = entry * NAME_INTS;
        return names[at] == directory && Arrays.equals(name, 0, name.length,
                text, names[at + 2], names[at + 2] + names[at + 3]);
    }

    /// The directory that the name number `entry` is in.
    int parent(int entry) {
        return names[entry * NAME_INTS];
    }

    /// What the name number `entry` means.
    int inode(int entry) {
        return names[entry * NAME_INTS + 1];
    }

    /// The name number `entry`.
    byte[] name(int entry) {
        int at = names[entry * NAME_INTS + 2];
        return Arrays.copyOfRange(text, at, at + names[entry * NAME_INTS + 3]);
    }

    int nameLength(int entry) {
        return names[entry * NAME_INTS + 3];
    }

    /// Compares two names as bytes, which is the order of directories in EROFS.
    int compareNames(int one, int other) {
        int first = one * NAME_INTS;
        int second = other * NAME_INTS;
        return Arrays.compareUnsigned(text, names[first + 2], names[first + 2] + names[first + 3],
                text, names[second + 2], names[second + 2] + names[second + 3]);
    }
}
