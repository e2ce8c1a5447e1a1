package carafe.build.tree;

import java.util.concurrent.atomic.AtomicLong;

/// The heap's part that the indexes of files may have, all that are held at once together: contexts, unpacked archives and
/// what steps select of them. How much one needs is estimated by who fills it. Any thread's; nothing blocks.
public final class IndexMemory {

    private final long limitBytes;
    private final AtomicLong heldBytes = new AtomicLong();

    /// One of `limitBytes`.
    public IndexMemory(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /// Two thirds of the heap: a third for the largest context, and as much for a step that copies all of it.
    public static IndexMemory ofHeap() {
        return new IndexMemory(Runtime.getRuntime().maxMemory() / 3 * 2);
    }

    /// How many bytes are held.
    public long heldBytes() {
        return heldBytes.get();
    }

    /// The share of one index, which holds nothing yet.
    public Share share() {
        return new Share();
    }

    /// What one index holds, at most half of all; whoever has the index closes it. One thread's at a time.
    public final class Share implements AutoCloseable {

        private long bytes;
        private long othersBytes;

        private Share() {}

        /// Holds `moreBytes` more, if there are as many.
        /// @return whether there were
        public boolean hold(long moreBytes) {
            othersBytes = 0;
            if (bytes + moreBytes > limitBytes / 2) {
                return false;
            }
            long before;
            do {
                before = heldBytes.get();
                if (before + moreBytes > limitBytes) {
                    othersBytes = before - bytes;
                    return false;
                }
            } while (!heldBytes.compareAndSet(before, before + moreBytes));
            bytes += moreBytes;
            return true;
        }

        /// What to say behind the numbers of an index that got no more: nothing, or that others hold what it lacked.
        public String others() {
            return othersBytes == 0 ? "" : ", while other contexts and steps hold " + (othersBytes >> 20) + " MiB of it";
        }

        /// Gives all back.
        @Override
        public void close() {
            heldBytes.addAndGet(-bytes);
            bytes = 0;
        }
    }
}
