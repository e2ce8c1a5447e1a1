package carafe.spec.build;

import java.util.List;

/// What happens during a build, in the order it happens; events of steps that run at the same time are mixed. A vertex
/// is a step of the plan, by its index in [Planned].
public sealed interface BuildEvent {

    /// The steps that will be done or found done.
    record Planned(List<Vertex> vertices) implements BuildEvent {
        public Planned {
            vertices = List.copyOf(vertices);
        }
    }

    /// One step: the stage's title (`""` in a file with one stage without name), its number in the stage and how many
    /// those are, the instruction's text and first line, and whether it is a FROM.
    record Vertex(String stage, int number, int total, String text, int line, boolean from) {}

    /// A step began.
    record Started(int vertex) implements BuildEvent {}

    /// A program of the step began, in the container `container`.
    record Running(int vertex, String container) implements BuildEvent {}

    /// A program printed; `stream` is 1 or 2.
    record Log(int vertex, int stream, byte[] bytes) implements BuildEvent {}

    /// Why the step's result of an earlier build counts, or does not.
    record Explained(int vertex, String reason) implements BuildEvent {}

    /// A step is done. `state` is the digest of what the stage is then.
    record Done(int vertex, boolean cached, String state) implements BuildEvent {}

    /// A step failed. `exitCode` is its program's, or 0 when none ran; `image` the id of the image that holds its state,
    /// or `""`.
    record Failed(int vertex, String message, int exitCode, String image) implements BuildEvent {}

    /// A check found something; `place` are the lines with a marker, `fix` may be `""`.
    record Warning(String rule, String description, String message, int line, String place, String fix)
            implements BuildEvent {}

    /// What the image `name` is, for a step that begins with it or copies from it, is asked of its registry.
    record Resolving(String name) implements BuildEvent {}

    /// How far the image `name` has come: of its `layer` (twelve characters of the digest; the tag, or `""`, where it is about
    /// the whole), in Docker's words, `current` of `total` bytes, both 0 where nothing is counted.
    record Fetching(String name, String layer, String status, long current, long total) implements BuildEvent {}

    /// The image `name` is here, or not for the reason that is `error`, which is `""` otherwise.
    record Fetched(String name, String error) implements BuildEvent {}

    /// A sentence about the build as a whole.
    record Note(String text) implements BuildEvent {}
}
