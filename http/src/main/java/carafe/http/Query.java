package carafe.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The decoded parameters of a request's query, in order; names are exact, a name may repeat. Immutable.
/// `+` and percent escapes are decoded as in HTML forms, which is what every Docker client sends.
public final class Query {

    private static final int MAX_PARAMETERS = 10_000;

    private final List<String> pairs; // name, value, name, value, ...

    private Query(List<String> pairs) {
        this.pairs = pairs;
    }

    /// Decodes what stands behind the `?` of a target.
    /// @throws HttpException 400 when an escape is broken or there are too many parameters
    public static Query parse(String raw) throws HttpException {
        var pairs = new ArrayList<String>();
        for (String part : raw.split("&")) {
            if (part.isEmpty()) {
                continue;
            }
            if (pairs.size() >= 2 * MAX_PARAMETERS) {
                throw new HttpException(400, "the query has more than " + MAX_PARAMETERS + " parameters");
            }
            int equals = part.indexOf('=');
            pairs.add(decode(equals < 0 ? part : part.substring(0, equals), true));
            pairs.add(equals < 0 ? "" : decode(part.substring(equals + 1), true));
        }
        return new Query(List.copyOf(pairs));
    }

    /// The first value of that name.
    public Optional<String> first(String name) {
        for (int i = 0; i < pairs.size(); i += 2) {
            if (pairs.get(i).equals(name)) {
                return Optional.of(pairs.get(i + 1));
            }
        }
        return Optional.empty();
    }

    /// Every value of that name, in order.
    public List<String> all(String name) {
        var values = new ArrayList<String>();
        for (int i = 0; i < pairs.size(); i += 2) {
            if (pairs.get(i).equals(name)) {
                values.add(pairs.get(i + 1));
            }
        }
        return values;
    }

    /// Whether the name occurs, with or without a value.
    public boolean contains(String name) {
        return first(name).isPresent();
    }

    /// The names in order of first appearance, each once.
    public List<String> names() {
        var names = new ArrayList<String>();
        for (int i = 0; i < pairs.size(); i += 2) {
            if (!names.contains(pairs.get(i))) {
                names.add(pairs.get(i));
            }
        }
        return names;
    }

    /// A flag as Docker reads it: absent, empty, `0`, `no`, `false` and `none` (any case) are false, all else is true.
    public boolean flag(String name) {
        String value = first(name).orElse("").strip().toLowerCase(Locale.ROOT);
        return switch (value) {
            case "", "0", "no", "false", "none" -> false;
            default -> true;
        };
    }

    /// Decodes percent escapes as UTF-8; `+` becomes a blank only when `form` is set.
    static String decode(String text, boolean form) throws HttpException {
        var bytes = new ByteArrayOutputStream(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '%') {
                int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
                int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    throw new HttpException(400, "invalid URL escape in \"" + text + "\"");
                }
                bytes.write(high << 4 | low);
                i += 2;
            } else if (c == '+' && form) {
                bytes.write(' ');
            } else if (c <= 0xff) {
                bytes.write(c); // heads are read as Latin-1: a byte of unescaped UTF-8
            } else {
                bytes.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
