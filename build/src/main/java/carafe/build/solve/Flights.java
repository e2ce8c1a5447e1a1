package carafe.build.solve;

import carafe.spec.oci.Digest;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/// Steps that are being done now, by key: a second build that wants one waits for the first one's result.
public final class Flights {

    private final Map<Digest, CompletableFuture<Optional<StepRecord>>> flying = new ConcurrentHashMap<>();

    /// Does the step; whatever it throws is the caller's.
    @FunctionalInterface
    interface Work<X extends Exception> {
        StepRecord run() throws X, InterruptedException;
    }

    /// Runs `work`, or waits for whoever is doing the same and takes his result. Where he failed or was stopped, the
    /// work is done here.
    <X extends Exception> StepRecord join(Digest key, Work<X> work) throws X, InterruptedException {
        while (true) {
            var own = new CompletableFuture<Optional<StepRecord>>();
            var other = flying.putIfAbsent(key, own);
            if (other == null) {
                Optional<StepRecord> done = Optional.empty();
                try {
                    done = Optional.of(work.run());
                    return done.get();
                } finally {
                    flying.remove(key);
                    own.complete(done);
                }
            }
            try {
                var result = other.get();
                if (result.isPresent()) {
                    return result.get();
                }
            } catch (ExecutionException e) {
                throw new AssertionError(e); // only ever completed with a value
            }
        }
    }
}
