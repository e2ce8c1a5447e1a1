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

    @Override
    public void close() {
        T part;
        try {
            part = get();
        } catch (EngineException | RuntimeException e) {
            return; // it never was; whoever asked for it knows why
        }
        try {
            part.close();
        } catch (Exception e) {
            throw new IllegalStateException("closing: " + e.getMessage(), e);
        }
    }
}
