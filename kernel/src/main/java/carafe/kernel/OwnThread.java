package carafe.kernel;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/// A platform thread for work under other circumstances than the rest of the process: other namespaces, another user. It
/// does all that is asked of it one after the other, is never used for anything else and ends with [#close]: it could
/// not go back (STYLE, "Native code"). It does not even wake who waits: waking a virtual thread may start a carrier, and
/// a thread is born with the namespaces and rights of the one that starts it. So a herald, which stays as it is, tells
/// the answers.
final class OwnThread implements AutoCloseable {

    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<CountDownLatch> answered = new LinkedBlockingQueue<>();
    private final CountDownLatch gone = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean closed;

    /// Starts both threads, under the circumstances of the caller's.
    OwnThread(String name) {
        thread = Thread.ofPlatform().name(name).daemon().start(this::work);
        Thread.ofPlatform().name(name + "-herald").daemon().start(this::tell);
    }

    /// What is done on it.
    @FunctionalInterface
    interface Task<T> {
        T run() throws Exception;
    }

    private static final class Answer<T> {
        private final CountDownLatch done = new CountDownLatch(1);
        private @Nullable T value;
        private @Nullable Throwable failure;
    }

    /// Runs `task` on it and waits for its answer; not interruptible, for what is done here takes no time to speak of.
    @SuppressWarnings("NullAway") // a task without failure has an answer
    <T> T call(Task<T> task) throws IOException {
        if (closed) {
            throw new IllegalStateException("the thread has ended");
        }
        var answer = new Answer<T>();
        tasks.add(() -> {
            try {
                answer.value = task.run();
            } catch (Throwable e) {
                answer.failure = e;
            } finally {
                answered.add(answer.done);
            }
        });
        boolean interrupted = false;
        while (answer.done.getCount() > 0) {
            try {
                answer.done.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        switch (answer.failure) {
            case null -> { }
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new AssertionError(e);
        }
        return answer.value;
    }

    private void work() {
        while (!closed) {
            try {
                tasks.take().run();
            } catch (InterruptedException e) {
                continue; // only close ends this thread
            }
        }
        answered.add(gone);
    }

    private void tell() {
        while (gone.getCount() > 0) {
            try {
                var next = answered.take();
                if (next == gone) {
                    thread.join();
                }
                next.countDown();
            } catch (InterruptedException e) {
                continue; // only close ends this thread
            }
        }
    }

    /// Ends the thread; waits until it is gone.
    @Override
    public void close() {
        closed = true;
        tasks.add(() -> { });
        boolean interrupted = false;
        while (gone.getCount() > 0) {
            try {
                gone.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
