package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// The `filters` of list, events and prune requests: several keys must all match; of several values of one key one
/// must (labels: all).
public record Filters(Map<String, Set<String>> values) {
    /// Lets everything pass.
    public static final Filters NONE = new Filters(Map.of());

    private static final int LONGEST_PATTERN = 256;

    public Filters {
        var copy = new LinkedHashMap<String, Set<String>>();
        values.forEach((key, each) -> copy.put(key, Collections.unmodifiableSet(new LinkedHashSet<>(each))));
        values = Collections.unmodifiableMap(copy);
    }

    /// Reads the query parameter in both its forms: `{"label":{"a=b":true}}` (Go) and `{"label":["a=b"]}`.
    public static Filters parse(String text) throws EngineException.Invalid {
        if (text.isBlank()) {
            return NONE;
        }
        if (!(Json.parse(text) instanceof Json.Obj object)) {
            throw new EngineException.Invalid("invalid filter: not a JSON object: " + text);
        }
        var values = new LinkedHashMap<String, Set<String>>();
        for (var field : object.fields().entrySet()) {
            var set = new LinkedHashSet<String>();
            switch (field.getValue()) {
                case Json.Obj(var marked) -> marked.forEach((value, mark) -> {
                    if (mark.equals(Json.of(true))) {
                        set.add(value);
                    }
                });
                case Json.Arr _ -> set.addAll(object.texts(field.getKey()));
                case Json.Str(var value) -> set.add(value);
                case Json.Null() -> { }
                default -> throw new EngineException.Invalid("invalid filter '" + field.getKey() + "'");
            }
            values.put(field.getKey(), set);
        }
        return new Filters(values);
    }

    /// Refuses keys that the request does not know.
    public void allowOnly(Set<String> known) throws EngineException.Invalid {
        for (var key : values.keySet()) {
            if (!known.contains(key)) {
                throw new EngineException.Invalid("invalid filter '" + key + "'");
            }
        }
    }

    /// The values of `key`; none when it is not filtered by.
    public Set<String> of(String key) {
        return values.getOrDefault(key, Set.of());
    }

    /// Whether `key` is not filtered by, or names `value`.
    public boolean allows(String key, String value) {
        var wanted = of(key);
        return wanted.isEmpty() || wanted.contains(value);
    }

    /// What passes the filter `key`: all when it is not filtered by, else what one of its values, as a regular expression,
    /// is found in. What is none, or longer than 256 characters, is looked for as it stands. Source: dockerd's filters.Match.
    public Predicate<String> finding(String key) {
        var patterns = of(key).stream().map(Filters::pattern).toList();
        return text -> patterns.isEmpty() || patterns.stream().anyMatch(pattern -> pattern.matcher(text).find());
    }

    private static Pattern pattern(String text) {
        try {
            return Pattern.compile(text.length() <= LONGEST_PATTERN ? text : Pattern.quote(text));
        } catch (PatternSyntaxException e) {
            return Pattern.compile(Pattern.quote(text));
        }
    }

    /// Whether all label filters under `key` (`name` or `name=value`) match `labels`.
    public boolean allowsLabels(String key, Map<String, String> labels) {
        for (var wanted : of(key)) {
            int equals = wanted.indexOf('=');
            String found = labels.get(equals < 0 ? wanted : wanted.substring(0, equals));
            if (found == null || equals >= 0 && !found.equals(wanted.substring(equals + 1))) {
                return false;
            }
        }
        return true;
    }

    /// The one truth value under `key`, or `otherwise` when it is not filtered by.
    public boolean truth(String key, boolean otherwise) throws EngineException.Invalid {
        var wanted = List.copyOf(of(key));
        if (wanted.isEmpty()) {
            return otherwise;
        }
        return switch (wanted.size() == 1 ? wanted.getFirst() : "") {
            case "1", "t", "T", "true", "TRUE", "True" -> true;
            case "0", "f", "F", "false", "FALSE", "False" -> false;
            default -> throw new EngineException.Invalid("invalid filter '" + key + "=" + wanted + "'");
        };
    }
}
