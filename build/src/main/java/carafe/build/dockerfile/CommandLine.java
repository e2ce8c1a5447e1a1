package carafe.build.dockerfile;

import java.util.List;

/// What RUN, CMD, ENTRYPOINT and health checks execute: words of the exec form, or one text for the shell, with the
/// here-documents that belong to it.
public record CommandLine(boolean exec, List<String> words, List<Heredoc> heredocs) {

    public CommandLine {
        words = List.copyOf(words);
        heredocs = List.copyOf(heredocs);
    }
}
