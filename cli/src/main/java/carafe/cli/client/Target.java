package carafe.cli.client;

import java.nio.charset.StandardCharsets;

/// A path of the API with its query, escaped piece by piece.
public final class Target {

    private final StringBuilder text = new StringBuilder(64);
    private boolean hasQuery;

    private Target() {}

    /// Starts a path: `parts` are joined by `/`, each escaped but for the slashes that image names carry.
    public static Target of(String... parts) {
        var target = new Target();
        for (var part : parts) {
            target.text.append('/');
            target.escape(part, true);
        }
        return target;
    }

    /// Adds a parameter.
    public Target with(String name, String value) {
        text.append(hasQuery ? '&' : '?').append(name).append('=');
        hasQuery = true;
        escape(value, false);
        return this;
    }

    /// Adds a parameter with a number.
    public Target with(String name, long value) {
        return with(name, Long.toString(value));
    }

    /// Adds `name=1` when `on`.
    public Target when(boolean on, String name) {
        return on ? with(name, "1") : this;
    }

    /// Adds a parameter unless its value is empty.
    public Target given(String name, String value) {
        return value.isEmpty() ? this : with(name, value);
    }

    private void escape(String part, boolean path) {
        for (int i = 0; i < part.length(); i++) {
            char c = part.charAt(i);
            boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
                    || c == '-' || c == '_' || c == '.' || c == '~' || path && (c == '/' || c == ':' || c == '@');
            if (plain) {
                text.append(c);
            } else if (Character.isHighSurrogate(c) && i + 1 < part.length()) {
                percent(part.substring(i, i + 2));
                i++;
            } else {
                percent(part.substring(i, i + 1));
            }
        }
    }

    private void percent(String c) {
        for (byte octet : c.getBytes(StandardCharsets.UTF_8)) {
            text.append('%').append(Character.toUpperCase(Character.forDigit(octet >> 4 & 15, 16)))
                    .append(Character.toUpperCase(Character.forDigit(octet & 15, 16)));
        }
    }

    /// The path with its query.
    @Override
    public String toString() {
        return text.toString();
    }
}
