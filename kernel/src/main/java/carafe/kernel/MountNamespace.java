package carafe.kernel;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/// A mount namespace of our own, for putting trees together that nobody else shall see: a copy of the host's that the
/// host never hears of. It belongs to one platform thread, which does all that is asked of it one after the other and
/// ends with [#close]; so do the namespace and all mounts in it, also when the process is killed. A descriptor opened
/// in it sees the mounts below as long as the namespace lives, from any thread.
///
/// The thread is never used for anything else: it could not go back (STYLE, "Native code"). It does not even wake who
/// waits: waking a virtual thread may start a carrier, and a thread is born in the namespaces of the one that starts it.
/// So a herald, which stays at home, tells the answers.
/// Source: unshare(2), mount_namespaces(7).
public final class MountNamespace implements AutoCloseable {

    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<CountDownLatch> answered = new LinkedBlockingQueue<>();
    private final CountDownLatch gone = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean closed;

    private MountNamespace() {
        thread = Thread.ofPlatform().name("carafe-mounts").daemon().start(this::work);
        Thread.ofPlatform().name("carafe-mounts-herald").daemon().start(this::tell);
    }

    /// What is done inside.
    @FunctionalInterface
    public interface Task<T> {
        T run() throws KernelException;
    }

    /// Makes one. Needs CAP_SYS_ADMIN.
    public static MountNamespace open() throws KernelException {
        var namespace = new MountNamespace();
        try {
            namespace.call(() -> {
                try (var frame = new Frame()) {
                    Frame.checked(frame.attempt(Syscall.UNSHARE, Linux.CLONE_NEWNS), Syscall.UNSHARE, "mounts");
                }
                Mounts.mount("", java.nio.file.Path.of("/"), "", Linux.MS_REC | Linux.MS_SLAVE, "");
                return true;
            });
            return namespace;
        } catch (KernelException e) {
            namespace.close();
            throw e;
        }
    }

    private static final class Answer<T> {
        private final CountDownLatch done = new CountDownLatch(1);
        private @Nullable T value;
        private @Nullable Throwable failure;
    }

    /// Runs `task` inside and waits for its answer; not interruptible, for mounting takes no time to speak of.
    @SuppressWarnings("NullAway") // a task without failure has an answer
    public <T> T call(Task<T> task) throws KernelException {
        if (closed) {
            throw new IllegalStateException("the mount namespace is closed");
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
            case KernelException e -> throw e;
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

    /// Ends the thread, and with it the namespace; waits until it is gone.
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
