package carafe.build.solve;

import carafe.build.plan.BuildPlan;
import carafe.build.plan.Origin;
import carafe.image.EarlyBlobs;
import carafe.spec.EngineException;
import carafe.spec.build.BuildRequest;
import carafe.spec.build.CacheExport;
import carafe.spec.oci.Digest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Which layers of a build a registry gets, and has them compressed while the build goes on: those of an image that is
/// pushed, and those of steps whose results are a cache at a registry. Any thread.
///
/// @param stages the numbers of the stages whose layers are sent
/// @param whole what the stages begin with is sent too
record EarlyLayers(Set<Integer> stages, boolean whole, EarlyBlobs.Hold hold) {

    static EarlyLayers of(BuildRequest request, BuildPlan plan, EarlyBlobs.Hold hold) {
        var caches = request.cache().to().stream().filter(to -> to.kind() == CacheExport.Kind.REGISTRY).toList();
        boolean pushed = request.result().pushed();
        var stages = new HashSet<Integer>();
        if (caches.stream().anyMatch(CacheExport::all)) {
            plan.stages().forEach(stage -> stages.add(stage.index()));
        } else if (pushed || !caches.isEmpty()) {
            for (var target : plan.targets()) {
                var stage = plan.stage(target.stage());
                stages.add(stage.index());
                while (stage.base() instanceof Origin.OfStage(int below)) {
                    stage = plan.stage(below);
                    stages.add(below);
                }
            }
        }
        return new EarlyLayers(stages, pushed, hold);
    }

    /// A stage has begun with these layers.
    void begun(int stage, List<Digest> layers) {
        if (whole) {
            for (var layer : layers) {
                layered(stage, layer);
            }
        }
    }

    /// A step of a stage has this layer.
    void layered(int stage, Digest layer) {
        if (stages.contains(stage)) {
            hold.begin(layer);
        }
    }
}
