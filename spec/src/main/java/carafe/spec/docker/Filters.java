package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The `filters` of list, events and prune requests: several keys must all match; of several values of one key one
/// must (labels: all).
public record Filters(Map<String, Set<String>> values) {
    /// Lets everything pass.
    public static final Filters NONE = new Filters(Map.of());

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
