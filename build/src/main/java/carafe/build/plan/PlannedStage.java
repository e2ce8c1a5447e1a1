package carafe.build.plan;

import carafe.build.dockerfile.Span;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RunConfig;
import java.util.List;
import java.util.Optional;

/// A stage that the target needs. `inherited` is the configuration of the image it begins with, if it is one.
public record PlannedStage(int index, String title, String from, Span span, Origin base, Platform platform,
        Optional<ImageConfig> inherited, RunConfig start, List<PlannedStep> steps) {

    public PlannedStage {
        steps = List.copyOf(steps);
    }

    /// The configuration after the last step.
    public RunConfig config() {
        return steps.isEmpty() ? start : steps.getLast().config();
    }
}
