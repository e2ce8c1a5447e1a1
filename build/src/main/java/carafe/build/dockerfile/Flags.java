package carafe.build.dockerfile;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The `--name=value` words between an instruction's keyword and its arguments.
final class Flags {

    /// One flag, without its quotes; no value is that of `--link`. `text` is the flag as written.
    record Flag(String name, Optional<String> value, String text) {}

    /// The flags found and what comes behind them.
    record Split(List<Flag> flags, String rest) {}

    private final Statement statement;
    private final List<Flag> left;

    /// Hands out the flags of `statement` one by one; [#end] complains about the others.
    Flags(Statement statement) {
        this.statement = statement;
        this.left = new ArrayList<>(statement.flags());
    }

    /// Takes the flags off the begin of `text`. Quotes anywhere in a flag hold blanks together and are taken off, and so is
    /// a backslash, whatever escapes elsewhere in the file.
    static Split split(String text) {
        var flags = new ArrayList<Flag>();
        int at = 0;
        while (true) {
            while (at < text.length() && Words.isBlank(text.charAt(at))) {
                at++;
            }
            if (!text.startsWith("--", at)) {
                break;
            }
            int end = wordEnd(text, at);
            String written = text.substring(at, end);
            String word = unquoted(written).substring(2);
            at = end;
            if (word.isEmpty()) {
                break; // a lone -- ends the flags
            }
            int equals = word.indexOf('=');
            flags.add(equals < 0 ? new Flag(word, Optional.empty(), written)
                    : new Flag(word.substring(0, equals), Optional.of(word.substring(equals + 1)), written));
        }
        return new Split(flags, text.substring(at).strip());
    }

    private static String unquoted(String written) {
        var plain = new StringBuilder();
        char quote = 0;
        for (int i = 0; i < written.length(); i++) {
            char c = written.charAt(i);
            if (c == '\\') {
                if (++i < written.length()) {
                    plain.append(written.charAt(i));
                }
            } else if (c == quote) {
                quote = 0;
            } else if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            } else {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    private static int wordEnd(String text, int start) {
        char quote = 0;
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == quote) {
                quote = 0;
            } else if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            } else if (quote == 0 && Words.isBlank(c)) {
                return i;
            }
        }
        return text.length();
    }

    /// The value of the flag `name`, which may stand once.
    Optional<String> text(String name) throws DockerfileException {
        var all = texts(name);
        if (all.size() > 1) {
            throw new DockerfileException(statement.span(), "duplicate flag specified: --" + name);
        }
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getFirst());
    }

    /// The values of the flag `name`, which may repeat.
    List<String> texts(String name) throws DockerfileException {
        var values = new ArrayList<String>();
        for (var flag : List.copyOf(left)) {
            if (flag.name().equals(name)) {
                String raw = flag.value().orElseThrow(
                        () -> new DockerfileException(statement.span(), "missing a value on flag: " + name));
                values.add(raw);
                left.remove(flag);
            }
        }
        return values;
    }

    /// The truth of the flag `name`; empty when it does not stand there.
    Optional<Boolean> truth(String name) throws DockerfileException {
        Optional<Boolean> found = Optional.empty();
        for (var flag : List.copyOf(left)) {
            if (flag.name().equals(name)) {
                if (found.isPresent()) {
                    throw new DockerfileException(statement.span(), "duplicate flag specified: --" + name);
                }
                found = Optional.of(flag.value().isEmpty()
                        || truth(flag.value().get(), statement.span(), "--" + name));
                left.remove(flag);
            }
        }
        return found;
    }

    static boolean truth(String text, Span span, String what) throws DockerfileException {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "1", "t" -> true;
            case "false", "0", "f" -> false;
            default -> throw new DockerfileException(span, "expecting boolean value for flag " + what + ", not: "
                    + text);
        };
    }

    /// Refuses the flags that nobody took.
    void end(List<String> known) throws DockerfileException {
        if (!left.isEmpty()) {
            String name = left.getFirst().name();
            throw new DockerfileException(statement.span(), "unknown flag: --" + name
                    + Nearest.of(name, known).map(near -> " (did you mean " + near + "?)").orElse(""));
        }
    }
}
