package carafe.build.plan;

import carafe.spec.oci.Digest;
import java.util.function.IntUnaryOperator;

/// Where files come from: what a stage begins with, what COPY and mounts read.
public sealed interface Origin {

    /// The same in a plan whose stages have other numbers.
    default Origin numbered(IntUnaryOperator numbers) {
        return this instanceof OfStage(int index) ? new OfStage(numbers.applyAsInt(index)) : this;
    }

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
