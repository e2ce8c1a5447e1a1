package carafe.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Header fields in the order they were sent: names compare without case, a name may repeat. Immutable.
/// Names must be tokens and values free of control characters, so no field can smuggle in another one. Values are
/// Latin-1, as on the wire.
/// Source: RFC 9110 §5.
public final class Headers {

    /// No fields at all.
    public static final Headers NONE = new Headers(new String[0]);

    private final String[] pairs; // name, value, name, value, ...

    private Headers(String[] pairs) {
        this.pairs = pairs;
    }

    /// Fields from alternating names and values: `of("Content-Type", "text/plain", "Pragma", "no-cache")`.
    public static Headers of(String... namesAndValues) {
        var builder = new Builder();
        if (namesAndValues.length % 2 != 0) {
            String last = namesAndValues[namesAndValues.length - 1];
            throw new IllegalArgumentException("a header name has no value: " + last);
        }
        for (int i = 0; i < namesAndValues.length; i += 2) {
            builder.add(namesAndValues[i], namesAndValues[i + 1]);
        }
        return builder.build();
    }

    /// An empty builder.
    public static Builder builder() {
        return new Builder();
    }

    /// The value of the first field of that name.
    public Optional<String> first(String name) {
        String value = valueOf(name);
        return value == null ? Optional.empty() : Optional.of(value);
    }

    /// The values of every field of that name, in order; empty when there is none.
    public List<String> all(String name) {
        var values = new ArrayList<String>(2);
        for (int i = 0; i < pairs.length; i += 2) {
            if (pairs[i].equalsIgnoreCase(name)) {
                values.add(pairs[i + 1]);
            }
        }
        return values;
    }

    /// Whether there is a field of that name.
    public boolean contains(String name) {
        return valueOf(name) != null;
    }

    /// Whether a comma-separated list field such as `Connection` holds `token`, compared without case.
    public boolean listContains(String name, String token) {
        for (int i = 0; i < pairs.length; i += 2) {
            if (!pairs[i].equalsIgnoreCase(name)) {
                continue;
            }
            for (String element : pairs[i + 1].split(",")) {
                if (element.strip().equalsIgnoreCase(token)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// How many fields there are.
    public int size() {
        return pairs.length / 2;
    }

    /// The name of the field at `index`, as it was written.
    public String name(int index) {
        return pairs[2 * index];
    }

    /// The value of the field at `index`.
    public String value(int index) {
        return pairs[2 * index + 1];
    }

    /// A builder that already holds these fields.
    public Builder toBuilder() {
        var builder = new Builder();
        for (int i = 0; i < size(); i++) {
            builder.add(name(i), value(i));
        }
        return builder;
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        for (int i = 0; i < size(); i++) {
            text.append(name(i)).append(": ").append(value(i)).append('\n');
        }
        return text.toString();
    }

    private @Nullable String valueOf(String name) {
        for (int i = 0; i < pairs.length; i += 2) {
            if (pairs[i].equalsIgnoreCase(name)) {
                return pairs[i + 1];
            }
        }
        return null;
    }

    /// Collects fields. Not for several threads.
    public static final class Builder {

        private final ArrayList<String> pairs = new ArrayList<>();

        private Builder() {}

        /// Adds a field behind those already there.
        /// @throws IllegalArgumentException the name is not a token or the value holds a control character
        public Builder add(String name, String value) {
            checkName(name);
            checkValue(name, value);
            pairs.add(name);
            pairs.add(value);
            return this;
        }

        /// Replaces every field of that name by one.
        /// @throws IllegalArgumentException the name is not a token or the value holds a control character
        public Builder set(String name, String value) {
            remove(name);
            return add(name, value);
        }

        /// Drops every field of that name.
        public Builder remove(String name) {
            for (int i = pairs.size() - 2; i >= 0; i -= 2) {
                if (pairs.get(i).equalsIgnoreCase(name)) {
                    pairs.remove(i + 1);
                    pairs.remove(i);
                }
            }
            return this;
        }

        /// The fields collected so far; the builder may be used on.
        public Headers build() {
            return pairs.isEmpty() ? NONE : new Headers(pairs.toArray(new String[0]));
        }

        private static void checkName(String name) {
            if (name.isEmpty()) {
                throw new IllegalArgumentException("a header name is empty");
            }
            for (int i = 0; i < name.length(); i++) {
                char c = name.charAt(i);
                boolean token = c > ' ' && c < 0x7f && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0;
                if (!token) {
                    throw new IllegalArgumentException("not a header name: " + name);
                }
            }
        }

        private static void checkValue(String name, String value) {
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                if (c < ' ' && c != '\t' || c == 0x7f || c > 0xff) {
                    throw new IllegalArgumentException(
                            "the value of header " + name + " holds a character that cannot be sent");
                }
            }
        }
    }
}
