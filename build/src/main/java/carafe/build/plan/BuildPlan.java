package carafe.build.plan;

import carafe.build.dockerfile.Finding;
import carafe.spec.oci.RunConfig;
import java.util.List;

/// All stages that the target needs, in the file's order, the target last; its configuration with the labels asked for;
/// what the checks found.
public record BuildPlan(List<PlannedStage> stages, RunConfig config, List<Finding> findings) {

    public BuildPlan {
        stages = List.copyOf(stages);
        findings = List.copyOf(findings);
    }

    /// The stage that becomes the result.
    public PlannedStage target() {
        return stages.getLast();
    }

    /// The stage with this index in the file.
    public PlannedStage stage(int index) {
        return stages.stream().filter(stage -> stage.index() == index).findFirst().orElseThrow();
    }
}
