package carafe.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Those who wait for one container. The lock guards the list and orders registrations and changes of state, so that
/// none falls between; it is held for memory operations only.
final class Waits {
    private final Deliveries deliveries;
    private final Object lock = new Object();
    private final List<Wait> waiting = new ArrayList<>();

    /// What [Waiting#await] answers comes after what `deliveries` says is on its way to clients.
    Waits(Deliveries deliveries) {
        this.deliveries = deliveries;
    }

    /// Registers a wait. If `now` already answers it, it is over at once.
    Wait register(WaitCondition condition, Supplier<Optional<Waiting.Result>> now) {
        var wait = new Wait(condition);
        synchronized (lock) {
            var known = now.get();
            if (known.isPresent()) {
                wait.finish(known.get());
            } else {
                waiting.add(wait);
            }
        }
        return wait;
    }

    /// Makes a change of state seen, then answers those of `conditions` that wait, all in one step.
    void change(Runnable publication, List<WaitCondition> conditions, Waiting.Result result) {
        synchronized (lock) {
            publication.run();
            finish(wait -> conditions.contains(wait.condition), result);
        }
    }

    /// Answers everybody who still waits.
    void abandon(String reason) {
        synchronized (lock) {
            finish(_ -> true, new Waiting.Result(0, reason));
        }
        deliveries.giveUp();
    }

    private void finish(Predicate<Wait> which, Waiting.Result result) {
        waiting.removeIf(wait -> {
            boolean over = which.test(wait);
            if (over) {
                wait.finish(result);
            }
            return over;
        });
    }

    /// One who waits.
    final class Wait implements Waiting {
        private final WaitCondition condition;
        private final CountDownLatch over = new CountDownLatch(1);
        private volatile @Nullable Result result;
        private volatile Deliveries.@Nullable Life life;

        private Wait(WaitCondition condition) {
            this.condition = condition;
        }

        private void finish(Result how) {
            if (result == null) {
                life = deliveries.last();
                result = how;
            }
            over.countDown();
        }

        /// Waits at most so long; false when it was too short.
        boolean await(Duration most) throws InterruptedException {
            return over.await(most.toNanos(), TimeUnit.NANOSECONDS);
        }

        /// The answer, whether or not clients have the output.
        Result ended() throws InterruptedException {
            over.await();
            Result known = result;
            if (known == null) {
                throw new AssertionError("a wait ended without a result");
            }
            return known;
        }

        @Override
        public Result await() throws InterruptedException {
            Result known = ended();
            var ending = life;
            if (known.error().isEmpty() && ending != null) {
                ending.await();
            }
            return known;
        }

        @Override
        public void close() {
            synchronized (lock) {
                waiting.remove(this);
                finish(new Result(0, "the wait was cancelled"));
            }
        }
    }
}
