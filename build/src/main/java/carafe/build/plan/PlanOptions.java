package carafe.build.plan;

import carafe.spec.oci.Platform;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the person who builds said beside the Dockerfile: arguments (`--build-arg`), the stage wanted, the platform,
/// labels, named contexts that replace images and stages (directories by name; by another name the references of
/// images), and the network of RUN steps without one of their own.
public record PlanOptions(Map<String, String> arguments, Optional<String> target, Platform platform,
        Map<String, String> labels, Set<String> contexts, Map<String, String> images,
        String network) {

    public PlanOptions {
        arguments = Map.copyOf(arguments);
        labels = Map.copyOf(labels);
        contexts = Set.copyOf(contexts);
        images = Map.copyOf(images);
    }

    /// Nothing said, for the platform of this machine.
    public static PlanOptions none() {
        return new PlanOptions(Map.of(), Optional.empty(), Platform.host(), Map.of(), Set.of(), Map.of(),
                "default");
    }
}
