package carafe.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;

/// libisal2, Intel's storage acceleration library, if the host has it: it inflates twice as fast as zlib. Never
/// needed. Looked for when the first gzip stream is opened, and used only after a trial, since its state has no accessors
/// and is read by offset (version 2.30's, compared with its header in a test).
/// Source: igzip_lib.h.
final class LibIsal {

    static final long INFLATE_NEXT_OUT = 0;
    static final long INFLATE_AVAIL_OUT = 8;
    static final long INFLATE_NEXT_IN = 16;
    static final long INFLATE_AVAIL_IN = 32;
    static final long INFLATE_READ_IN_LENGTH = 36;
    static final long INFLATE_BLOCK_STATE = 21160;
    static final long INFLATE_BYTES = 87368;
    static final int ISAL_BLOCK_FINISH = 5;

    /// Room for versions whose structures grew at their ends.
    static final long SPARE_BYTES = 64 << 10;

    private static final String LIBRARY = "libisal.so.2";

    private final MethodHandle inflateInit;
    private final MethodHandle inflate;

    private LibIsal(SymbolLookup library) {
        inflateInit = handle(library, "isal_inflate_init", FunctionDescriptor.ofVoid(ADDRESS));
        inflate = handle(library, "isal_inflate", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    }

    /// The library; empty when the host has none, or one that does not do as this class knows it.
    static Optional<LibIsal> find() {
        return Holder.FOUND;
    }

    private static final class Holder {
        static final Optional<LibIsal> FOUND = load(LIBRARY);
    }

    @SuppressWarnings("restricted") // this room is the one that is allowed to
    static Optional<LibIsal> load(String nameOrPath) {
        try {
            var library = new LibIsal(SymbolLookup.libraryLookup(nameOrPath, Arena.global()));
            return library.works() ? Optional.of(library) : Optional.empty();
        } catch (IllegalArgumentException | NoSuchElementException notThere) {
            return Optional.empty();
        }
    }

    @SuppressWarnings("restricted") // this room is the one that is allowed to
    private static MethodHandle handle(SymbolLookup library, String name, FunctionDescriptor shape) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), shape);
    }

    /// Inflates a text: the state's offsets are right, or its end is never seen.
    private boolean works() {
        byte[] text = new byte[3000];
        for (int i = 0; i < text.length; i++) {
            text[i] = (byte) (i * i >>> 3);
        }
        byte[] packed = new byte[4000];
        byte[] back = new byte[4000];
        var deflater = new Deflater(Deflater.BEST_SPEED, true);
        deflater.setInput(text);
        deflater.finish();
        int length = deflater.deflate(packed);
        deflater.end();
        try (var inflating = new IsalInflation(this)) {
            inflating.input(packed, 0, length + 1); // one more, to be left alone
            int count = inflating.output(back, 0, back.length);
            return Arrays.equals(text, 0, text.length, back, 0, count) && inflating.finished()
                    && inflating.unused() == 1;
        } catch (DataFormatException | RuntimeException | AssertionError otherLayout) {
            return false;
        }
    }

    void inflateInit(MemorySegment state) {
        try {
            inflateInit.invokeExact(state);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }

    /// @return 0, a positive number when input or room is missing, a negative one when the data are broken
    int inflate(MemorySegment state) {
        try {
            return (int) inflate.invokeExact(state);
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
    }
}
