package carafe.image;

import carafe.kernel.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/// Writes the part of an EROFS image that is not file data: a tar's members are 512-byte aligned, so with blocks of 512
/// bytes the inode of a file simply points at its bytes in the tar, and only directories, inodes and extended
/// attributes are new. They come behind the tar in this order: directories too long to be inline, inodes (every one in
/// the extended form, for nanoseconds and 32-bit ids), attributes that several inodes share.
///
/// Inode number and place are one thing in EROFS (`nid`, in units of 32 bytes from the first inode), so a first pass
/// gives everything its place and a second one writes front to back. The same tree gives the same bytes.
/// Source: Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h of the kernel, for the layout on disk.
final class ErofsImage {

    static final int BLOCK = 512;
    static final int BLOCK_BITS = 9;

    /// Where the superblock is, whatever the block size.
    static final int SUPERBLOCK_OFFSET = 1024;

    private static final int SLOT = 32;
    private static final int INODE_BYTES = 64;
    private static final int DIRENT_BYTES = 12;
    private static final int INLINE_MAX = BLOCK - SLOT;
    private static final int FLAT_PLAIN = 0;
    private static final int FLAT_INLINE = 2;
    private static final int CHUNK_BASED = 4;
    private static final int MAGIC = 0xE0F5E1E2;
    private static final int COMPAT_CHECKSUM = 1;
    private static final int COMPAT_MTIME = 2;
    private static final int INCOMPAT_CHUNKED = 4;
    private static final int NO_BLOCK = -1;

    private final LayerTree tree;
    private final LayerTreeOrder order;
    private final SparseCopies copies;
    private final ErofsXattrs xattrs;
    private final long tarStart;
    private final long start;
    private final int[] nids;
    private final int[] blocks;
    private final int[] sizes;
    private long inodeStart;
    private long inodeEnd;
    private int nextBlock;

    /// Lays the image of `tree` out: the tar's first byte is at `tarStart`, and `start`, a multiple of the block size
    /// behind the tar and the `copies` of sparse files, is where directories and inodes begin.
    ErofsImage(LayerTree tree, SparseCopies copies, long tarStart, long start) {
        this.tree = tree;
        this.order = new LayerTreeOrder(tree);
        this.copies = copies;
        this.xattrs = new ErofsXattrs(tree, order);
        this.tarStart = tarStart;
        this.start = start;
        this.nids = new int[tree.inodeCount()];
        this.blocks = new int[tree.inodeCount()];
        this.sizes = new int[tree.inodeCount()];
        place();
    }

    /// How many inodes the image has.
    int inodeCount() {
        return order.inodes().length;
    }

    private void place() {
        nextBlock = block(start);
        long at = INODE_BYTES; // nid 0 would read as "no inode" to some
        for (int inode : order.inodes()) {
            int tail = 0;
            if (tree.is(inode, Linux.S_IFDIR)) {
                sizes[inode] = directorySize(inode);
                tail = inlineOrPlain(inode, sizes[inode]);
            } else if (tree.is(inode, Linux.S_IFLNK)) {
                sizes[inode] = (int) tree.size(inode);
                tail = inlineOrPlain(inode, sizes[inode]);
            } else if (tree.isSparse(inode)) {
                tail = copies.of(inode).chunks().length * Integer.BYTES;
            }
            boolean whole = blocks[inode] == NO_BLOCK; // an inline tail lies in one block
            int head = INODE_BYTES + xattrs.bytes(inode);
            while (whole && (at + head) % BLOCK + tail > BLOCK) {
                at += SLOT;
            }
            nids[inode] = (int) (at / SLOT);
            at = aligned(at + head + tail, SLOT);
        }
        inodeStart = (long) nextBlock << BLOCK_BITS;
        inodeEnd = inodeStart + aligned(at, BLOCK);
    }

    /// @return how many bytes go behind the inode
    private int inlineOrPlain(int inode, int size) {
        if (size <= INLINE_MAX) {
            blocks[inode] = NO_BLOCK;
            return size;
        }
        blocks[inode] = nextBlock;
        nextBlock += (size + BLOCK - 1) >> BLOCK_BITS;
        return 0;
    }

    private int directorySize(int inode) {
        int full = 0;
        int used = 0;
        var entries = order.entries(inode);
        for (int i = 0; i < entries.count(); i++) {
            int bytes = DIRENT_BYTES + entries.nameLength(i);
            if (used + bytes > BLOCK) {
                full += BLOCK;
                used = 0;
            }
            used += bytes;
        }
        return full + used;
    }

    static long aligned(long offset, int unit) {
        return (offset + unit - 1) / unit * unit;
    }

    private static int block(long offset) {
        return (int) (offset >> BLOCK_BITS);
    }

    /// The length of the whole file.
    long end() {
        return aligned(inodeEnd + xattrs.sharedBytes(), BLOCK);
    }

    /// Writes everything from `start` to [#end].
    void write(ErofsOutput out) throws IOException {
        for (int inode : order.inodes()) {
            if (blocks[inode] > 0) {
                out.pad(((long) blocks[inode] << BLOCK_BITS) - out.position());
                content(inode, out);
            }
        }
        out.pad(inodeStart - out.position());
        for (int i = 0; i < order.inodes().length; i++) {
            int inode = order.inodes()[i];
            out.pad(inodeStart + (long) nids[inode] * SLOT - out.position());
            inode(inode, i + 1, out);
            xattrs.writeInline(inode, out);
            if (blocks[inode] == NO_BLOCK) {
                content(inode, out);
            } else if (tree.isSparse(inode)) {
                for (int chunk : copies.of(inode).chunks()) {
                    out.putInt(chunk);
                }
            }
        }
        out.pad(inodeEnd - out.position());
        xattrs.writeShared(out);
        out.pad(end() - out.position());
    }

    private void content(int inode, ErofsOutput out) throws IOException {
        if (tree.is(inode, Linux.S_IFDIR)) {
            directory(inode, out);
        } else {
            out.put(tree.target(inode));
        }
    }

    /// Blocks of entries, each followed by their names; sorted over all.
    private void directory(int inode, ErofsOutput out) throws IOException {
        var entries = order.entries(inode);
        for (int first = 0; first < entries.count(); ) {
            int next = first;
            int used = 0;
            while (next < entries.count() && used + DIRENT_BYTES + entries.nameLength(next) <= BLOCK) {
                used += DIRENT_BYTES + entries.nameLength(next);
                next++;
            }
            int nameAt = (next - first) * DIRENT_BYTES;
            for (int i = first; i < next; i++) {
                int target = entries.inode(i);
                out.putLong(nids[target]);
                out.putShort(nameAt);
                out.putShort(fileType(tree.mode(target)));
                nameAt += entries.nameLength(i);
            }
            for (int i = first; i < next; i++) {
                out.put(entries.name(i));
            }
            if (next < entries.count()) {
                out.pad(BLOCK - used);
            }
            first = next;
        }
    }

    private static int fileType(int mode) {
        return switch (mode & Linux.S_IFMT) {
            case Linux.S_IFREG -> 1;
            case Linux.S_IFDIR -> 2;
            case Linux.S_IFCHR -> 3;
            case Linux.S_IFBLK -> 4;
            case Linux.S_IFIFO -> 5;
            case Linux.S_IFLNK -> 7;
            default -> throw new AssertionError(Integer.toOctalString(mode));
        };
    }

    private void inode(int inode, int number, ErofsOutput out) throws IOException {
        var attributes = tree.attributes(inode);
        int layout = tree.isSparse(inode) ? CHUNK_BASED : blocks[inode] == NO_BLOCK ? FLAT_INLINE : FLAT_PLAIN;
        out.putShort(1 | layout << 1);
        out.putShort(xattrs.count(inode));
        out.putShort(attributes.mode());
        out.putShort(0);
        out.putLong(length(inode));
        out.putInt(where(inode));
        out.putInt(number);
        out.putInt(attributes.uid());
        out.putInt(attributes.gid());
        out.putLong(attributes.seconds());
        out.putInt(attributes.nanos());
        out.putInt(order.links(inode));
        out.pad(16);
    }

    private long length(int inode) {
        return switch (tree.mode(inode) & Linux.S_IFMT) {
            case Linux.S_IFREG -> tree.size(inode);
            case Linux.S_IFDIR, Linux.S_IFLNK -> sizes[inode];
            default -> 0;
        };
    }

    /// The first block of the content, a device's number, or how long the chunks of a sparse file are.
    private int where(int inode) {
        return switch (tree.mode(inode) & Linux.S_IFMT) {
            case Linux.S_IFREG -> tree.isSparse(inode) ? copies.of(inode).chunkBits() - BLOCK_BITS
                    : tree.size(inode) == 0 ? 0 : block(tarStart + tree.data(inode));
            case Linux.S_IFDIR, Linux.S_IFLNK -> Math.max(0, blocks[inode]);
            case Linux.S_IFCHR, Linux.S_IFBLK -> (int) tree.data(inode);
            default -> 0;
        };
    }

    /// The block with the superblock at its beginning; `uuid` has sixteen bytes.
    byte[] superblock(byte[] uuid) {
        var bytes = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0, MAGIC).putInt(8, COMPAT_CHECKSUM | COMPAT_MTIME);
        bytes.put(12, (byte) BLOCK_BITS);
        bytes.putShort(14, (short) nids[LayerTree.ROOT]);
        bytes.putLong(16, order.inodes().length);
        bytes.putInt(36, block(end())).putInt(40, block(inodeStart)).putInt(44, block(inodeEnd));
        bytes.put(48, uuid, 0, 16);
        bytes.put(64, "carafe".getBytes(StandardCharsets.US_ASCII));
        bytes.putInt(80, copies.isEmpty() ? 0 : INCOMPAT_CHUNKED);
        var crc = new CRC32C();
        crc.update(Arrays.copyOf(bytes.array(), BLOCK));
        bytes.putInt(4, ~(int) crc.getValue());
        return bytes.array();
    }
}
