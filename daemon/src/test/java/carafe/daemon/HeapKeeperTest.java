package carafe.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class HeapKeeperTest {

    private static final long START = 50L << 20;
    private static final long GROWN = START + 2 * HeapKeeper.WORTH_BYTES;

    /// A heap whose use at each look is given; the last one stays. Counts collections, each of which leaves `START`.
    private static final class PlayedHeap implements HeapKeeper.Heap {
        private final Queue<Long> looks;
        private final CountDownLatch played = new CountDownLatch(1);
        private long last = START;
        private int collections;

        PlayedHeap(Long... looks) {
            this.looks = new ArrayDeque<>(List.of(looks));
        }

        @Override
        public synchronized long used() {
            if (looks.isEmpty()) {
                played.countDown();
            } else {
                last = looks.remove();
            }
            return last;
        }

        @Override
        public synchronized void collect() {
            collections++;
            looks.add(START);
        }
    }

    private static int collectionsOf(Long... looks) throws Exception {
        var heap = new PlayedHeap(looks);
        var keeper = new HeapKeeper(heap, Duration.ofMillis(1));
        try {
            assertThat(heap.played.await(20, TimeUnit.SECONDS)).isTrue();
        } finally {
            keeper.close();
        }
        return heap.collections;
    }

    @Test
    void whatGrewAndRestsIsCollectedOnce() throws Exception {
        assertThat(collectionsOf(START, GROWN, GROWN, START + 1, START + 1)).isEqualTo(1);
    }

    @Test
    void growthBeginsAnewAfterACollection() throws Exception {
        assertThat(collectionsOf(START, GROWN, GROWN + 1, START, GROWN, GROWN + 1, START, START)).isEqualTo(2);
    }

    @Test
    void whatIsAtWorkIsLeftAlone() throws Exception {
        assertThat(collectionsOf(START, GROWN, GROWN + HeapKeeper.RESTING_BYTES, GROWN, START)).isZero();
    }

    @Test
    void littleGrowthIsNotWorthIt() throws Exception {
        long grown = START + HeapKeeper.WORTH_BYTES;
        assertThat(collectionsOf(START, grown, grown, grown)).isZero();
    }
}
