package carafe.engine;

import java.util.Optional;

/// How to stop: the signal and the seconds until SIGKILL (−1: never); empty ones are the container's own.
public record StopRequest(Optional<String> signal, Optional<Integer> timeoutSeconds) {
    /// As the container itself says.
    public static final StopRequest DEFAULT = new StopRequest(Optional.empty(), Optional.empty());
}
