package carafe.build.solve;

import carafe.build.solve.Flight.Amount;
import carafe.spec.build.BuildEvent;
import carafe.spec.build.BuildListener;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What the build that does a step hears of it, told by a thread of its own: its client may have stopped reading. As long as
/// nobody else wants the step, its program waits for that client, so that nothing is lost; but not for one that takes nothing
/// for a while, since the step may hold what other builds wait for, such as a cache mount. When another build waits for the
/// step's result, it goes on at once. What is not taken by then is bounded, and a line says how much is missing.
final class OwnEvents implements BuildListener {

    private final int vertex;
    private final BuildListener listener;
    private final long patienceNanos;
    private final LongSupplier nanos;

    /// Guards everything below.
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition change = lock.newCondition();
    private final ArrayDeque<BuildEvent> waiting = new ArrayDeque<>();
    private long cost;
    private Amount leftOut = Amount.NONE;
    private long takenNanos;
    private boolean idle = true;
    private boolean hurried;
    private boolean ending;
    private @Nullable Thread teller;
    private @Nullable Throwable broken;

    /// Tells `listener` what is told of its step `vertex`, and waits so long for it to take something.
    OwnEvents(int vertex, BuildListener listener, Duration patience) {
        this(vertex, listener, patience, System::nanoTime);
    }

    /// The same by another clock.
    OwnEvents(int vertex, BuildListener listener, Duration patience, LongSupplier nanos) {
        this.nanos = nanos;
        this.takenNanos = nanos.getAsLong();
        this.vertex = vertex;
        this.listener = listener;
        this.patienceNanos = patience.toNanos();
    }

    /// From now on nobody waits for the listener.
    void hurry() {
        lock.lock();
        try {
            hurried = true;
            change.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// An interrupt while this waits drops the event: the build is being stopped.
    @Override
    public void on(BuildEvent event) {
        lock.lock();
        try {
            if (teller == null) {
                teller = Thread.ofVirtual().name("build-tell").start(this::tell);
            }
            boolean output = event instanceof BuildEvent.Log;
            long left = output ? takenNanos + patienceNanos - nanos.getAsLong() : 0;
            while (left > 0 && isFull(event) && !hurried && broken == null) {
                change.awaitNanos(left);
                left = takenNanos + patienceNanos - nanos.getAsLong();
            }
            if (output && isFull(event)) {
                leftOut = leftOut.plus(Amount.of(event));
            } else {
                add(event);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private boolean isFull(BuildEvent event) {
        return !waiting.isEmpty() && cost + Flight.cost(event) > Flight.KEPT_BYTES;
    }

    private void add(BuildEvent event) {
        if (idle) { // it is waited for from now on: it had nothing to take
            takenNanos = nanos.getAsLong();
            idle = false;
        }
        noteLeftOut();
        waiting.add(event);
        cost += Flight.cost(event);
        change.signalAll();
    }

    private void noteLeftOut() {
        if (!leftOut.equals(Amount.NONE)) {
            waiting.add(leftOut.leftOut(vertex));
            leftOut = Amount.NONE;
        }
    }

    private void tell() {
        try {
            for (var next = next(); !next.isEmpty(); next = next()) {
                for (var event : next) {
                    listener.on(event);
                    taken();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the build is being stopped
        } catch (RuntimeException | Error e) {
            lock.lock();
            try {
                broken = e;
                change.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private List<BuildEvent> next() throws InterruptedException {
        lock.lock();
        try {
            while (waiting.isEmpty() && !ending) {
                idle = true;
                change.await();
            }
            idle = false;
            takenNanos = nanos.getAsLong();
            var next = List.copyOf(waiting);
            waiting.clear();
            cost = 0;
            change.signalAll();
            return next;
        } finally {
            lock.unlock();
        }
    }

    private void taken() {
        lock.lock();
        try {
            takenNanos = nanos.getAsLong();
        } finally {
            lock.unlock();
        }
    }

    /// The build is being stopped: what is not told yet need not be.
    void stop() {
        lock.lock();
        try {
            if (teller != null) {
                teller.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Waits until all is told. An interrupt ends that, and stays.
    void end() {
        Thread last;
        lock.lock();
        try {
            noteLeftOut();
            ending = true;
            change.signalAll();
            last = teller;
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (last != null && last.isAlive()) {
            try {
                last.join();
            } catch (InterruptedException e) {
                interrupted = true;
                last.interrupt();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        switch (broken) {
            case null -> { }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new AssertionError(broken);
        }
    }
}
