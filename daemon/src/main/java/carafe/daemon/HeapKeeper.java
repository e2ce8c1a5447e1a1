package carafe.daemon;

import java.time.Duration;

/// Gives memory back when the daemon has worked and rests. The serial collector lets the old generation grow as long as
/// the machine has memory, which is right under load and wrong for a daemon that then idles for weeks. Looks every
/// `pause`, on a thread of its own, at a counter; a collection costs some tens of milliseconds in which nobody waits.
final class HeapKeeper implements AutoCloseable {

    /// The heap that is kept small; its counters are read and its collection started from the keeper's thread.
    interface Heap {

        /// Bytes in use, garbage included.
        long used();

        /// Returns when what nobody holds is free.
        void collect();
    }

    static final long RESTING_BYTES = 1 << 20; // what idle threads allocate between two looks
    static final long WORTH_BYTES = 32 << 20;
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final Heap heap;
    private final Thread thread;
    private long before;
    private long kept;

    HeapKeeper() {
        this(new OwnHeap(), PAUSE);
    }

    HeapKeeper(Heap heap, Duration pause) {
        this.heap = heap;
        before = heap.used();
        kept = before;
        thread = Thread.ofPlatform().name("carafe-heap").daemon().start(() -> watch(pause));
    }

    private void watch(Duration pause) {
        try {
            while (true) {
                Thread.sleep(pause);
                look();
            }
        } catch (InterruptedException e) {
            return; // the daemon ends
        }
    }

    private void look() {
        long now = heap.used();
        boolean rests = Math.abs(now - before) < RESTING_BYTES;
        if (rests && now > kept + WORTH_BYTES) {
            heap.collect();
            now = heap.used();
            kept = now;
        }
        before = now;
    }

    /// Returns when the keeper's thread has ended.
    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class OwnHeap implements Heap {

        @Override
        public long used() {
            return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        }

        @Override
        public void collect() {
            System.gc();
        }
    }
}
