package carafe.build.dockerfile;

import java.util.List;

/// One instruction as written: its keyword as typed, flags, the rest of its text (continued lines joined),
/// here-documents, where it stands, and the comment lines directly above it.
record Statement(String keyword, List<Flags.Flag> flags, String rest, List<Heredoc> heredocs, Span span,
        List<String> comments) {

    Statement {
        flags = List.copyOf(flags);
        heredocs = List.copyOf(heredocs);
        comments = List.copyOf(comments);
    }
}
