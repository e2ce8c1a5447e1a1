package carafe.build.tree;

import java.nio.file.Path;

/// What contexts and archives take while they are used: files in `directory`, whose names are gone at once or with the
/// step, and their indexes' part of `memory`.
public record Scratch(Path directory, IndexMemory memory) {

    /// Files in `directory`, and as much of the heap as indexes may have.
    public static Scratch of(Path directory) {
        return new Scratch(directory, IndexMemory.ofHeap());
    }
}
