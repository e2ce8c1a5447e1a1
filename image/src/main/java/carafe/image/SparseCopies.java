package carafe.image;

import carafe.kernel.Fd;
import carafe.kernel.FdStream;
import carafe.kernel.Linux;
import carafe.spec.EngineException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Sparse files, whose stored bytes a tar packs together: they are copied once more behind the tar, in chunks at places
/// where an image can point to them; chunks without data are holes in the image. A chunk is of 4 KiB or, for a huge
/// file, of a power of two that keeps their number below [#MAX_CHUNKS]; what of a chunk has no data is a hole in the
/// layer's file.
final class SparseCopies {

    static final int MAX_CHUNKS = 1 << 16;

    /// The longest layer file, so that block numbers are positive ints.
    static final long MAX_END = 1L << 40;

    private static final int MIN_CHUNK_BITS = 12;
    private static final int HOLE = -1;
    private static final int BUFFER = 128 << 10;

    /// Where the chunks of one file are: numbers of blocks, or -1 for holes.
    record Placed(int chunkBits, int[] chunks) {}

    /// Bytes to copy within the layer's file.
    private record Copy(long from, long to, long length) {}

    private final LayerTree tree;
    private final long tarStart;
    private final Map<Integer, Placed> placed = new HashMap<>();
    private final List<Copy> plan = new ArrayList<>();
    private long end;

    /// Gives every chunk of `tree`'s sparse files a place from `start` on; the tar's first byte is at `tarStart`.
    SparseCopies(LayerTree tree, long tarStart, long start) throws EngineException.Invalid {
        this.tree = tree;
        this.tarStart = tarStart;
        this.end = ErofsImage.aligned(start, 1 << MIN_CHUNK_BITS);
        for (int inode = 0; inode < tree.inodeCount(); inode++) {
            if (tree.is(inode, Linux.S_IFREG) && tree.isSparse(inode)) {
                placed.put(inode, place(inode));
            }
        }
    }

    boolean isEmpty() {
        return placed.isEmpty();
    }

    /// Where the last chunk ends.
    long end() {
        return end;
    }

    /// Where the sparse file `inode` is.
    Placed of(int inode) {
        var found = placed.get(inode);
        if (found == null) {
            throw new AssertionError("not a sparse file: " + inode);
        }
        return found;
    }

    private Placed place(int inode) throws EngineException.Invalid {
        long size = tree.size(inode);
        int bits = MIN_CHUNK_BITS;
        while (size >> bits >= MAX_CHUNKS) {
            bits++;
        }
        int[] chunks = new int[(int) ((size + (1L << bits) - 1) >> bits)];
        Arrays.fill(chunks, HOLE);
        var ranges = tree.ranges(inode);
        long from = tarStart + ranges.data();
        for (var extent : ranges.extents()) {
            for (long at = extent.offset(); at < extent.offset() + extent.length(); ) {
                int chunk = (int) (at >> bits);
                if (chunks[chunk] == HOLE) {
                    chunks[chunk] = (int) (end >> ErofsImage.BLOCK_BITS);
                    end += 1L << bits;
                    if (end > MAX_END) {
                        throw new EngineException.Invalid("cannot unpack the layer's sparse files: file too large");
                    }
                }
                long inChunk = at & (1L << bits) - 1;
                long length = Math.min(extent.offset() + extent.length() - at, (1L << bits) - inChunk);
                plan.add(new Copy(from, ((long) chunks[chunk] << ErofsImage.BLOCK_BITS) + inChunk, length));
                from += length;
                at += length;
            }
        }
        return new Placed(bits, chunks);
    }

    /// Copies the data within `file`.
    void write(Fd file) throws IOException {
        byte[] buffer = new byte[BUFFER];
        for (var copy : plan) {
            for (long done = 0; done < copy.length; ) {
                int count = read(file, copy.from + done, buffer, copy.length - done);
                FdStream.writeAt(file, copy.to + done, buffer, 0, count);
                done += count;
            }
        }
    }

    /// True when the copies in `file` are what the tar in it says.
    boolean matches(Fd file) throws IOException {
        byte[] original = new byte[BUFFER];
        byte[] copied = new byte[BUFFER];
        for (var copy : plan) {
            for (long done = 0; done < copy.length; ) {
                int count = read(file, copy.from + done, original, copy.length - done);
                int other = read(file, copy.to + done, copied, count);
                if (!Arrays.equals(original, 0, other, copied, 0, other)) {
                    return false;
                }
                done += other;
            }
        }
        return true;
    }

    private static int read(Fd file, long at, byte[] into, long most) throws IOException {
        int count = FdStream.readAt(file, at, into, 0, (int) Math.min(most, into.length));
        if (count <= 0) {
            throw new IOException("the layer's file ends too early");
        }
        return count;
    }
}
