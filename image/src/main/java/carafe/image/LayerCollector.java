package carafe.image;

import carafe.spec.EngineException;
import carafe.spec.oci.Digest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Predicate;

/// Removes layers that nothing needs, and keeps those that somebody is about to need: a load holds a lease on the
/// layers it found or made until an image names them, a snapshot is made while no collection runs.
///
/// `exclusion` is held for reading while a layer's presence is relied on or a lease begins, for writing while layers are
/// removed (renames only; the deletion itself is in the background). It guards the layers' directory rather than fields, so
/// there is disk work under it.
final class LayerCollector {

    private final LayerStore layers;
    private final ReentrantReadWriteLock exclusion = new ReentrantReadWriteLock();
    private final Map<Digest, Integer> leases = new HashMap<>(); // guarded by itself

    LayerCollector(LayerStore layers) {
        this.layers = layers;
    }

    /// Work during which no layer goes away.
    @FunctionalInterface
    interface Work<T, X extends Exception> {
        T run() throws IOException, X;
    }

    /// Runs `work` while no layer goes away.
    <T, X extends Exception> T whileKept(Work<T, X> work) throws IOException, X {
        exclusion.readLock().lock();
        try {
            return work.run();
        } finally {
            exclusion.readLock().unlock();
        }
    }

    /// A lease that holds nothing yet.
    Lease lease() {
        return new Lease();
    }

    /// Keeps layers until it is closed. Not for several threads.
    final class Lease implements AutoCloseable {
        private final Set<Digest> held = new HashSet<>();

        /// Keeps the layer from now on if it is here.
        boolean holdIfHere(Digest diffId) throws IOException {
            return whileKept(() -> {
                if (!layers.has(diffId)) {
                    return false;
                }
                hold(Set.of(diffId));
                return true;
            });
        }

        /// Keeps the layers from now on, even if they come later. Waits for a collection to end: it may have seen already
        /// that nobody keeps one that is here, and remove it.
        void hold(Collection<Digest> diffIds) {
            exclusion.readLock().lock();
            try {
                synchronized (leases) {
                    for (var diffId : diffIds) {
                        if (held.add(diffId)) {
                            leases.merge(diffId, 1, Integer::sum);
                        }
                    }
                }
            } finally {
                exclusion.readLock().unlock();
            }
        }

        @Override
        public void close() {
            synchronized (leases) {
                for (var diffId : held) {
                    leases.computeIfPresent(diffId, (_, count) -> count == 1 ? null : count - 1);
                }
                held.clear();
            }
        }
    }

    /// Tells which layers are needed, asked while the collector holds everything else off.
    @FunctionalInterface
    interface Needs {
        Predicate<Digest> needed() throws IOException, EngineException;
    }

    /// Removes every layer that neither `needs` nor a lease keeps.
    /// @return those removed
    Set<Digest> collect(Needs needs) throws IOException, EngineException {
        exclusion.writeLock().lock();
        try {
            var needed = needs.needed();
            var removed = new HashSet<Digest>();
            for (var diffId : new ArrayList<>(layers.list())) {
                if (!needed.test(diffId) && !isLeased(diffId)) {
                    layers.remove(diffId);
                    removed.add(diffId);
                }
            }
            return removed;
        } finally {
            exclusion.writeLock().unlock();
        }
    }

    private boolean isLeased(Digest diffId) {
        synchronized (leases) {
            return leases.containsKey(diffId);
        }
    }
}
