package carafe.daemon;

import java.time.Duration;

/// Gives memory back when the daemon has worked and rests. The serial collector lets the old generation grow as long as
/// the machine has memory, which is right under load and wrong for a daemon that then idles for weeks. Looks every
/// `pause`, on a thread of its own, at a counter; a collection costs some tens of milliseconds in which nobody waits.
final class HeapKeeper implements AutoCloseable {

    private static final Duration PAUSE = Duration.ofSeconds(10);
    private static final long RESTING_BYTES = 1 << 20; // what idle threads allocate between two looks
    private static final long WORTH_BYTES = 32 << 20;

    private final Thread thread;

    HeapKeeper() {
        thread = Thread.ofPlatform().name("carafe-heap").daemon().start(this::watch);
    }

    private void watch() {
        long before = used();
        long kept = before;
        try {
            while (true) {
                Thread.sleep(PAUSE);
                long now = used();
                boolean rests = Math.abs(now - before) < RESTING_BYTES;
                if (rests && now > kept + WORTH_BYTES) {
                    System.gc();
                    now = used();
                    kept = now;
                }
                before = now;
            }
        } catch (InterruptedException e) {
            return; // the daemon ends
        }
    }

    private static long used() {
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
