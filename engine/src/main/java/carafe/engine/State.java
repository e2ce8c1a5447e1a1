package carafe.engine;

import java.time.Instant;
import java.util.Optional;

/// Where a container is in its life. Data lives in the state that has it.
public sealed interface State {

    /// Never ran. `failure` is what the last attempt to start it failed with.
    record Created(Optional<Failure> failure) implements State {}

    /// Its process runs; `pid` is the host's number for it.
    record Running(int pid, Instant startedAt) implements State {}

    /// Its processes are frozen.
    record Paused(Running running) implements State {}

    /// It ended and the restart policy starts it again at `nextStart`.
    record Restarting(Exited last, Instant nextStart) implements State {}

    /// It ran and ended. `failure` is what a later attempt to start it failed with.
    record Exited(int exitCode, boolean oomKilled, Instant startedAt, Instant finishedAt, Optional<Failure> failure)
            implements State {}

    /// It is being removed; `last` is what it was.
    record Removing(State last) implements State {}

    /// A start that did not come to a process: Docker's exit code (126, 127, 128) and the sentence.
    record Failure(int exitCode, String message) {}

    /// Docker's one word for it.
    default String word() {
        return switch (this) {
            case Created _ -> "created";
            case Running _ -> "running";
            case Paused _ -> "paused";
            case Restarting _ -> "restarting";
            case Exited _ -> "exited";
            case Removing _ -> "removing";
        };
    }

    /// Whether a process of it exists now.
    default boolean alive() {
        return this instanceof Running || this instanceof Paused;
    }
}
