package carafe.kernel;

import java.time.Duration;

/// How long one step of a tape took, `start` counted from the monitor's first moment. The clone and the time from exec
/// until the monitor knew of it are steps too, named `clone` and `exec` in [Launched]; a step with no call has none.
public record StepTime(String id, Part part, Duration start, Duration took) {}
