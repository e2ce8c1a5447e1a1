package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// A here-document: `content` with every line's end, under `name`; `expand` unless the name was quoted; `dropTabs`
/// when `<<-` took the tabs at the lines' begins; `descriptor` what stands before `<<`, usually nothing.
public record Heredoc(String name, String content, boolean expand, boolean dropTabs, String descriptor) {

    private static final Pattern MARK = Pattern.compile("(\\d*)<<(-?)([^<]*)");

    /// A beginning of a here-document found in an instruction's words.
    record Mark(String name, boolean expand, boolean dropTabs, String descriptor) {

        Heredoc with(String content) {
            return new Heredoc(name, content, expand, dropTabs, descriptor);
        }
    }

    /// The here-documents that an instruction with the arguments `rest` begins; none where the quotes do not match.
    static List<Mark> marks(String rest, char escape) {
        var marks = new ArrayList<Mark>();
        if (!rest.contains("<<")) {
            return marks;
        }
        try {
            for (String word : Words.raw(rest, escape)) {
                mark(word, escape).ifPresent(marks::add);
            }
        } catch (WordException e) {
            return List.of(); // as it is no shell text, it begins nothing
        }
        return marks;
    }

    private static Optional<Mark> mark(String word, char escape) {
        var matcher = MARK.matcher(word);
        if (!matcher.matches() || matcher.group(3).isEmpty()) {
            return Optional.empty();
        }
        String quoted = matcher.group(3);
        try {
            String name = Words.unquoted(quoted, escape);
            if (name.isEmpty() || name.indexOf('\n') >= 0) {
                return Optional.empty();
            }
            boolean expand = quoted.indexOf('"') < 0 && quoted.indexOf('\'') < 0 && quoted.indexOf(escape) < 0;
            return Optional.of(new Mark(name, expand, !matcher.group(2).isEmpty(), matcher.group(1)));
        } catch (WordException e) {
            return Optional.empty();
        }
    }
}
