package carafe.kernel;

import java.time.Duration;

/// How long one step of a tape took, `start` counted from the monitor's first moment. See [Launched#times].
public record StepTime(String id, Part part, Duration start, Duration took) {}
