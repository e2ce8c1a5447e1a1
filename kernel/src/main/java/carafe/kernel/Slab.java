package carafe.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// A little native memory on loan to a [Frame], all zero; its beginning is where calls leave errno. A start makes some
/// three hundred frames: those that are idle are kept, so that each costs no allocation.
final class Slab {

    static final long BYTES = 512;
    static final long STATE_BYTES = Linker.Option.captureStateLayout().byteSize();

    private static final int KEPT = 32;
    private static final int LOOKS = 4;
    private static final AtomicReferenceArray<@Nullable Slab> IDLE = new AtomicReferenceArray<>(KEPT);

    private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, 16);
    private final MemorySegment state = memory.asSlice(0, STATE_BYTES);

    private Slab() {}

    static Slab borrow() {
        int first = place();
        for (int i = 0; i < LOOKS; i++) {
            var idle = IDLE.getAndSet((first + i) % KEPT, null);
            if (idle != null) {
                return idle;
            }
        }
        return new Slab();
    }

    /// Threads look for one at places of their own first.
    private static int place() {
        return (int) (Thread.currentThread().threadId() % KEPT);
    }

    MemorySegment memory() {
        return memory;
    }

    MemorySegment state() {
        return state;
    }

    /// Takes it back with the first `used` bytes written; without a free place for it, it is garbage.
    void giveBack(long used) {
        memory.asSlice(0, used).fill((byte) 0);
        int first = place();
        for (int i = 0; i < LOOKS; i++) {
            if (IDLE.compareAndSet((first + i) % KEPT, null, this)) {
                return;
            }
        }
    }
}
