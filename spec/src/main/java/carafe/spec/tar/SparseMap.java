package carafe.spec.tar;

import carafe.spec.EngineException;
import carafe.spec.tar.TarEntry.Extent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Where the stored bytes of a file with holes belong, in each of the forms that GNU tar has had for it.
/// Source: GNU tar manual, "Storing Sparse Files".
record SparseMap(long size, List<Extent> extents) {

    private static final int MAX_EXTENTS = 100_000;

    /// Gives the next block of 512 bytes.
    interface Blocks {
        byte[] next() throws IOException, EngineException.Invalid;
    }

    /// GNU's old format: four ranges in the header, further ones in blocks behind it.
    static Optional<SparseMap> old(byte[] header, Blocks blocks) throws IOException, EngineException.Invalid {
        long size = TarHeader.number(header, 483, 12);
        var extents = new ArrayList<Extent>();
        oldRanges(header, 386, 4, extents);
        boolean more = header[482] != 0;
        while (more) {
            byte[] next = blocks.next();
            oldRanges(next, 0, 21, extents);
            more = next[504] != 0;
        }
        return Optional.of(new SparseMap(size, extents));
    }

    private static void oldRanges(byte[] block, int from, int count, List<Extent> extents)
            throws EngineException.Invalid {
        for (int i = 0; i < count && block[from + 24 * i] != 0; i++) {
            add(extents, TarHeader.number(block, from + 24 * i, 12), TarHeader.number(block, from + 24 * i + 12, 12));
        }
    }

    /// The pax formats; empty when the file is an ordinary one. Format 1.0 has its map in front of the data.
    static Optional<SparseMap> pax(PaxRecords pax, Blocks data) throws IOException, EngineException.Invalid {
        var extents = new ArrayList<Extent>();
        if (pax.text("GNU.sparse.major").equals("1")) {
            var numbers = new Numbers(data);
            long count = numbers.next();
            for (long i = 0; i < count; i++) {
                add(extents, numbers.next(), numbers.next());
            }
            return Optional.of(new SparseMap(pax.number("GNU.sparse.realsize").orElse(-1L), extents));
        }
        var size = pax.number("GNU.sparse.size");
        if (size.isEmpty()) {
            return Optional.empty();
        }
        var pairs = new ArrayList<>(pax.sparsePairs());
        if (pairs.isEmpty() && !pax.text("GNU.sparse.map").isEmpty()) {
            for (String number : pax.text("GNU.sparse.map").split(",", -1)) {
                pairs.add(PaxRecords.decimal(number.getBytes(StandardCharsets.ISO_8859_1)));
            }
        }
        if (pairs.size() % 2 != 0) {
            throw new EngineException.Invalid("invalid tar header: malformed sparse map");
        }
        for (int i = 0; i < pairs.size(); i += 2) {
            add(extents, pairs.get(i), pairs.get(i + 1));
        }
        return Optional.of(new SparseMap(size.get(), extents));
    }

    private static void add(List<Extent> extents, long offset, long length) throws EngineException.Invalid {
        if (extents.size() == MAX_EXTENTS) {
            throw new EngineException.Invalid("invalid tar header: more than " + MAX_EXTENTS + " ranges in a file");
        }
        if (length != 0) {
            extents.add(new Extent(offset, length));
        }
    }

    /// The ranges, if they ascend inside the file and need exactly `stored` bytes.
    List<Extent> checked(long stored) throws EngineException.Invalid {
        long end = 0;
        long sum = 0;
        for (var extent : extents) {
            if (extent.offset() < end || extent.length() < 0 || extent.offset() > size
                    || extent.length() > size - extent.offset()) {
                throw new EngineException.Invalid("invalid tar header: malformed sparse map");
            }
            end = extent.offset() + extent.length();
            sum += extent.length();
        }
        if (size < 0 || sum != stored) {
            throw new EngineException.Invalid("invalid tar header: malformed sparse map");
        }
        return extents;
    }

    /// Decimal numbers, each closed by a newline, over as many blocks as they need.
    private static final class Numbers {
        private final Blocks blocks;
        private byte[] block = {};
        private int at;

        Numbers(Blocks blocks) {
            this.blocks = blocks;
        }

        long next() throws IOException, EngineException.Invalid {
            byte[] digits = new byte[20];
            int count = 0;
            while (true) {
                if (at == block.length) {
                    block = blocks.next();
                    at = 0;
                }
                byte b = block[at++];
                if (b == '\n') {
                    return PaxRecords.decimal(Arrays.copyOf(digits, count));
                }
                if (count == digits.length) {
                    throw new EngineException.Invalid("invalid tar header: malformed sparse map");
                }
                digits[count++] = b;
            }
        }
    }
}
