package carafe.cli.command;

import carafe.cli.client.Target;
import carafe.spec.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `--filter key=value` flags as the API's parameter: `{"label":{"a=b":true}}`.
final class Filters {

    private Filters() {}

    /// The parameter's text; empty without filters.
    static String json(List<String> typed) {
        if (typed.isEmpty()) {
            return "";
        }
        var filters = new LinkedHashMap<String, Map<String, Json>>();
        for (var one : typed) {
            int equals = one.indexOf('=');
            if (equals > 0) {
                filters.computeIfAbsent(one.substring(0, equals).strip().toLowerCase(Locale.ROOT), k -> new LinkedHashMap<>())
                        .put(one.substring(equals + 1).strip(), Json.of(true));
            }
        }
        var document = Json.object();
        filters.forEach((key, values) -> document.put(key, new Json.Obj(values)));
        return document.build().print();
    }

    /// Adds the parameter when there are filters.
    static Target add(Target target, List<String> typed) {
        return target.given("filters", json(typed));
    }
}
