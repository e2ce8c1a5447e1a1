package carafe.build.solve;

import carafe.build.plan.PlannedStage;
import carafe.build.step.StepFailed;
import carafe.spec.EngineException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Solves a job's plan: every stage on a virtual thread of its own, which waits for another where it needs its result.
public final class Solver {

    private final Workshop workshop;
    private final Job job;
    private final Map<Integer, CompletableFuture<StageResult>> results = new HashMap<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private Solver(Workshop workshop, Job job) {
        this.workshop = workshop;
        this.job = job;
        job.plan().stages().forEach(stage -> results.put(stage.index(), new CompletableFuture<>()));
    }

    /// Does what is to be done and answers the targets' results, in their order. An interrupt ends everything that runs.
    /// @throws StepFailed a step's program ended with another code than 0
    public static List<StageResult> solve(Workshop workshop, Job job)
            throws EngineException, IOException, InterruptedException, StepFailed {
        job.announce();
        return new Solver(workshop, job).run();
    }

    private List<StageResult> run() throws EngineException, IOException, InterruptedException, StepFailed {
        var stages = job.plan().stages();
        var left = new CountDownLatch(stages.size());
        ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor();
        try (pool) { // close() waits for every stage
            for (var stage : stages) {
                try {
                    pool.execute(() -> {
                        try {
                            solve(stage, pool);
                        } finally {
                            left.countDown();
                        }
                    });
                } catch (RejectedExecutionException e) {
                    left.countDown(); // one before has failed already, and ended the pool
                }
            }
            try {
                left.await();
            } catch (InterruptedException e) {
                pool.shutdownNow();
                throw e;
            }
        }
        var failed = failure.get();
        if (failed != null) {
            switch (failed) {
                case EngineException e -> throw e;
                case IOException e -> throw e;
                case StepFailed e -> throw e;
                case InterruptedException e -> throw e;
                case RuntimeException e -> throw e;
                case OutOfMemoryError e -> throw new EngineException.Unavailable("the build needs more memory than the engine"
                        + " has (" + (Runtime.getRuntime().maxMemory() >> 20) + " MiB); copy fewer files in one step, or"
                        + " leave out what it does not need with a .dockerignore file", e);
                case Error e -> throw e;
                default -> throw new AssertionError(failed);
            }
        }
        var done = new ArrayList<StageResult>();
        for (var target : job.plan().targets()) {
            done.add(result(target.stage()));
        }
        return done;
    }

    private void solve(PlannedStage stage, ExecutorService pool) {
        var future = future(stage.index());
        try {
            future.complete(new StageSolver(workshop, job, stage, this::result).solve());
        } catch (Throwable e) { // an Error too: whoever waits for this stage would wait for ever
            boolean first = failure.compareAndSet(null, e); // before those that wait for this stage fail too
            future.completeExceptionally(e);
            if (first) {
                pool.shutdownNow(); // the other stages are of no use any more
            }
        }
    }

    private CompletableFuture<StageResult> future(int stage) {
        var future = results.get(stage);
        if (future == null) {
            throw new AssertionError("stage " + stage + " is not planned");
        }
        return future;
    }

    /// The result of a stage, when it is there.
    private StageResult result(int stage) throws InterruptedException {
        try {
            return future(stage).get();
        } catch (ExecutionException e) {
            throw new InterruptedException("the stage it needs failed");
        }
    }
}
