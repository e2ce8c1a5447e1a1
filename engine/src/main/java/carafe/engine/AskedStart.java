package carafe.engine;

import carafe.engine.volume.VolumeMounts;
import carafe.spec.EngineException;
import org.jspecify.annotations.Nullable;

/// A start that a client asked for. When the client leaves, this start is given up, whether its turn has come or not, and
/// no other client's start of the same container. The lock of this object guards its fields.
final class AskedStart {
    private final Stopper stopper;
    private final Container container;
    private boolean left;
    private boolean begun;
    private VolumeMounts.@Nullable GiveUp unwanted;

    AskedStart(Stopper stopper, Container container) {
        this.stopper = stopper;
        this.container = container;
    }

    /// Confined to the container's queue: its turn.
    void run(Mailbox.Action start) throws EngineException, InterruptedException {
        turn(true);
        try {
            start.run();
        } finally {
            turn(false);
        }
    }

    private synchronized void turn(boolean now) {
        begun = now;
        settle();
    }

    /// Its client's connection was cut.
    synchronized void leave() {
        left = true;
        settle();
    }

    private void settle() {
        if (left && begun && unwanted == null) {
            unwanted = stopper.giveUpStart(container);
        } else if (!begun && unwanted != null) {
            unwanted.close();
            unwanted = null;
        }
    }
}
