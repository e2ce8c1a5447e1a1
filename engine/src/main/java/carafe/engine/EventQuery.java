package carafe.engine;

import carafe.spec.docker.Filters;
import java.time.Instant;
import java.util.Optional;

/// Which events: since when of those remembered, until when (a time that has passed ends the stream after the replay).
public record EventQuery(Optional<Instant> since, Optional<Instant> until, Filters filters) {}
