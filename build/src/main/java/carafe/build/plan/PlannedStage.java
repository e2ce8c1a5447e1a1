package carafe.build.plan;

import carafe.build.dockerfile.Span;
import carafe.spec.oci.ImageConfig;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RunConfig;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/// A stage that a target needs: its number in the plan, and in the file. `inherited` is the configuration of the image it
/// begins with, if it is one.
public record PlannedStage(int index, int inFile, String title, String from, Span span, Origin base, Platform platform,
        Optional<ImageConfig> inherited, RunConfig start, List<PlannedStep> steps) {

    public PlannedStage {
        steps = List.copyOf(steps);
    }

    /// The same stage as number `other` of a plan, where the stages it needs have the numbers that `numbers` says.
    PlannedStage numbered(int other, IntUnaryOperator numbers) {
        var moved = steps.stream().map(step -> new PlannedStep(step.text(), step.span(), step.operation().numbered(numbers),
                step.history(), step.config(), step.author())).toList();
        return new PlannedStage(other, inFile, title, from, span, base.numbered(numbers), platform, inherited, start, moved);
    }

    /// The configuration after the last step.
    public RunConfig config() {
        return steps.isEmpty() ? start : steps.getLast().config();
    }
}
