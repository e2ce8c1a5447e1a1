package carafe.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/// Native memory on loan for moving bytes between the heap and a descriptor. Up to 64 of them (8 MiB) are kept for the
/// next borrower, so a read costs neither an allocation nor the zeroing of one; content is whatever was there.
final class TransferBuffer implements AutoCloseable {

    static final int BYTES = 128 << 10;

    private static final int KEPT = 64;
    private static final ConcurrentLinkedQueue<TransferBuffer> IDLE = new ConcurrentLinkedQueue<>();
    private static final AtomicInteger IDLE_COUNT = new AtomicInteger();

    private final MemorySegment memory = Arena.ofAuto().allocate(BYTES, 4096);

    private TransferBuffer() {}

    static TransferBuffer borrow() {
        var buffer = IDLE.poll();
        if (buffer == null) {
            return new TransferBuffer();
        }
        IDLE_COUNT.decrementAndGet();
        return buffer;
    }

    MemorySegment memory() {
        return memory;
    }

    long address() {
        return memory.address();
    }

    /// Gives the memory back; it must not be used afterwards.
    @Override
    public void close() {
        if (IDLE_COUNT.incrementAndGet() <= KEPT) {
            IDLE.add(this);
        } else {
            IDLE_COUNT.decrementAndGet();
        }
    }
}
