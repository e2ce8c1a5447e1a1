package carafe.build.plan;

import carafe.build.dockerfile.Finding;
import carafe.build.dockerfile.Source;
import carafe.spec.oci.Platform;
import carafe.spec.oci.RunConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// All stages that the targets need, each behind those it needs; the targets, one for each platform; what the checks
/// found. Where there are several platforms, `labels` has for each stage's number the one it is for, as people see it.
/// `unused` are the names of arguments that were given and that nothing in the file `source` declares; `arguments` are those
/// that the stages take, in the file's order.
public record BuildPlan(List<PlannedStage> stages, List<Target> targets, List<Finding> findings,
        Map<Integer, String> labels, Source source, List<String> unused, List<DeclaredArgument> arguments) {

    /// A stage that becomes a result: its number, and its configuration with the labels asked for.
    public record Target(int stage, RunConfig config, Platform platform) {}

    public BuildPlan {
        stages = List.copyOf(stages);
        targets = List.copyOf(targets);
        findings = List.copyOf(findings);
        labels = Map.copyOf(labels);
        unused = List.copyOf(unused);
        arguments = List.copyOf(arguments);
    }

    /// One plan of those for several platforms: stages that are the same for all are in it once.
    public static BuildPlan joined(List<BuildPlan> plans) {
        if (plans.size() == 1) {
            return plans.getFirst();
        }
        var stages = new ArrayList<PlannedStage>();
        var targets = new ArrayList<Target>();
        var findings = new ArrayList<Finding>();
        var labels = new HashMap<Integer, String>();
        for (var plan : plans) {
            var target = plan.targets.getFirst();
            var numbers = new HashMap<Integer, Integer>();
            for (var stage : plan.stages) {
                int number = number(stage, stages, numbers);
                numbers.put(stage.index(), number);
                String platform = stage.platform().toString();
                labels.merge(number, platform + arrow(stage.platform(), target.platform),
                        (before, further) -> before.equals(further) ? before : platform);
            }
            targets.add(new Target(numbers.getOrDefault(target.stage, 0), target.config, target.platform));
            plan.findings.stream().filter(finding -> !findings.contains(finding)).forEach(findings::add);
        }
        findings.sort((a, b) -> Integer.compare(a.span().first(), b.span().first()));
        var first = plans.getFirst(); // what is declared is the same for all
        return new BuildPlan(stages, targets, findings, labels, first.source, first.unused, first.arguments);
    }

    /// The number of a stage among `stages`, to which it is added unless it is there.
    private static int number(PlannedStage stage, List<PlannedStage> stages, Map<Integer, Integer> numbers) {
        for (var other : stages) {
            if (stage.numbered(other.index(), index -> numbers.getOrDefault(index, -1)).equals(other)) {
                return other.index();
            }
        }
        stages.add(stage.numbered(stages.size(), index -> numbers.getOrDefault(index, -1)));
        return stages.size() - 1;
    }

    /// What a stage of one platform is made for, where that is another: BuildKit's `linux/amd64->arm64`.
    private static String arrow(Platform own, Platform target) {
        String made = target.toString();
        if (own.toString().equals(made)) {
            return "";
        }
        return "->" + (own.os().equals(target.os()) ? made.substring(made.indexOf('/') + 1) : made);
    }

    /// The stage that becomes the result, of several the first.
    public PlannedStage target() {
        return stage(targets.getFirst().stage);
    }

    /// The stage with this number.
    public PlannedStage stage(int index) {
        return stages.stream().filter(stage -> stage.index() == index).findFirst().orElseThrow();
    }
}
