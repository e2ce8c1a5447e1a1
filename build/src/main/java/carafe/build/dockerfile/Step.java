package carafe.build.dockerfile;

import java.util.List;

/// An instruction and where it stands: its text as people know it (flags, continued lines joined, no here-documents'
/// content), its lines, the keyword as typed, the comments directly above.
public record Step(Instruction instruction, String text, Span span, String keyword, List<String> comments) {

    public Step {
        comments = List.copyOf(comments);
    }
}
