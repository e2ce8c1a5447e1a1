package carafe.engine;

import carafe.spec.EngineException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A queue of work that runs one piece after the other on a virtual thread, which exists only while there is work: a
/// thousand idle containers cost a thousand small objects. Whoever posts work may wait for it; when the waiter is
/// interrupted (its client left), the work still runs to its end.
final class Mailbox {
    private static final Logger LOG = LoggerFactory.getLogger(Mailbox.class);

    private final ConcurrentLinkedQueue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final String name;

    /// `name` is that of its thread, for dumps.
    Mailbox(String name) {
        this.name = name;
    }

    /// A piece of work with an answer.
    @FunctionalInterface
    interface Work<T> {
        T run() throws EngineException, InterruptedException;
    }

    /// A piece of work without an answer.
    @FunctionalInterface
    interface Action {
        void run() throws EngineException, InterruptedException;
    }

    private static final class Answer<T> {
        private final CountDownLatch done = new CountDownLatch(1);
        private @Nullable T value;
        private @Nullable Throwable failure;
    }

    /// Runs `work` in turn and waits for its answer.
    @SuppressWarnings("NullAway") // T may be what the caller says it is; null only where T allows it
    <T> T ask(Work<T> work) throws EngineException, InterruptedException {
        var answer = new Answer<T>();
        tell(() -> {
            try {
                answer.value = work.run();
            } catch (Throwable e) {
                answer.failure = e;
            } finally {
                answer.done.countDown();
            }
        });
        answer.done.await();
        switch (answer.failure) {
            case null -> { }
            case EngineException e -> throw e;
            case InterruptedException e -> throw new EngineException.Unavailable("the engine is shutting down", e);
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new AssertionError(e);
        }
        return answer.value;
    }

    /// Runs `action` in turn and waits for its end.
    void perform(Action action) throws EngineException, InterruptedException {
        ask(() -> {
            action.run();
            return true;
        });
    }

    /// Runs `work` in turn without waiting for it.
    void tell(Runnable work) {
        queue.add(work);
        if (waiting.getAndIncrement() == 0) {
            Thread.ofVirtual().name(name).start(this::drain);
        }
    }

    /// Runs `work` in turn: on the calling thread, which nobody interrupts, when it is its turn at once, so that no other is
    /// woken; else without waiting for it.
    void tellHere(Runnable work) {
        if (waiting.compareAndSet(0, 1)) {
            queue.add(work);
            drain();
        } else {
            tell(work);
        }
    }

    /// Whether there is work now.
    boolean busy() {
        return waiting.get() > 0;
    }

    private void drain() {
        do {
            Runnable work = queue.poll();
            if (work != null) {
                try {
                    work.run();
                } catch (RuntimeException | Error e) {
                    LOG.error("work on {} failed", name, e); // our bug; what queues behind it must still run
                }
            }
        } while (waiting.decrementAndGet() > 0);
    }
}
