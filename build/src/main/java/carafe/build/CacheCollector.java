package carafe.build;

import carafe.spec.EngineException;
import carafe.spec.build.CacheRules;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Collects what builds keep, by the rules of its engine and on a thread of its own: once after it began, and after builds.
/// It comes a while after the build that it was asked for, and rests twenty times as long as it worked, so that many
/// builds in a row are not slower for it.
public final class CacheCollector implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger("carafe.build");
    private static final Duration QUIET = Duration.ofSeconds(2);
    private static final long REST = 20;
    private static final Duration LONGEST_REST = Duration.ofMinutes(5);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final CacheKeeping keeping;
    private final CacheRules rules;
    private final Clock clock;
    private final Duration quiet;
    private final Semaphore wanted = new Semaphore(1);
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread worker;

    private CacheCollector(CacheKeeping keeping, CacheRules rules, Clock clock, Duration quiet) {
        this.keeping = keeping;
        this.rules = rules;
        this.clock = clock;
        this.quiet = quiet;
        this.worker = Thread.ofVirtual().name("build-collect").unstarted(this::work);
    }

    /// Begins; `clock` says how old things are.
    public static CacheCollector begin(CacheKeeping keeping, CacheRules rules, Clock clock) {
        return begin(keeping, rules, clock, QUIET);
    }

    static CacheCollector begin(CacheKeeping keeping, CacheRules rules, Clock clock, Duration quiet) {
        var collector = new CacheCollector(keeping, rules, clock, quiet);
        if (rules.enabled()) {
            collector.worker.start();
        }
        return collector;
    }

    /// Says that a build is over. Does not block.
    public void soon() {
        wanted.release();
    }

    private void work() {
        try {
            while (true) {
                wanted.acquire();
                if (closed.await(quiet.toNanos(), TimeUnit.NANOSECONDS)) {
                    return;
                }
                wanted.drainPermits();
                long begun = System.nanoTime();
                collect();
                long rest = Math.min((System.nanoTime() - begun) * REST, LONGEST_REST.toNanos());
                if (closed.await(rest, TimeUnit.NANOSECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        }
    }

    private void collect() {
        try {
            var gone = keeping.collect(rules, clock.instant());
            if (!gone.ids().isEmpty()) {
                LOG.log(Level.INFO, "the build cache was collected: {0} of its parts, {1} bytes", gone.ids().size(),
                        gone.bytes());
            }
        } catch (EngineException | RuntimeException e) {
            LOG.log(Level.WARNING, "the build cache cannot be collected now: " + e.getMessage());
        }
    }

    /// Waits for a collection that goes on, but not for ever: what it did not come to is for the next one.
    @Override
    public void close() {
        closed.countDown();
        wanted.release();
        try {
            if (rules.enabled() && !worker.join(PATIENCE)) {
                LOG.log(Level.WARNING, "the build cache is still being collected; the next start goes on with it");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
