package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Somebody who asks a [Waiting] on a thread of his own.
final class Asker {
    private static final Duration DEADLINE = Duration.ofMinutes(1);

    private final CompletableFuture<Waiting.Result> answer = new CompletableFuture<>();
    private final Thread thread;

    Asker(Waiting waiting) {
        thread = Thread.ofPlatform().daemon().name("asker").start(() -> {
            try {
                answer.complete(waiting.await());
            } catch (InterruptedException e) {
                answer.completeExceptionally(e);
            }
        });
    }

    /// Returns when he waits, for a time that is bounded, for those who attached.
    void assertHeldUp() throws InterruptedException {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (!isHeldUp()) {
            assertThat(answer).as("the answer").isNotDone();
            assertThat(System.nanoTime()).as("the deadline").isLessThan(end);
            Thread.onSpinWait();
        }
    }

    /// Whether he waits for those who attached now.
    boolean isHeldUp() {
        if (thread.getState() != Thread.State.TIMED_WAITING) {
            return false;
        }
        for (var frame : thread.getStackTrace()) {
            if (frame.getClassName().equals(Deliveries.Life.class.getName())) {
                return true;
            }
        }
        return false;
    }

    /// Whether he was answered.
    boolean isAnswered() {
        return answer.isDone();
    }

    /// What he was answered.
    Waiting.Result answer() throws Exception {
        return answer.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }
}
