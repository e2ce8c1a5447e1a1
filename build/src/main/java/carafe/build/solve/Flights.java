package carafe.build.solve;

import carafe.spec.build.BuildListener;
import carafe.spec.oci.Digest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// Steps that are being done now, by key: a second build that wants one waits for the first one's result.
public final class Flights {

    private final Map<Digest, Flight> flying = new ConcurrentHashMap<>();
    private final Duration patience;

    Flights(Duration patience) {
        this.patience = patience;
    }

    /// Those of an engine.
    public Flights() {
        this(Duration.ofMinutes(1));
    }

    /// Does the step, and tells what its program does; whatever it throws is the caller's.
    @FunctionalInterface
    interface Work<X extends Exception> {
        StepRecord run(Hearers told) throws X, InterruptedException;
    }

    /// Runs `work`, or waits for whoever is doing the same and takes his result. Where he failed or was stopped, the
    /// work is done here. An interrupt ends the work only when nobody else waits for it; it is thrown at its end in any
    /// case, as the work is done with what belongs to this build. `listener` hears what the program does, here or, as far as
    /// it is told to those that wait, there, as
    /// of the step `vertex`. Who listens slowly holds up neither the others nor, for long, the work: see [OwnEvents].
    <X extends Exception> StepRecord join(Digest key, int vertex, BuildListener listener, Work<X> work)
            throws X, InterruptedException {
        while (true) {
            var own = new Flight();
            var other = flying.putIfAbsent(key, own);
            if (other == null) {
                return done(key, own, new OwnEvents(vertex, listener, patience), work);
            }
            var result = other.follow(vertex, listener);
            if (result.isPresent()) {
                return result.get();
            }
            listener.on(Flight.note(vertex, "[the run of this step that was waited for came to no result; it is run anew]\n"));
        }
    }

    /// Does the work on a thread of its own, which others may keep from being interrupted.
    private <X extends Exception> StepRecord done(Digest key, Flight own, OwnEvents heard, Work<X> work)
            throws X, InterruptedException {
        own.whenFollowed(heard::hurry);
        var failure = new AtomicReference<@Nullable Throwable>();
        var worker = Thread.ofVirtual().name("build-step").start(() -> {
            Optional<StepRecord> made = Optional.empty();
            try {
                made = Optional.of(work.run(new Hearers(heard, own::tell)));
            } catch (Throwable e) { // an Error too: it is the caller's
                failure.set(e);
            } finally {
                flying.remove(key);
                own.end(made);
            }
        });
        boolean stopped = false;
        while (worker.isAlive()) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                stopped = true;
                own.leave(worker);
            }
        }
        if (stopped) {
            heard.stop();
        }
        heard.end();
        if (stopped) {
            throw new InterruptedException("the build was stopped");
        }
        return switch (failure.get()) {
            case null -> own.result().orElseThrow(() -> new AssertionError("a step has neither a result nor a failure"));
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case InterruptedException e -> throw e;
            case Throwable e -> {
                @SuppressWarnings("unchecked") // work throws nothing else
                X thrown = (X) e;
                throw thrown;
            }
        };
    }
}
