package carafe.spec.docker;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// The fields of one of Docker's messages: their names as Docker prints them, in its order, and what each is when unset.
/// Brings a client's object, whose keys may come in any case, into the complete form that inspect echoes.
final class Shape {
    private final Map<String, Json> fields = new LinkedHashMap<>();
    private final Map<String, String> names = new LinkedHashMap<>();

    private Shape(Json.Obj defaults) {
        defaults.fields().forEach((name, value) -> {
            fields.put(name, value);
            names.put(name.toLowerCase(Locale.ROOT), name);
        });
    }

    /// A shape of all fields in `text`, a JSON object of defaults; a default of `"?"` marks a field that is left out
    /// when unset.
    static Shape of(String text) {
        try {
            return new Shape((Json.Obj) Json.parse(text));
        } catch (EngineException.Invalid e) {
            throw new AssertionError(e); // the text is ours
        }
    }

    /// `given` with exactly the known fields, in Docker's order and spelling; unknown ones are dropped, as Go does.
    Json.Obj complete(Json.Obj given) {
        var known = new LinkedHashMap<String, Json>();
        given.fields().forEach((key, value) -> {
            String name = fields.containsKey(key) ? key : names.get(key.toLowerCase(Locale.ROOT));
            if (name != null && !(value instanceof Json.Null)) {
                known.put(name, value);
            }
        });
        var complete = Json.object();
        fields.forEach((name, unset) -> {
            Json value = known.getOrDefault(name, unset);
            if (!(value instanceof Json.Str(String mark) && mark.equals("?") && value == unset)) {
                complete.put(name, value);
            }
        });
        return complete.build();
    }
}
