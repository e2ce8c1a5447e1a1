package carafe.spec.tar;

import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry.Extent;
import carafe.spec.tar.TarEntry.Type;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads a tar of untrusted bytes member by member, keeping names and attribute values byte for byte: ustar, GNU (long
/// names, old sparse files), pax (every override, sparse 0.0, 0.1 and 1.0) and version 7. Nothing is buffered but
/// headers, of which one member may have at most a megabyte; types without a meaning for a filesystem are refused.
///
/// Own code, because commons-compress reads pax values as UTF-8 text and so destroys capabilities and ACLs
/// (docs/adr on the tar reader). Not for several threads.
/// Source: POSIX.1-2017 pax; GNU tar manual, "Tar Internals".
public final class TarReader {

    private static final int BLOCK = TarHeader.BLOCK;
    private static final int MAX_EXTENDED_BYTES = 1 << 20;
    private static final long MAX_ID = Integer.MAX_VALUE;

    private final InputStream in;
    private final byte[] block = new byte[BLOCK];
    private long leftOfData;
    private int padding;
    private long position;

    /// Reads from `in`, which stays the caller's.
    public TarReader(InputStream in) {
        this.in = in;
    }

    /// The next member, past what is left of the last one; null at the end of the archive, when `in` may still hold
    /// bytes of padding.
    public @Nullable TarEntry next() throws IOException, EngineException.Invalid {
        skip(leftOfData + padding);
        leftOfData = 0;
        padding = 0;
        var pax = PaxRecords.NONE;
        @Nullable String longName = null;
        @Nullable String longLink = null;
        int budget = MAX_EXTENDED_BYTES;
        while (true) {
            if (!readHeader()) {
                return null;
            }
            var header = TarHeader.of(block.clone()); // more blocks may come before the last field is read
            switch (header.type()) {
                case 'x' -> pax = PaxRecords.parse(extended(header, budget));
                case 'g' -> extended(header, budget);
                case 'L' -> longName = cString(extended(header, budget));
                case 'K' -> longLink = cString(extended(header, budget));
                default -> {
                    return member(header, pax, longName, longLink);
                }
            }
            budget -= (int) header.size() + BLOCK;
        }
    }

    /// Reads on to the end of the stream, past the archive's own end.
    public void drain() throws IOException {
        byte[] waste = new byte[64 << 10];
        for (int count = in.read(waste); count >= 0; count = in.read(waste)) {
            position += count;
        }
    }

    /// How many bytes of the archive were read so far. Right after [#next] it is where the member's stored data begin, a
    /// multiple of 512.
    public long position() {
        return position;
    }

    /// Reads data of the current member, extent after extent without the holes.
    /// @return how many bytes, or -1 at the member's end
    public int read(byte[] buffer, int offset, int length) throws IOException {
        if (leftOfData == 0) {
            return -1;
        }
        int count = in.read(buffer, offset, (int) Math.min(length, leftOfData));
        if (count < 0) {
            throw new EOFException("unexpected EOF");
        }
        leftOfData -= count;
        position += count;
        return count;
    }

    /// The current member's data as a stream; closing it does nothing.
    public InputStream data() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return TarReader.this.read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                return length == 0 ? 0 : TarReader.this.read(buffer, offset, length);
            }
        };
    }

    private TarEntry member(TarHeader header, PaxRecords pax, @Nullable String longName, @Nullable String longLink)
            throws IOException, EngineException.Invalid {
        String name = pax.name("path").orElse(longName != null ? longName : header.name());
        String link = pax.name("linkpath").orElse(longLink != null ? longLink : header.linkName());
        var type = type(header.type(), name);
        long stored = type == Type.FILE ? pax.number("size").orElse(header.size()) : 0;
        leftOfData = stored;
        padding = (int) (-stored & (BLOCK - 1));
        long size = stored;
        List<Extent> extents = stored == 0 ? List.of() : List.of(new Extent(0, stored));
        if (type == Type.FILE) {
            boolean oldSparse = header.type() == 'S';
            var sparse = oldSparse
                    ? SparseMap.old(header.block(), this::readBlock)
                    : SparseMap.pax(pax, this::readDataBlock);
            if (sparse.isPresent()) {
                size = sparse.get().size();
                extents = sparse.get().checked(leftOfData);
                name = pax.name("GNU.sparse.name").orElse(name);
            }
        }
        var time = pax.time("mtime");
        return new TarEntry(type, name, link, size, extents, header.mode(),
                id(pax.number("uid"), header.uid()), id(pax.number("gid"), header.gid()),
                time.isPresent() ? time.get()[0] : header.mtime(), time.isPresent() ? (int) time.get()[1] : 0,
                header.deviceMajor(), header.deviceMinor(), pax == PaxRecords.NONE ? Map.of() : pax.xattrs());
    }

    private static Type type(char flag, String name) throws EngineException.Invalid {
        return switch (flag) {
            case '0', '\0', '7' -> name.endsWith("/") ? Type.DIRECTORY : Type.FILE;
            case 'S' -> Type.FILE;
            case '1' -> Type.HARD_LINK;
            case '2' -> Type.SYMLINK;
            case '3' -> Type.CHAR_DEVICE;
            case '4' -> Type.BLOCK_DEVICE;
            case '5' -> Type.DIRECTORY;
            case '6' -> Type.FIFO;
            default -> throw new EngineException.Invalid("unhandled tar header type " + (int) flag);
        };
    }

    private static long id(Optional<Long> override, long own) throws EngineException.Invalid {
        long id = override.orElse(own);
        if (id < 0 || id > MAX_ID) {
            throw new EngineException.Invalid("invalid tar header: owner " + id + " is not between 0 and " + MAX_ID);
        }
        return id;
    }

    /// Fills [#block] with the next header; false at the archive's end, which is two blocks of zeros or just no more.
    private boolean readHeader() throws IOException, EngineException.Invalid {
        int count = in.readNBytes(block, 0, BLOCK);
        position += count;
        if (count == 0) {
            return false;
        }
        if (count < BLOCK) {
            throw new EOFException("unexpected EOF");
        }
        if (!zeros()) {
            return true;
        }
        count = in.readNBytes(block, 0, BLOCK);
        position += count;
        if (count == 0 || count == BLOCK && zeros()) {
            return false;
        }
        throw new EngineException.Invalid("invalid tar header: data behind the archive's end");
    }

    private boolean zeros() {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private byte[] readBlock() throws IOException {
        if (in.readNBytes(block, 0, BLOCK) < BLOCK) {
            throw new EOFException("unexpected EOF");
        }
        position += BLOCK;
        return block;
    }

    private byte[] readDataBlock() throws IOException, EngineException.Invalid {
        if (leftOfData < BLOCK) {
            throw new EngineException.Invalid("invalid tar header: malformed sparse map");
        }
        leftOfData -= BLOCK;
        return readBlock();
    }

    private byte[] extended(TarHeader header, int budget) throws IOException, EngineException.Invalid {
        long size = header.size();
        if (size > budget - BLOCK) {
            throw new EngineException.Invalid("invalid tar header: more than " + MAX_EXTENDED_BYTES
                    + " bytes of headers for one file");
        }
        byte[] data = in.readNBytes((int) size);
        if (data.length < size) {
            throw new EOFException("unexpected EOF");
        }
        position += data.length;
        skip(-size & (BLOCK - 1));
        return data;
    }

    private void skip(long bytes) throws IOException {
        byte[] waste = bytes > BLOCK ? new byte[(int) Math.min(bytes, 64 << 10)] : block;
        for (long left = bytes; left > 0; ) {
            int count = in.read(waste, 0, (int) Math.min(left, waste.length));
            if (count < 0) {
                throw new EOFException("unexpected EOF");
            }
            left -= count;
            position += count;
        }
    }

    private static String cString(byte[] data) {
        int end = 0;
        while (end < data.length && data[end] != 0) {
            end++;
        }
        return TarText.decode(Arrays.copyOf(data, end));
    }
}
