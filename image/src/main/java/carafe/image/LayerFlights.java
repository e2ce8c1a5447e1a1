package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/// Layers that are being fetched: whoever wants one that another is fetching waits for it instead.
final class LayerFlights {

    private final Map<Digest, CompletableFuture<Boolean>> flying = new ConcurrentHashMap<>();

    /// Gets one layer.
    @FunctionalInterface
    interface Fetch {
        void run() throws EngineException;
    }

    /// Runs `fetch`, or waits while another thread runs one for the same layer.
    /// @return false when the other one failed, so that it may be tried again here
    boolean join(Digest diffId, Fetch fetch) throws EngineException {
        var own = new CompletableFuture<Boolean>();
        var other = flying.putIfAbsent(diffId, own);
        if (other != null) {
            return await(other);
        }
        boolean done = false;
        try {
            fetch.run();
            done = true;
            return true;
        } finally {
            flying.remove(diffId);
            own.complete(done);
        }
    }

    private static boolean await(CompletableFuture<Boolean> other) throws EngineException {
        try {
            return other.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException.Unavailable("waiting for a layer: cancelled", e);
        } catch (ExecutionException e) {
            throw new AssertionError(e); // only ever completed with a value
        }
    }
}
