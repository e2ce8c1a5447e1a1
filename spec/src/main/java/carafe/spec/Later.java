package carafe.spec;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/// Puts off what mostly will not be done: it is called off before, as containers that end at once are removed at once.
/// Asking and calling off wake nobody, where a timed wait of a virtual thread wakes the clock of the scheduler each time. So
/// it is not exact: one virtual thread looks at intervals of `look` while there is something to come, and does what is due,
/// one after the other. Work that waits for a disk for long belongs on a thread of its own.
public final class Later {

    private final String name;
    private final Duration look;
    private final Set<Entry> entries = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean looking = new AtomicBoolean();

    /// `name` is that of its thread, for dumps.
    public Later(String name, Duration look) {
        this.name = name;
        this.look = look;
    }

    /// Something to come.
    public final class Entry {
        private final long due;
        private final Runnable action;

        private Entry(long due, Runnable action) {
            this.due = due;
            this.action = action;
        }

        /// It is not done any more, unless it has begun.
        public void callOff() {
            entries.remove(this);
        }
    }

    /// Does `action` when `delay` is over, or up to `look` later. It must not throw.
    public Entry after(Duration delay, Runnable action) {
        var entry = new Entry(System.nanoTime() + delay.toNanos(), action);
        entries.add(entry);
        if (!looking.get()) {
            begin();
        }
        return entry;
    }

    private void begin() {
        if (looking.compareAndSet(false, true)) {
            Thread.ofVirtual().name(name).start(this::lookUntilEmpty);
        }
    }

    private void lookUntilEmpty() {
        try {
            do {
                Thread.sleep(look);
                long now = System.nanoTime();
                for (var entry : entries) {
                    if (now - entry.due >= 0 && entries.remove(entry)) {
                        entry.action.run();
                    }
                }
            } while (!entries.isEmpty());
        } catch (InterruptedException e) {
            throw new AssertionError("nobody knows this thread", e);
        } finally {
            looking.set(false);
            if (!entries.isEmpty()) {
                begin(); // came in between, or were left by an action that threw
            }
        }
    }
}
