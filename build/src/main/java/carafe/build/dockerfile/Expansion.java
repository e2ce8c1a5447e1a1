package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Substitutes variables in the words of an instruction and takes off quotes and escapes, as Dockerfiles do it (like
/// a POSIX shell, with less): `$a`, `${a}`, and `${a` followed by `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`,
/// `%%`, `/`, `//`.
public final class Expansion {

    /// The longest result, in characters; longer ones are refused.
    public static final int MAX_LENGTH = 1 << 20;

    private static final int MAX_DEPTH = 100;

    private final char escape;
    private final Variables variables;
    private final Set<String> undefined = new LinkedHashSet<>();

    /// Where values come from.
    @FunctionalInterface
    public interface Variables {

        /// The value of `name`, if it has one.
        Optional<String> find(String name);
    }

    /// An expansion whose escape character is `escape`.
    public Expansion(char escape, Variables variables) {
        this.escape = escape;
        this.variables = variables;
    }

    /// The names that were used without default and had no value, so far.
    public Set<String> undefined() {
        return Set.copyOf(undefined);
    }

    /// `word` as one text: blanks in it and in values stay.
    public String word(String word) throws WordException {
        var reader = new Reader(word);
        var out = new Out();
        reader.until((char) 0, out, false);
        return out.whole.toString();
    }

    /// `text` of a here-document: variables are substituted, an escape before `$` or itself is taken off, quotes stay.
    public String content(String text) throws WordException {
        var reader = new Reader(text);
        return reader.content();
    }

    /// `text` as words: split at blanks outside quotes, also those that a value brings.
    public List<String> words(String text) throws WordException {
        var reader = new Reader(text);
        var out = new Out();
        reader.until((char) 0, out, false);
        return out.words();
    }

    /// What has been put together: the text as a whole, and as words.
    private static final class Out {
        final StringBuilder whole = new StringBuilder();
        private final List<String> words = new ArrayList<>();
        private final StringBuilder word = new StringBuilder();
        private boolean open;

        void splitting(String text) {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (Words.isBlank(c)) {
                    end();
                } else {
                    word.append(c);
                    open = true;
                }
            }
            whole.append(text);
        }

        void asIs(String text) {
            word.append(text);
            open = true;
            whole.append(text);
        }

        private void end() {
            if (open) {
                words.add(word.toString());
                word.setLength(0);
                open = false;
            }
        }

        List<String> words() {
            end();
            return List.copyOf(words);
        }
    }

    private final class Reader {
        private final String text;
        private int at;
        private int depth;

        Reader(String text) {
            this.text = text;
        }

        /// Reads to `stop` (0: the end) and past it.
        void until(char stop, Out out, boolean keepEscapes) throws WordException {
            if (++depth > MAX_DEPTH) {
                throw new WordException("substitutions are nested too deep");
            }
            while (at < text.length()) {
                char c = text.charAt(at);
                if (stop != 0 && c == stop) {
                    at++;
                    depth--;
                    return;
                }
                if (out.whole.length() > MAX_LENGTH) {
                    throw new WordException("the value of a substitution is too long");
                }
                at++;
                if (c == '\'') {
                    out.asIs(singleQuoted());
                } else if (c == '"') {
                    out.asIs(doubleQuoted());
                } else if (c == '$') {
                    out.splitting(dollar());
                } else if (c == escape) {
                    if (at < text.length()) {
                        out.asIs((keepEscapes ? "" + c : "") + text.charAt(at++));
                    } else if (keepEscapes) {
                        out.asIs("" + c);
                    }
                } else {
                    out.splitting("" + c);
                }
            }
            depth--;
            if (stop == '}') {
                throw new WordException("syntax error: missing '}'");
            }
            if (stop != 0) {
                throw new WordException("syntax error: missing '" + stop + "' in ${}");
            }
        }

        private String content() throws WordException {
            var out = new StringBuilder();
            while (at < text.length()) {
                char c = text.charAt(at++);
                if (c == '$') {
                    out.append(dollar());
                } else if (c == escape && at < text.length()
                        && (text.charAt(at) == '$' || text.charAt(at) == escape)) {
                    out.append(text.charAt(at++));
                } else {
                    out.append(c);
                }
                if (out.length() > MAX_LENGTH) {
                    throw new WordException("the value of a substitution is too long");
                }
            }
            return out.toString();
        }

        private String singleQuoted() throws WordException {
            int end = text.indexOf('\'', at);
            if (end < 0) {
                throw new WordException("unexpected end of statement while looking for matching single-quote");
            }
            String inside = text.substring(at, end);
            at = end + 1;
            return inside;
        }

        private String doubleQuoted() throws WordException {
            var inside = new StringBuilder();
            while (at < text.length()) {
                char c = text.charAt(at++);
                if (c == '"') {
                    return inside.toString();
                }
                if (c == '$') {
                    inside.append(dollar());
                } else if (c == escape && at < text.length()) {
                    char next = text.charAt(at++);
                    if (next != '"' && next != '$' && next != escape) {
                        inside.append(c);
                    }
                    inside.append(next);
                } else {
                    inside.append(c);
                }
            }
            throw new WordException("unexpected end of statement while looking for matching double-quote");
        }

        /// After a `$`.
        private String dollar() throws WordException {
            if (at < text.length() && text.charAt(at) == '{') {
                at++;
                return braced();
            }
            String name = name();
            return name.isEmpty() ? "$" : value(name);
        }

        private String value(String name) {
            var value = variables.find(name);
            if (value.isEmpty()) {
                undefined.add(name);
            }
            return value.orElse("");
        }

        private String name() {
            int start = at;
            if (at < text.length() && isLetter(text.charAt(at))) {
                while (at < text.length() && (isLetter(text.charAt(at)) || isDigit(text.charAt(at)))) {
                    at++;
                }
            } else if (at < text.length() && isDigit(text.charAt(at))) {
                while (at < text.length() && isDigit(text.charAt(at))) {
                    at++;
                }
            } else if (at < text.length() && "@*#?-$!".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            return text.substring(start, at);
        }

        private String braced() throws WordException {
            if (at >= text.length() || text.charAt(at) == '}' || text.charAt(at) == ':') {
                throw new WordException("syntax error: bad substitution");
            }
            String name = name();
            if (at >= text.length()) {
                throw new WordException("syntax error: missing '}'");
            }
            char operator = text.charAt(at++);
            return switch (operator) {
                case '}' -> value(name);
                case ':' -> {
                    if (at >= text.length()) {
                        throw new WordException("syntax error: missing '}'");
                    }
                    yield conditional(name, text.charAt(at++), true);
                }
                case '+', '-', '?' -> conditional(name, operator, false);
                case '#', '%' -> cut(name, operator);
                case '/' -> replace(name);
                default -> throw new WordException("unsupported modifier (" + operator + ") in substitution");
            };
        }

        private String conditional(String name, char operator, boolean emptyCounts) throws WordException {
            var out = new Out();
            until('}', out, false);
            String word = out.whole.toString();
            var value = variables.find(name);
            boolean there = value.isPresent() && !(emptyCounts && value.get().isEmpty());
            return switch (operator) {
                case '-' -> there ? value.orElse("") : word;
                case '+' -> there ? word : "";
                case '?' -> {
                    if (!there) {
                        throw new WordException(name + ": " + (word.isEmpty() ? "not allowed to be "
                                + (value.isPresent() ? "empty" : "unset") : word));
                    }
                    yield value.orElse("");
                }
                default -> throw new WordException("unsupported modifier (:" + operator + ") in substitution");
            };
        }

        private String cut(String name, char operator) throws WordException {
            boolean longest = at < text.length() && text.charAt(at) == operator;
            if (longest) {
                at++;
            }
            var pattern = new Out();
            until('}', pattern, true);
            var glob = Glob.of(pattern.whole.toString(), escape);
            String value = value(name);
            return operator == '#' ? glob.withoutPrefix(value, longest) : glob.withoutSuffix(value, longest);
        }

        private String replace(String name) throws WordException {
            boolean all = at < text.length() && text.charAt(at) == '/';
            if (all) {
                at++;
            }
            var pattern = new Out();
            until('/', pattern, true);
            var replacement = new Out();
            until('}', replacement, false);
            return Glob.of(pattern.whole.toString(), escape)
                    .replaced(value(name), replacement.whole.toString(), all);
        }
    }

    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
