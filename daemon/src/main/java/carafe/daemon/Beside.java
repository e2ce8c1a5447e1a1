package carafe.daemon;

import carafe.spec.EngineException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// A part that is made on a thread of its own while its maker goes on with others. Owns the part: closing waits for it
/// and closes it.
final class Beside<T extends AutoCloseable> implements AutoCloseable {

    private final FutureTask<T> task;

    private Beside(FutureTask<T> task) {
        this.task = task;
    }

    static <T extends AutoCloseable> Beside<T> begin(String name, Callable<T> making) {
        var task = new FutureTask<>(making);
        Thread.ofPlatform().name(name).start(task);
        return new Beside<>(task);
    }

    /// The part, when it is there; throws what its making threw.
    T get() throws EngineException {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("interrupted while starting", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case EngineException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new AssertionError(e.getCause());
            }
        }
    }

    /// Waits for the part, interrupted or not: it holds what nobody else would give back. An interrupt is kept.
    @Override
    public void close() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    task.get().close();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    return; // it never was; whoever asked for it knows why
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException("closing: " + e.getMessage(), e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
