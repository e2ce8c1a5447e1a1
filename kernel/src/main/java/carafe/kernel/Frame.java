package carafe.kernel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/// The native memory of one operation and the way into the kernel: every system call of the room goes through
/// syscall(2) with a [Syscall] as its name. One downcall shape for all of them is linked once, which keeps a cold
/// start short, and a new call needs no new handle. Errno is captured in this frame, so frames must not be shared
/// between threads.
///
/// Memory comes zeroed, from a [Slab] of 512 bytes first, then from an arena; all of it ends with [#close].
final class Frame implements AutoCloseable, SegmentAllocator {

    /// `long syscall(long number, ...)`; integer arguments travel in registers as if they were declared.
    @SuppressWarnings("restricted") // this room is the one that is allowed to
    private static final MethodHandle SYSCALL = Linker.nativeLinker().downcallHandle(
            Linker.nativeLinker().defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG,
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.captureCallState("errno"), Linker.Option.firstVariadicArg(1));

    private final Slab slab = Slab.borrow();
    private @Nullable Arena arena;
    private long used = Slab.STATE_BYTES;
    private boolean open = true;

    /// Zeroed memory that lives as long as this frame.
    @Override
    @SuppressWarnings("MustBeClosedChecker") // the arena ends with this
    public MemorySegment allocate(long bytes, long alignment) {
        requireOpen();
        long start = (used + alignment - 1) & -alignment;
        if (alignment > 16 || start + bytes > Slab.BYTES) {
            if (arena == null) {
                arena = Arena.ofConfined();
            }
            return arena.allocate(bytes, alignment);
        }
        used = start + bytes;
        return slab.memory().asSlice(start, bytes);
    }

    private void requireOpen() {
        if (!open) {
            throw new IllegalStateException("the frame is closed, and its memory another's");
        }
    }

    /// `text` as a C string. A NUL inside it would silently name something else and is refused.
    /// @throws KernelException EINVAL a NUL in the text
    MemorySegment text(String text) throws KernelException {
        if (text.indexOf(0) >= 0) {
            throw new KernelException("name", text.replace('\0', '?'), Errno.EINVAL, "it holds a NUL");
        }
        byte[] bytes = NativeText.encode(text);
        var segment = allocate(bytes.length + 1L, 1);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /// A copy of `bytes`.
    MemorySegment bytes(byte[] bytes) {
        var segment = allocate(Math.max(1, bytes.length), 8);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /// Makes the call with up to six arguments, again as long as a signal interrupts it.
    /// @return the kernel's result, or the negative errno
    long attempt(Syscall call, long... arguments) {
        long result;
        do {
            result = once(call, arguments);
        } while (result == -Errno.EINTR);
        return result;
    }

    /// Makes the call once; EINTR is a result like another.
    long once(Syscall call, long... arguments) {
        requireOpen();
        long result;
        try {
            result = (long) SYSCALL.invokeExact(slab.state(), (long) call.number(), at(arguments, 0), at(arguments, 1),
                    at(arguments, 2), at(arguments, 3), at(arguments, 4), at(arguments, 5));
        } catch (Throwable t) {
            throw new AssertionError(t); // the binding is wrong
        }
        return result == -1 ? -slab.state().get(JAVA_INT, 0) : result;
    }

    private static long at(long[] arguments, int index) {
        return index < arguments.length ? arguments[index] : 0;
    }

    /// `result` unless it is a negative errno.
    static long checked(long result, Syscall call, @Nullable Object subject) throws KernelException {
        if (result < 0 && result > -4096) {
            throw new KernelException(call.toString(), subject, (int) -result);
        }
        return result;
    }

    @Override
    public void close() {
        requireOpen();
        open = false;
        if (arena != null) {
            arena.close();
        }
        slab.giveBack(used);
    }
}
