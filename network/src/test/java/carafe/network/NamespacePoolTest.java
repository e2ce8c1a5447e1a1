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
