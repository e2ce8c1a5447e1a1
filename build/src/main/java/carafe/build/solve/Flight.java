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
import org.jspecify.annotations.Nullable;

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
    private Amount ended = Amount.NONE;
    private long dropped;
    private Amount gone = Amount.NONE;
    private boolean followed;
    private int followers;
    private @Nullable Thread left;
    private Runnable whenFollowed = () -> { };
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
                ended = ended.plus(Amount.of(event));
                while (endCost > KEPT_BYTES && end.size() > 1) {
                    var first = end.removeFirst();
                    endCost -= cost(first);
                    ended = ended.minus(Amount.of(first));
                    dropped++;
                    gone = gone.plus(Amount.of(first));
                }
            }
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// What an event takes.
    static long cost(BuildEvent event) {
        return EVENT_BYTES + Amount.of(event).bytes;
    }

    /// So much output.
    record Amount(long bytes, long lines) {
        static final Amount NONE = new Amount(0, 0);

        static Amount of(BuildEvent event) {
            if (!(event instanceof BuildEvent.Log log)) {
                return NONE;
            }
            long lines = 0;
            for (byte each : log.bytes()) {
                lines += each == '\n' ? 1 : 0;
            }
            return new Amount(log.bytes().length, lines);
        }

        Amount plus(Amount more) {
            return new Amount(bytes + more.bytes, lines + more.lines);
        }

        Amount minus(Amount less) {
            return new Amount(bytes - less.bytes, lines - less.lines);
        }

        /// Says that it is missing.
        BuildEvent.Log leftOut(int vertex) {
            return note(vertex, "\n[" + bytes + " bytes in " + lines
                    + " lines of output are left out here: they came faster than they were read]\n");
        }
    }

    /// Runs `then` as soon as somebody follows the step, at once if somebody does.
    void whenFollowed(Runnable then) {
        lock.lock();
        try {
            whenFollowed = then;
            if (followed) {
                then.run();
            }
        } finally {
            lock.unlock();
        }
    }

    private void followed() {
        lock.lock();
        try {
            followed = true;
            followers++;
            whenFollowed.run();
        } finally {
            lock.unlock();
        }
    }

    private void unfollowed() {
        lock.lock();
        try {
            followers--;
            interruptUnwanted();
        } finally {
            lock.unlock();
        }
    }

    /// The build whose step it is does not want it any more: its `worker` is interrupted as soon as nobody follows.
    void leave(Thread worker) {
        lock.lock();
        try {
            left = worker;
            interruptUnwanted();
        } finally {
            lock.unlock();
        }
    }

    private void interruptUnwanted() {
        if (left != null && followers == 0 && !over) {
            left.interrupt();
        }
    }

    /// What it came to, when it is over.
    Optional<StepRecord> result() {
        lock.lock();
        try {
            return result;
        } finally {
            lock.unlock();
        }
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
        followed();
        try {
            return heard(vertex, listener);
        } finally {
            unfollowed();
        }
    }

    private Optional<StepRecord> heard(int vertex, BuildListener listener) throws InterruptedException {
        int told = 0;
        long passed = 0;
        var heard = Amount.NONE;
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
                    next.add(gone.minus(heard).leftOut(vertex));
                    passed = dropped;
                }
                end.stream().skip(passed - dropped).forEach(next::add);
                passed = dropped + end.size();
                heard = gone.plus(ended);
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
