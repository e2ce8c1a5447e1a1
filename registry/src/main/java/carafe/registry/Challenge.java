package carafe.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// How a server wants to be shown who asks: a scheme in small letters (`bearer`, `basic`) and its parameters.
/// Source: RFC 9110 §11.3 and §11.6.1.
record Challenge(String scheme, Map<String, String> parameters) {

    private static final int MAX_LENGTH = 8 << 10;

    Challenge {
        parameters = Map.copyOf(parameters);
    }

    String parameter(String name) {
        return parameters.getOrDefault(name, "");
    }

    /// The challenges in the values of WWW-Authenticate; what cannot be read ends the list.
    static List<Challenge> parse(List<String> values) {
        var found = new ArrayList<Challenge>();
        for (String value : values) {
            if (value.length() <= MAX_LENGTH) {
                new Reader(value).into(found);
            }
        }
        return found;
    }

    /// Reads one field value from its begin to its end.
    private static final class Reader {
        private final String text;
        private int at;

        Reader(String text) {
            this.text = text;
        }

        void into(List<Challenge> found) {
            String word = token();
            while (!word.isEmpty()) {
                String scheme = word.toLowerCase(Locale.ROOT);
                var parameters = new LinkedHashMap<String, String>();
                word = parameters(parameters);
                found.add(new Challenge(scheme, parameters));
            }
        }

        /// Reads `name=value` pairs; the word that is none of them is returned: the next scheme.
        private String parameters(Map<String, String> into) {
            while (true) {
                skip(" \t,");
                String name = token();
                int mark = at;
                skip(" \t");
                if (name.isEmpty() || at >= text.length() || text.charAt(at) != '=') {
                    at = mark;
                    return name;
                }
                at++;
                skip(" \t");
                into.putIfAbsent(name.toLowerCase(Locale.ROOT), value());
            }
        }

        private String value() {
            if (at >= text.length() || text.charAt(at) != '"') {
                return token();
            }
            var value = new StringBuilder();
            for (at++; at < text.length() && text.charAt(at) != '"'; at++) {
                if (text.charAt(at) == '\\' && at + 1 < text.length()) {
                    at++;
                }
                value.append(text.charAt(at));
            }
            at = Math.min(at + 1, text.length());
            return value.toString();
        }

        private String token() {
            int start = at;
            while (at < text.length() && " \t,=\"".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            return text.substring(start, at);
        }

        private void skip(String what) {
            while (at < text.length() && what.indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }
    }
}
