package carafe.spec.build;

import carafe.spec.EngineException;
import java.util.ArrayList;
import java.util.List;

/// A pattern for slash-separated paths: `*` and `?` inside a name, `[a-z]` and `[^a-z]`, `**` across names, `\` takes
/// the meaning of what follows. Paths and patterns have no slash at either end.
public final class PathPattern {

    private static final int MAX_LENGTH = 4096;

    private sealed interface Part {
        /// One character.
        record Literal(char value) implements Part {}

        /// `[…]`
        record Set(String ranges, boolean negated) implements Part {
            boolean has(char c) {
                for (int i = 0; i + 1 < ranges.length(); i += 2) {
                    if (c >= ranges.charAt(i) && c <= ranges.charAt(i + 1)) {
                        return !negated;
                    }
                }
                return negated;
            }
        }

        /// `?`
        record One() implements Part {}

        /// `*`
        record Some() implements Part {}

        /// `**` at the end: everything.
        record All() implements Part {}

        /// `**` before something: nothing, or anything up to a slash.
        record Deep() implements Part {}
    }

    private final String text;
    private final List<Part> parts;

    private PathPattern(String text, List<Part> parts) {
        this.text = text;
        this.parts = List.copyOf(parts);
    }

    /// Reads `pattern`.
    /// @throws EngineException.Invalid a set without end, a lone `\` at the end, too long
    public static PathPattern parse(String pattern) throws EngineException.Invalid {
        if (pattern.length() > MAX_LENGTH) {
            throw new EngineException.Invalid("a pattern is longer than " + MAX_LENGTH + " characters");
        }
        var parts = new ArrayList<Part>();
        int i = 0;
        while (i < pattern.length()) {
            char c = pattern.charAt(i++);
            switch (c) {
                case '*' -> {
                    if (i < pattern.length() && pattern.charAt(i) == '*') {
                        i++;
                        if (i < pattern.length() && pattern.charAt(i) == '/') {
                            i++;
                        }
                        parts.add(i == pattern.length() ? new Part.All() : new Part.Deep());
                    } else {
                        parts.add(new Part.Some());
                    }
                }
                case '?' -> parts.add(new Part.One());
                case '[' -> {
                    int end = setEnd(pattern, i);
                    parts.add(set(pattern.substring(i, end), pattern));
                    i = end + 1;
                }
                case '\\' -> {
                    if (i == pattern.length()) {
                        throw new EngineException.Invalid("syntax error in pattern: " + pattern);
                    }
                    parts.add(new Part.Literal(pattern.charAt(i++)));
                }
                default -> parts.add(new Part.Literal(c));
            }
        }
        return new PathPattern(pattern, parts);
    }

    /// Whether `text` has anything that makes it more than a plain path.
    public static boolean isPattern(String text) {
        return text.indexOf('*') >= 0 || text.indexOf('?') >= 0 || text.indexOf('[') >= 0;
    }

    private static int setEnd(String pattern, int from) throws EngineException.Invalid {
        for (int i = from; i < pattern.length(); i++) {
            if (pattern.charAt(i) == '\\') {
                i++;
            } else if (pattern.charAt(i) == ']' && i > from) {
                return i;
            }
        }
        throw new EngineException.Invalid("syntax error in pattern: " + pattern);
    }

    private static Part.Set set(String inside, String pattern) throws EngineException.Invalid {
        boolean negated = inside.startsWith("^") || inside.startsWith("!");
        var ranges = new StringBuilder();
        int i = negated ? 1 : 0;
        while (i < inside.length()) {
            char low = inside.charAt(i++);
            if (low == '\\' && i < inside.length()) {
                low = inside.charAt(i++);
            }
            char high = low;
            if (i + 1 < inside.length() && inside.charAt(i) == '-') {
                high = inside.charAt(i + 1);
                i += 2;
            }
            ranges.append(low).append(high);
        }
        if (ranges.isEmpty()) {
            throw new EngineException.Invalid("syntax error in pattern: " + pattern);
        }
        return new Part.Set(ranges.toString(), negated);
    }

    /// How many names the pattern is made of.
    public int depth() {
        return text.split("/").length;
    }

    /// As written.
    public String text() {
        return text;
    }

    /// Whether all of `path` matches.
    public boolean matches(String path) {
        var at = new boolean[parts.size() + 1];
        var inside = new boolean[parts.size()];
        at[0] = true;
        skip(at);
        for (int i = 0; i < path.length(); i++) {
            var next = new boolean[][] {new boolean[parts.size() + 1], new boolean[parts.size()]};
            for (int p = 0; p < parts.size(); p++) {
                if (at[p] || inside[p]) {
                    step(p, path.charAt(i), at[p], inside[p], next);
                }
            }
            skip(next[0]);
            at = next[0];
            inside = next[1];
        }
        return at[parts.size()];
    }

    private void step(int p, char c, boolean at, boolean inside, boolean[][] next) {
        switch (parts.get(p)) {
            case Part.Literal(char value) -> next[0][p + 1] |= at && c == value;
            case Part.Set set -> next[0][p + 1] |= at && c != '/' && set.has(c);
            case Part.One() -> next[0][p + 1] |= at && c != '/';
            case Part.Some() -> next[0][p] |= at && c != '/';
            case Part.All() -> next[0][p] |= at;
            case Part.Deep() -> {
                next[1][p] |= at || inside;
                next[0][p + 1] |= (at || inside) && c == '/';
            }
        }
    }

    private void skip(boolean[] at) {
        for (int p = 0; p < parts.size(); p++) {
            boolean maybeNothing = !(parts.get(p) instanceof Part.Literal) && !(parts.get(p) instanceof Part.Set)
                    && !(parts.get(p) instanceof Part.One);
            if (at[p] && maybeNothing) {
                at[p + 1] = true;
            }
        }
    }
}
