package carafe.engine;

import java.time.Instant;
import java.util.Optional;

/// Which part of a container's log to read: streams, last lines (empty: all), time span, and how to show it.
/// `follow` goes on until the container stops.
public record LogQuery(
        Streams streams, Optional<Long> tail, Optional<Instant> since, Optional<Instant> until, Show show) {

    /// Which streams.
    public record Streams(boolean stdout, boolean stderr) {}

    /// Prefix lines by their time; prefix by the container's labels and environment (details); go on at the end.
    public record Show(boolean timestamps, boolean details, boolean follow) {}
}
