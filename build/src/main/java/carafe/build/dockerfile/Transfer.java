package carafe.build.dockerfile;

import java.util.List;
import java.util.Optional;

/// What COPY and ADD are told: sources (paths, patterns, URLs) and here-documents, the destination, and the flags, all
/// as written.
public record Transfer(List<String> sources, List<Heredoc> inline, String destination, Options options) {

    /// The flags; `unpack` is empty where only the kind of source decides.
    public record Options(Optional<String> from, Optional<String> chown, Optional<String> chmod, boolean link,
            boolean parents, List<String> excludes, Optional<String> checksum, boolean keepGitDir,
            Optional<Boolean> unpack) {

        public Options {
            excludes = List.copyOf(excludes);
        }
    }

    public Transfer {
        sources = List.copyOf(sources);
        inline = List.copyOf(inline);
    }
}
