package carafe.image;

import carafe.image.LayerTree.Xattr;
import carafe.kernel.NativeText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The extended attributes of an EROFS image: each inode's own behind the inode, and those that several inodes have once,
/// in an area of their own, referred to by number. Source: fs/erofs/erofs_fs.h, `erofs_xattr_ibody_header`.
final class ErofsXattrs {

    private static final int HEADER_BYTES = 12;
    private static final int ENTRY_BYTES = 4;
    private static final int UNIT = 4;
    private static final int MAX_SHARED = 255;
    private static final int TRUSTED = 4;
    private static final Xattr OPAQUE = new Xattr(TRUSTED, "overlay.opaque",
            ByteBuffer.wrap("y".getBytes(StandardCharsets.US_ASCII)).asReadOnlyBuffer());

    private final LayerTree tree;
    private final Map<Xattr, Integer> shared = new LinkedHashMap<>(); // to their place in units
    private int sharedUnits;

    ErofsXattrs(LayerTree tree, LayerTreeOrder order) {
        this.tree = tree;
        var uses = new LinkedHashMap<Xattr, Integer>();
        for (int inode : order.inodes()) {
            for (var xattr : all(inode)) {
                uses.merge(xattr, 1, Integer::sum);
            }
        }
        uses.forEach((xattr, count) -> {
            if (count > 1) {
                shared.put(xattr, sharedUnits);
                sharedUnits += size(xattr) / UNIT;
            }
        });
    }

    private List<Xattr> all(int inode) {
        var own = tree.xattrs(inode);
        if (!tree.isOpaque(inode)) {
            return own;
        }
        var more = new ArrayList<>(own);
        more.add(OPAQUE);
        return more;
    }

    private static int size(Xattr xattr) {
        int bytes = ENTRY_BYTES + NativeText.encode(xattr.suffix()).length + xattr.value().remaining();
        return (bytes + UNIT - 1) / UNIT * UNIT;
    }

    private boolean isShared(Xattr xattr, int sharedSoFar) {
        return sharedSoFar < MAX_SHARED && shared.containsKey(xattr);
    }

    /// How many bytes the inode's attributes take behind it.
    int bytes(int inode) {
        var xattrs = all(inode);
        if (xattrs.isEmpty()) {
            return 0;
        }
        int bytes = HEADER_BYTES;
        int sharedSoFar = 0;
        for (var xattr : xattrs) {
            if (isShared(xattr, sharedSoFar)) {
                sharedSoFar++;
                bytes += UNIT;
            } else {
                bytes += size(xattr);
            }
        }
        return bytes;
    }

    /// The number in the inode that says how many bytes there are.
    int count(int inode) {
        int bytes = bytes(inode);
        return bytes == 0 ? 0 : (bytes - HEADER_BYTES) / UNIT + 1;
    }

    /// Writes what goes behind the inode.
    void writeInline(int inode, ErofsOutput out) throws IOException {
        var xattrs = all(inode);
        if (xattrs.isEmpty()) {
            return;
        }
        var places = new ArrayList<Integer>();
        var inline = new ArrayList<Xattr>();
        for (var xattr : xattrs) {
            if (isShared(xattr, places.size())) {
                places.add(shared.getOrDefault(xattr, 0));
            } else {
                inline.add(xattr);
            }
        }
        out.putInt(0);
        out.put(new byte[] {(byte) places.size()});
        out.pad(7);
        for (int place : places) {
            out.putInt(place);
        }
        for (var xattr : inline) {
            write(xattr, out);
        }
    }

    /// The length of the area that inodes share.
    long sharedBytes() {
        return (long) sharedUnits * UNIT;
    }

    /// Writes the area that inodes share.
    void writeShared(ErofsOutput out) throws IOException {
        for (var xattr : shared.keySet()) {
            write(xattr, out);
        }
    }

    private static void write(Xattr xattr, ErofsOutput out) throws IOException {
        byte[] name = NativeText.encode(xattr.suffix());
        byte[] value = new byte[xattr.value().remaining()];
        xattr.value().duplicate().get(value);
        out.put(new byte[] {(byte) name.length, (byte) xattr.prefix()});
        out.putShort(value.length);
        out.put(name);
        out.put(value);
        out.pad(size(xattr) - ENTRY_BYTES - name.length - value.length);
    }
}
