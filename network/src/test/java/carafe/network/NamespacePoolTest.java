package carafe.network;

import static org.assertj.core.api.Assertions.assertThat;

import carafe.kernel.Errno;
import carafe.kernel.KernelException;
import carafe.kernel.NamespaceThread;
import carafe.kernel.NetNamespace;
import carafe.spec.Failpoints;
import java.util.Optional;
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
            Optional<NetNamespace> one = Optional.empty();
            long deadline = System.nanoTime() + 60_000_000_000L;
            while (one.isEmpty()) {
                assertThat(System.nanoTime()).as("no namespace is made ahead any more").isLessThan(deadline);
                Thread.onSpinWait();
                one = pool.poll();
            }
            one.get().close();
            assertThat(tries.get()).isGreaterThanOrEqualTo(2);
        }
    }
}
