package carafe.build.dockerfile;

import java.util.List;

/// An instruction and where it stands: its text as people know it (flags, continued lines joined, no here-documents'
/// content), its lines, the keyword as typed, the comments directly above.
public record Step(Instruction instruction, String text, Span span, String keyword, List<String> comments) {

    public Step {
        comments = List.copyOf(comments);
    }

    /// What the comments say of `name`, a stage or an argument: the rest of the first that begins with it.
    public String description(String name) {
        return comments.stream().filter(comment -> comment.startsWith(name + " ")).findFirst()
                .map(comment -> comment.substring(name.length() + 1)).orElse("");
    }
}
