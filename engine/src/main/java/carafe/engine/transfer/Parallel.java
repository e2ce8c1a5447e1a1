package carafe.engine.transfer;

import carafe.spec.EngineException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Runs tasks side by side; the first failure, or an interrupt, ends the others before it is thrown.
final class Parallel {

    private Parallel() {}

    /// The results, in the order of the tasks.
    static <T> List<T> all(List<Callable<T>> tasks) throws EngineException, InterruptedException {
        var pool = Executors.newVirtualThreadPerTaskExecutor();
        try (pool) { // close() waits for every task
            var done = new ExecutorCompletionService<T>(pool);
            var futures = tasks.stream().map(done::submit).toList();
            try {
                for (int i = 0; i < tasks.size(); i++) {
                    done.take().get();
                }
            } catch (ExecutionException | InterruptedException e) {
                pool.shutdownNow();
                throw e;
            }
            return futures.stream().map(Future::resultNow).toList();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case EngineException known -> throw known;
                case InterruptedException stopped -> throw stopped;
                case RuntimeException bug -> throw bug;
                case null, default -> throw new AssertionError(e);
            }
        }
    }
}
