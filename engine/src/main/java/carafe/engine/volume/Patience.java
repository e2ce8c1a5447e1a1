package carafe.engine.volume;

import carafe.spec.EngineException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Waits for other machines, each for one container, until whoever does not want the container to start ends them: he may
/// come while it waits or before it does. The lock of this object guards all fields.
final class Patience {

    private final Map<String, Thread> waiting = new HashMap<>(); // by container
    private final Map<String, Integer> unwanted = new HashMap<>(); // by container: how many do not want its start now
    private boolean over;

    /// What may have to wait.
    interface Wait {
        void run() throws EngineException;
    }

    /// Does what may have to wait, and is interrupted when it is given up; `sentence` begins what is said of a wait that was
    /// given up before it began.
    void with(String container, String sentence, Wait wait) throws EngineException {
        synchronized (this) {
            if (over || unwanted.containsKey(container)) {
                throw new EngineException.Unavailable(sentence + ": given up before it was mounted");
            }
            waiting.put(container, Thread.currentThread());
        }
        try {
            wait.run();
        } finally {
            synchronized (this) {
                waiting.remove(container);
                Thread.interrupted(); // it was for this wait
            }
        }
    }

    /// Ends the wait of the container, and those that it comes to until the answer is closed.
    synchronized VolumeMounts.GiveUp giveUp(String container) {
        unwanted.merge(container, 1, Integer::sum);
        interrupt(waiting.get(container));
        return new Once(container);
    }

    private final class Once implements VolumeMounts.GiveUp {
        private final String container;
        private boolean closed;

        Once(String container) {
            this.container = container;
        }

        @Override
        public void close() {
            synchronized (Patience.this) {
                if (!closed) {
                    closed = true;
                    unwanted.computeIfPresent(container, (_, count) -> count == 1 ? null : count - 1);
                }
            }
        }
    }

    /// Ends all waits, and nobody waits any more.
    synchronized void end() {
        over = true;
        waiting.values().forEach(Patience::interrupt);
    }

    private static void interrupt(@Nullable Thread thread) {
        if (thread != null) {
            thread.interrupt();
        }
    }
}
