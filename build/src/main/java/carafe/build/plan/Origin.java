package carafe.build.plan;

import carafe.spec.oci.Digest;

/// Where files come from: what a stage begins with, what COPY and mounts read.
public sealed interface Origin {

    /// Nothing at all (`scratch`).
    record Scratch() implements Origin {}

    /// The build's context.
    record Context() implements Origin {}

    /// A further context given by name (`--build-context`).
    record NamedContext(String name) implements Origin {}

    /// The result of another stage.
    record OfStage(int index) implements Origin {}

    /// An image, by the reference written and its id.
    record OfImage(String reference, Digest id) implements Origin {}
}
