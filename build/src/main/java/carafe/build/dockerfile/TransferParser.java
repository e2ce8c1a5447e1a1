package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reads the arguments of COPY and ADD.
final class TransferParser {

    static final List<String> FLAGS = List.of("from", "chown", "chmod", "link", "parents", "exclude", "checksum",
            "keep-git-dir", "unpack");

    private final Statement statement;
    private final Flags flags;
    private final boolean add;

    TransferParser(Statement statement, Flags flags, boolean add) {
        this.statement = statement;
        this.flags = flags;
        this.add = add;
    }

    Transfer read() throws DockerfileException {
        var options = options();
        var exec = InstructionParser.jsonTexts(statement);
        var words = new ArrayList<>(exec.isPresent() ? exec.get() : Words.fields(statement.rest()));
        if (words.size() < 2) {
            throw new DockerfileException(statement.span(), statement.keyword().toUpperCase(Locale.ROOT)
                    + " requires at least two arguments, a source and a destination");
        }
        String destination = words.removeLast();
        var sources = new ArrayList<String>();
        for (String word : words) {
            boolean inline = exec.isEmpty() && statement.heredocs().stream()
                    .anyMatch(heredoc -> word.startsWith("<<") && word.contains(heredoc.name()));
            if (!inline) {
                sources.add(word);
            }
        }
        var inline = exec.isEmpty() ? statement.heredocs() : List.<Heredoc>of();
        if (destination.startsWith("<<") && !inline.isEmpty()) {
            throw new DockerfileException(statement.span(), "a here-document cannot be a destination");
        }
        return new Transfer(sources, inline, destination, options);
    }

    private Transfer.Options options() throws DockerfileException {
        var from = add ? Optional.<String>empty() : flags.text("from");
        if (from.isPresent() && from.get().isEmpty()) {
            throw new DockerfileException(statement.span(), "COPY --from needs the name of a stage, image or context");
        }
        return new Transfer.Options(from, flags.text("chown"), flags.text("chmod"), flags.truth("link").orElse(false),
                !add && flags.truth("parents").orElse(false), flags.texts("exclude"),
                add ? flags.text("checksum") : Optional.empty(), add && flags.truth("keep-git-dir").orElse(false),
                add ? flags.truth("unpack") : Optional.empty());
    }
}
