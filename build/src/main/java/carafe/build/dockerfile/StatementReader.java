package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Cuts a Dockerfile into statements: drops comments, joins continued lines, takes here-documents.
final class StatementReader {

    private static final int MAX_STATEMENTS = 10_000;
    private static final int MAX_LENGTH = 1 << 20;
    private static final Set<String> WITH_HEREDOCS = Set.of("RUN", "COPY", "ADD");

    private final List<String> lines;
    private final Directives directives;
    private final List<Finding> findings;
    private final List<Statement> statements = new ArrayList<>();
    private int next;

    StatementReader(List<String> lines, Directives directives, List<Finding> findings) {
        this.lines = lines;
        this.directives = directives;
        this.findings = findings;
        this.next = directives.lines();
    }

    List<Statement> read() throws DockerfileException {
        var comments = new ArrayList<String>();
        while (next < lines.size()) {
            String line = lines.get(next).strip();
            if (line.isEmpty()) {
                comments.clear();
                next++;
            } else if (line.startsWith("#")) {
                comments.add(line.substring(1).strip());
                next++;
            } else {
                statement(comments);
                comments.clear();
            }
        }
        return statements;
    }

    private void statement(List<String> comments) throws DockerfileException {
        int first = next + 1;
        var text = new StringBuilder();
        String line = lines.get(next++).stripLeading();
        int emptyLine = 0;
        while (isContinued(line)) {
            text.append(line, 0, line.stripTrailing().length() - 1);
            line = "";
            while (next < lines.size()) {
                String candidate = lines.get(next);
                String stripped = candidate.strip();
                if (stripped.startsWith("#")) {
                    next++;
                } else if (stripped.isEmpty()) {
                    next++;
                    emptyLine = next;
                } else {
                    line = candidate;
                    next++;
                    break;
                }
            }
            if (text.length() + line.length() > MAX_LENGTH) {
                throw new DockerfileException(Span.line(first), "the instruction is longer than " + MAX_LENGTH
                        + " characters");
            }
        }
        text.append(line);
        int last = Math.max(first, lastWithText(first));
        if (emptyLine > 0 && emptyLine < last && directives.wants(Rule.NO_EMPTY_CONTINUATION)) {
            findings.add(new Finding(Rule.NO_EMPTY_CONTINUATION, "Empty continuation line", new Span(first, last),
                    "remove line " + emptyLine));
        }
        add(text.toString().strip(), first, comments);
    }

    private int lastWithText(int first) {
        int last = next;
        while (last > first && lines.get(last - 1).isBlank()) {
            last--;
        }
        return last;
    }

    /// An escape at the end that is not escaped itself.
    private boolean isContinued(String line) {
        String stripped = line.stripTrailing();
        int length = stripped.length();
        return length > 0 && stripped.charAt(length - 1) == directives.escape()
                && (length == 1 || stripped.charAt(length - 2) != directives.escape());
    }

    private void add(String text, int first, List<String> comments) throws DockerfileException {
        if (text.isEmpty()) {
            return;
        }
        if (statements.size() == MAX_STATEMENTS) {
            throw new DockerfileException(Span.line(first), "the file has more than " + MAX_STATEMENTS
                    + " instructions");
        }
        int blank = 0;
        while (blank < text.length() && !Words.isBlank(text.charAt(blank))) {
            blank++;
        }
        String keyword = text.substring(0, blank);
        String behind = text.substring(blank).strip();
        var split = Flags.split(behind);
        var heredocs = takesHeredocs(keyword, behind) ? heredocs(split.rest(), first) : List.<Heredoc>of();
        statements.add(new Statement(keyword, split.flags(), split.rest(), heredocs,
                new Span(first, Math.max(first, lastWithText(first))), comments));
    }

    private static boolean takesHeredocs(String keyword, String rest) {
        String upper = keyword.toUpperCase(Locale.ROOT);
        if (upper.equals("ONBUILD")) {
            String trigger = rest.isEmpty() ? "" : rest.split("\\s", 2)[0];
            return WITH_HEREDOCS.contains(trigger.toUpperCase(Locale.ROOT));
        }
        return WITH_HEREDOCS.contains(upper);
    }

    private List<Heredoc> heredocs(String rest, int first) throws DockerfileException {
        var heredocs = new ArrayList<Heredoc>();
        for (var mark : Heredoc.marks(rest, directives.escape())) {
            var content = new StringBuilder();
            boolean ended = false;
            while (!ended) {
                if (next >= lines.size()) {
                    throw new DockerfileException(new Span(first, lines.size()), "unterminated heredoc: no line \""
                            + mark.name() + "\" ends it");
                }
                String line = lines.get(next++);
                String untabbed = mark.dropTabs() ? withoutTabs(line) : line;
                ended = untabbed.equals(mark.name());
                if (!ended) {
                    content.append(untabbed).append('\n');
                }
            }
            heredocs.add(mark.with(content.toString()));
        }
        return heredocs;
    }

    private static String withoutTabs(String line) {
        int tabs = 0;
        while (tabs < line.length() && line.charAt(tabs) == '\t') {
            tabs++;
        }
        return line.substring(tabs);
    }
}
