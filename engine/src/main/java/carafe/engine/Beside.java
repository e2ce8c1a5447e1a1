package carafe.engine;

import carafe.spec.EngineException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// What a start does beside the rest of it, on a thread of its own. It is short and is never left alone: who began it waits
/// for its end, interrupted or not.
final class Beside {

    private final FutureTask<Boolean> task;

    /// What is done.
    interface Work {
        void run() throws EngineException;
    }

    private Beside(FutureTask<Boolean> task) {
        this.task = task;
    }

    static Beside begin(String name, Work work) {
        var task = new FutureTask<>(() -> {
            work.run();
            return true;
        });
        Thread.ofVirtual().name(name).start(task);
        return new Beside(task);
    }

    /// Waits until it is done.
    void await() throws EngineException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    task.get();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case EngineException known -> throw known;
                case RuntimeException fault -> throw fault;
                case null, default -> throw new AssertionError("what goes on beside a start", e.getCause());
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
