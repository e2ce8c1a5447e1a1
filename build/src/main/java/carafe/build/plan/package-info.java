/// From a parsed Dockerfile to the steps of the stages that the target needs: variables substituted, references to
/// stages and images resolved, what each step does and what the image's configuration is after it.
/// Entry: [Planner]. Asks for base images' configurations by the port [BaseImages].
/// Never knows: files, layers, the cache, how a step is run. Blocks only where [BaseImages] does.
/// Threads: one planner per build; results are immutable and say everything that a step's identity depends on.
/// Spec: Dockerfile reference; Docker image spec 1.3 for the configuration.
@NullMarked
package carafe.build.plan;

import org.jspecify.annotations.NullMarked;
