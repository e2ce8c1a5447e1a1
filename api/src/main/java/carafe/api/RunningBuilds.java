package carafe.api;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Builds to which their clients gave an id (`buildid`), so that they can be cancelled by it. Any thread may ask.
final class RunningBuilds {

    /// The builds of each id; a client may give one to several. Guarded by the object itself.
    private final Map<String, List<Running>> running = new HashMap<>();

    /// A build and the thread that does it.
    final class Running {
        private final String id;
        private final Thread thread = Thread.currentThread();
        private boolean cancelled;

        private Running(String id) {
            this.id = id;
        }

        /// Whether somebody cancelled it.
        boolean isCancelled() {
            synchronized (RunningBuilds.this) {
                return cancelled;
            }
        }

        /// The build is over; its thread is not interrupted any more.
        void end() {
            synchronized (RunningBuilds.this) {
                running.computeIfPresent(id, (_, all) -> {
                    all.remove(this);
                    return all.isEmpty() ? null : all;
                });
            }
        }
    }

    /// This thread begins a build; to be followed by [Running#end]. Without an id, nobody can cancel it.
    synchronized Running begin(String id) {
        var build = new Running(id);
        if (!id.isEmpty()) {
            running.computeIfAbsent(id, _ -> new ArrayList<>()).add(build);
        }
        return build;
    }

    /// Interrupts the builds of this id; there may be none any more.
    synchronized void cancel(String id) {
        for (var build : running.getOrDefault(id, List.of())) {
            build.cancelled = true;
            build.thread.interrupt();
        }
    }
}
