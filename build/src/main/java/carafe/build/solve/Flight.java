package carafe.build.solve;

import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// A step that is being done, and what its program told so far: the beginning and the end, with a bound for each, so that a
/// build that waits for it shows what the build that does it shows. Who follows slowly misses something and holds up nobody.
final class Flight {

    /// The most that is kept of the beginning, and of the end.
    static final int KEPT_BYTES = 256 << 10;

    /// What an event takes beside its bytes.
    private static final int EVENT_BYTES = 64;

    /// Guards everything below.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition more = lock.newCondition();
    private final List<BuildEvent> beginning = new ArrayList<>();
    private final ArrayDeque<BuildEvent> end = new ArrayDeque<>();
    private long beginningCost;
    private long endCost;
    private long endBytes;
    private long dropped;
    private long droppedBytes;
    private boolean over;
    private Optional<StepRecord> result = Optional.empty();

    /// Keeps `event` for those that follow.
    void tell(BuildEvent event) {
        lock.lock();
        try {
            if (end.isEmpty() && beginningCost + cost(event) <= KEPT_BYTES) {
                beginning.add(event);
                beginningCost += cost(event);
            } else {
                end.addLast(event);
                endCost += cost(event);
                endBytes += bytes(event);
                while (endCost > KEPT_BYTES && end.size() > 1) {
                    var gone = end.removeFirst();
                    endCost -= cost(gone);
                    endBytes -= bytes(gone);
                    dropped++;
                    droppedBytes += bytes(gone);
                }
            }
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private static long cost(BuildEvent event) {
        return EVENT_BYTES + bytes(event);
    }

    private static long bytes(BuildEvent event) {
        return event instanceof BuildEvent.Log log ? log.bytes().length : 0;
    }

    /// The step is over, without result where it failed or was stopped.
    void end(Optional<StepRecord> made) {
        lock.lock();
        try {
            over = true;
            result = made;
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Tells `listener` everything from the beginning, as of the step `vertex`, and waits for the end.
    /// @return the result, if it came to one
    Optional<StepRecord> follow(int vertex, BuildListener listener) throws InterruptedException {
        int told = 0;
        long passed = 0;
        long passedBytes = 0;
        var next = new ArrayList<BuildEvent>();
        while (true) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            lock.lock();
            try {
                while (told == beginning.size() && passed == dropped + end.size() && !over) {
                    more.await();
                }
                next.addAll(beginning.subList(told, beginning.size()));
                told = beginning.size();
                if (passed < dropped) {
                    next.add(note(vertex, "\n[" + (droppedBytes - passedBytes) + " bytes of output are left out here]\n"));
                    passed = dropped;
                }
                end.stream().skip(passed - dropped).forEach(next::add);
                passed = dropped + end.size();
                passedBytes = droppedBytes + endBytes;
                if (next.isEmpty()) {
                    return result;
                }
            } finally {
                lock.unlock();
            }
            next.forEach(event -> listener.on(of(vertex, event)));
            next.clear();
        }
    }

    /// A sentence in a step's output.
    static BuildEvent.Log note(int vertex, String text) {
        return new BuildEvent.Log(vertex, 2, text.getBytes(StandardCharsets.UTF_8));
    }

    private static BuildEvent of(int vertex, BuildEvent event) {
        return switch (event) {
            case BuildEvent.Running running -> new BuildEvent.Running(vertex, running.container());
            case BuildEvent.Log log -> new BuildEvent.Log(vertex, log.stream(), log.bytes());
            case BuildEvent.Planned _, BuildEvent.Started _, BuildEvent.Explained _, BuildEvent.Done _, BuildEvent.Failed _,
                    BuildEvent.Warning _, BuildEvent.Resolving _, BuildEvent.Fetching _, BuildEvent.Fetched _,
                    BuildEvent.Note _ ->
                    throw new AssertionError("flights tell what programs do: " + event);
        };
    }
}
