package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.List;

/// Splits an instruction's arguments into words as Dockerfiles do: at blanks outside quotes, quotes and escapes kept.
final class Words {

    private Words() {}

    /// The words of `text` with quotes and escapes as written.
    /// @throws WordException a quote stays open
    static List<String> raw(String text, char escape) throws WordException {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote == 0 && isBlank(c)) {
                if (!word.isEmpty()) {
                    words.add(word.toString());
                    word.setLength(0);
                }
                continue;
            }
            word.append(c);
            if (c == escape && quote != '\'' && i + 1 < text.length()) {
                word.append(text.charAt(++i));
            } else if (c == quote) {
                quote = 0;
            } else if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            }
        }
        if (quote != 0) {
            throw new WordException("unexpected end of statement while looking for matching "
                    + (quote == '"' ? "double" : "single") + "-quote");
        }
        if (!word.isEmpty()) {
            words.add(word.toString());
        }
        return words;
    }

    /// `word` without its quotes and escapes; nothing is substituted.
    static String unquoted(String word, char escape) throws WordException {
        var plain = new StringBuilder();
        char quote = 0;
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == escape && quote != '\'' && i + 1 < word.length()) {
                char next = word.charAt(++i);
                if (quote == '"' && next != '"' && next != escape) {
                    plain.append(c);
                }
                plain.append(next);
            } else if (c == quote) {
                quote = 0;
            } else if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            } else {
                plain.append(c);
            }
        }
        if (quote != 0) {
            throw new WordException("a quote is not closed in " + word);
        }
        return plain.toString();
    }

    /// `text` at runs of blanks, nothing else being special.
    static List<String> fields(String text) {
        String stripped = text.strip();
        return stripped.isEmpty() ? List.of() : List.of(stripped.split("\\s+"));
    }

    static boolean isBlank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }
}
