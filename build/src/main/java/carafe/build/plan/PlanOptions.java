package carafe.build.plan;

import carafe.spec.oci.Platform;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the person who builds said beside the Dockerfile: arguments (`--build-arg`), the stage wanted, the platform,
/// labels, named contexts that replace images and stages, and the network of RUN steps without one of their own.
public record PlanOptions(Map<String, String> arguments, Optional<String> target, Platform platform,
        Map<String, String> labels, Set<String> contexts, String network) {

    public PlanOptions {
        arguments = Map.copyOf(arguments);
        labels = Map.copyOf(labels);
        contexts = Set.copyOf(contexts);
    }

    /// Nothing said, for the platform of this machine.
    public static PlanOptions none() {
        return new PlanOptions(Map.of(), Optional.empty(), Platform.host(), Map.of(), Set.of(), "default");
    }
}
