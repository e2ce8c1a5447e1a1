package carafe.network;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.spec.Failpoints;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class NamespacePoolTest {

    private static final NamespacePool.Pairs NO_PAIRS = new NamespacePool.Pairs() {
        @Override
        public NamespacePool.Cable lay(NetNamespace namespace) {
            throw new AssertionError("nobody wants cables");
        }

        @Override
        public void bury(String hostLink) {}

        @Override
        public void close() {}
    };

    private static NetNamespace awaitReady(NamespacePool pool) {
        long deadline = System.nanoTime() + 60_000_000_000L;
        var one = pool.poll();
        while (one.isEmpty()) {
            assertThat(System.nanoTime()).as("no namespace is made ahead any more").isLessThan(deadline);
            Thread.onSpinWait();
            one = pool.poll();
        }
        return one.get();
    }

    /// A start waits for no namespace to be made: it gets one that is there, and another takes its place.
    @Test
    void whoComesTakesOneThatIsReadyAndTheNextOnesAreMadeInItsPlace() throws Exception {
        int size = 3;
        var made = new CopyOnWriteArrayList<NetNamespace>();
        var gate = new Semaphore(size); // so many may be made
        try (var thread = NamespaceThread.start();
                var pool = new NamespacePool(thread, () -> {
                    gate.acquireUninterruptibly();
                    var namespace = thread.create(NamespacePool.SETTINGS);
                    made.add(namespace);
                    return namespace;
                }, size, NO_PAIRS, Failpoints.none())) {
            for (int round = 1; round <= 2; round++) {
                for (int taken = (round - 1) * size; taken < round * size; taken++) {
                    try (var one = awaitReady(pool)) {
                        assertThat(one).isSameAs(made.get(taken));
                    }
                }
                assertThat(made).as("nobody could make one meanwhile").hasSize(round * size);
                gate.release(size);
            }
            awaitReady(pool).close();
            try (var one = pool.take()) {
                assertThat(made).contains(one);
            }
            gate.release(100); // who waits at the gate would keep the pool from closing
        }
    }

    /// Making one takes the kernel's one lock of links, which whoever took one is about to need.
    @Test
    void othersAreMadeWhenWhoTookOneIsDoneUnlessNoneIsLeft() throws Exception {
        var made = new AtomicInteger();
        try (var thread = NamespaceThread.start();
                var pool = new NamespacePool(thread, () -> {
                    made.incrementAndGet();
                    return thread.create(NamespacePool.SETTINGS);
                }, 2, NO_PAIRS, Failpoints.none())) {
            awaitReady(pool, 2);
            pool.poll().orElseThrow().close();
            thread.insideHome(() -> true); // whatever was on its way to be made is made by now
            assertThat(made.get()).as("one is left, and the other is still being used").isEqualTo(2);
            pool.refill();
            awaitReady(pool, 2);
            assertThat(made.get()).isEqualTo(3);
            pool.poll().orElseThrow().close();
            pool.poll().orElseThrow().close();
            awaitReady(pool, 2);
        }
    }

    private static void awaitReady(NamespacePool pool, int number) {
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (pool.ready() < number) {
            assertThat(System.nanoTime()).as("%s of %s are ready", pool.ready(), number).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    /// A host may be out of descriptors or memory for a moment.
    @Test
    void whatFailedOnceIsTriedAgain() throws Exception {
        var tries = new AtomicInteger();
        try (var thread = NamespaceThread.start();
                var pool = new NamespacePool(thread, () -> {
                    if (tries.incrementAndGet() == 1) {
                        throw new KernelException("unshare", "network namespace", Errno.ENOMEM, "");
                    }
                    return thread.create(NamespacePool.SETTINGS);
                }, 1, NO_PAIRS, Failpoints.none())) {
            awaitReady(pool).close();
            assertThat(tries.get()).isGreaterThanOrEqualTo(2);
        }
    }
}
