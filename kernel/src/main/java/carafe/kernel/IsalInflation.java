package carafe.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.zip.DataFormatException;

/// DEFLATE backwards by libisal. The library reads and writes memory of its own here, since a downcall that is handed
/// the heap's stops the collector of the whole process; a copy is a twentieth of the work.
final class IsalInflation implements Inflation {

    private static final int IN_BYTES = 128 << 10;
    private static final int OUT_BYTES = 256 << 10;

    private final LibIsal library;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment state = arena.allocate(LibIsal.INFLATE_BYTES + LibIsal.SPARE_BYTES, 16);
    private final MemorySegment in = arena.allocate(IN_BYTES, 16);
    private final MemorySegment out = arena.allocate(OUT_BYTES, 16);
    private int outAt;
    private int outLength;
    private boolean full; // the last call filled its room, so it may have more

    IsalInflation(LibIsal library) {
        this.library = library;
        reset();
    }

    @Override
    public void input(byte[] from, int offset, int length) {
        if (length > IN_BYTES || state.get(JAVA_INT, LibIsal.INFLATE_AVAIL_IN) != 0) {
            throw new AssertionError(length + " bytes of input come before those before are used up, or are too many");
        }
        MemorySegment.copy(from, offset, in, JAVA_BYTE, 0, length);
        state.set(ADDRESS, LibIsal.INFLATE_NEXT_IN, in);
        state.set(JAVA_INT, LibIsal.INFLATE_AVAIL_IN, length);
    }

    @Override
    public int output(byte[] to, int offset, int length) throws DataFormatException {
        if (outAt == outLength && !ended() && (full || state.get(JAVA_INT, LibIsal.INFLATE_AVAIL_IN) > 0)) {
            inflate();
        }
        int count = Math.min(length, outLength - outAt);
        MemorySegment.copy(out, JAVA_BYTE, outAt, to, offset, count);
        outAt += count;
        return count;
    }

    private void inflate() throws DataFormatException {
        state.set(ADDRESS, LibIsal.INFLATE_NEXT_OUT, out);
        state.set(JAVA_INT, LibIsal.INFLATE_AVAIL_OUT, OUT_BYTES);
        int result = library.inflate(state);
        if (result < 0) {
            throw new DataFormatException(switch (result) {
                case -1 -> "invalid block";
                case -2 -> "invalid symbol";
                case -3 -> "invalid distance";
                default -> "error " + result;
            });
        }
        int room = state.get(JAVA_INT, LibIsal.INFLATE_AVAIL_OUT);
        if (room < 0 || room > OUT_BYTES) {
            throw new DataFormatException("room for " + room + " bytes of " + OUT_BYTES);
        }
        outAt = 0;
        outLength = OUT_BYTES - room;
        full = room == 0;
        if (!ended() && !full && state.get(JAVA_INT, LibIsal.INFLATE_AVAIL_IN) != 0) {
            throw new DataFormatException("no progress");
        }
    }

    private boolean ended() {
        return state.get(JAVA_INT, LibIsal.INFLATE_BLOCK_STATE) == LibIsal.ISAL_BLOCK_FINISH;
    }

    @Override
    public boolean finished() {
        return outAt == outLength && ended();
    }

    /// The library reads up to eight bytes ahead into a register.
    @Override
    public int unused() {
        return state.get(JAVA_INT, LibIsal.INFLATE_READ_IN_LENGTH) / 8 + state.get(JAVA_INT, LibIsal.INFLATE_AVAIL_IN);
    }

    @Override
    public void reset() {
        library.inflateInit(state);
        state.set(JAVA_INT, LibIsal.INFLATE_AVAIL_IN, 0);
        outAt = 0;
        outLength = 0;
        full = false;
    }

    @Override
    public void close() {
        arena.close();
    }
}
