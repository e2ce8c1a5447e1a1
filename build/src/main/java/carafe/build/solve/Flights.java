package carafe.build.solve;

import carafe.spec.build.BuildListener;
import carafe.spec.oci.Digest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

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
    /// work is done here. `listener` hears what the program does, here or, as far as it is told to those that wait, there, as
    /// of the step `vertex`. Who listens slowly holds up neither the others nor, for long, the work: see [OwnEvents].
    <X extends Exception> StepRecord join(Digest key, int vertex, BuildListener listener, Work<X> work)
            throws X, InterruptedException {
        while (true) {
            var own = new Flight();
            var other = flying.putIfAbsent(key, own);
            if (other == null) {
                Optional<StepRecord> done = Optional.empty();
                var heard = new OwnEvents(vertex, listener, patience);
                own.whenFollowed(heard::hurry);
                try {
                    done = Optional.of(work.run(new Hearers(heard, own::tell)));
                    return done.get();
                } catch (InterruptedException e) {
                    heard.stop();
                    throw e;
                } finally {
                    flying.remove(key);
                    own.end(done);
                    heard.end();
                }
            }
            var result = other.follow(vertex, listener);
            if (result.isPresent()) {
                return result.get();
            }
            listener.on(Flight.note(vertex, "[the run of this step that was waited for came to no result; it is run anew]\n"));
        }
    }
}
