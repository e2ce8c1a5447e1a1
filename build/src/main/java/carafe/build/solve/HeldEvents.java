package carafe.build.solve;

import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import carafe.spec.build.BuildRequest;
import java.util.ArrayList;
import java.util.List;

/// Keeps what a build tells of its steps as long as it may end with the context being wanted, so that nobody hears it twice. Any
/// thread may tell, release and drop.
public final class HeldEvents implements BuildListener {

    private final BuildListener listener;
    /// This and `released` are guarded by the object itself.
    private final List<BuildEvent> held = new ArrayList<>();
    private boolean released;

    private HeldEvents(BuildListener listener) {
        this.listener = listener;
    }

    /// What a build of `request` tells its events to, so that `listener` hears them in time.
    public static BuildListener of(BuildRequest request, BuildListener listener) {
        boolean alone = request.contexts().listing().filter(listing -> listing.alone()).isPresent();
        return alone ? new HeldEvents(listener) : listener;
    }

    @Override
    public synchronized void on(BuildEvent event) {
        if (released) {
            listener.on(event);
        } else {
            held.add(event);
        }
    }

    synchronized void release() {
        released = true;
        held.forEach(listener::on);
        held.clear();
    }

    /// Tells what `listener` has kept; everything is told at once from now on.
    public static void release(BuildListener listener) {
        if (listener instanceof HeldEvents events) {
            events.release();
        }
    }

    /// Forgets what `listener` has kept.
    public static void drop(BuildListener listener) {
        if (listener instanceof HeldEvents events) {
            synchronized (events) {
                events.held.clear();
            }
        }
    }
}
