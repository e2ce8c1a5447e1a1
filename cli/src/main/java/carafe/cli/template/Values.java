package carafe.cli.template;

import carafe.spec.Json;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// What templates compute with: String, Long, BigDecimal (not whole), Boolean, [Json.Obj], [Json.Arr], [Subject],
/// [#NIL] and [#ABSENT]. JSON's scalars become the first four when a template reaches them.
public final class Values {

    /// Go's nil; prints as `<nil>` inside of other things.
    static final Object NIL = new Object();

    /// What a missing key of a map, or a missing field, is.
    public static final Object ABSENT = new Object();

    private Values() {}

    /// The value of a JSON node, its scalars unwrapped.
    public static Object of(Json json) {
        if (json instanceof Json.Str str) {
            return str.text();
        }
        if (json instanceof Json.Num num) {
            var whole = num.whole();
            return whole.isPresent() ? (Object) whole.getAsLong() : num.number();
        }
        if (json instanceof Json.Bool bool) {
            return bool.truth();
        }
        return json instanceof Json.Null ? NIL : json;
    }

    /// `text` in double quotes with Go's escapes.
    public static String quote(String text) {
        return GoText.quote(text);
    }

    static Object number(BigDecimal number) {
        try {
            return number.longValueExact();
        } catch (ArithmeticException e) {
            return number;
        }
    }

    /// The JSON of a value.
    static Json json(Object value) {
        if (value == Omitted.NO_LIST || value == Omitted.NO_MAP) {
            return Json.NULL;
        }
        if (value instanceof Json json) {
            return json;
        }
        if (value instanceof Subject subject) {
            return subject.asJson();
        }
        if (value instanceof String text) {
            return Json.of(text);
        }
        if (value instanceof Long number) {
            return Json.of(number);
        }
        if (value instanceof BigDecimal number) {
            return new Json.Num(number);
        }
        return value instanceof Boolean truth ? Json.of(truth) : Json.NULL;
    }

    /// Whether `if` takes the value as true: not zero, not empty, not nil.
    static boolean truth(Object value) {
        if (value instanceof Boolean truth) {
            return truth;
        }
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof Long number) {
            return number != 0;
        }
        if (value instanceof Json.Obj object) {
            return !object.fields().isEmpty();
        }
        if (value instanceof Json.Arr array) {
            return !array.elements().isEmpty();
        }
        return value != NIL && value != ABSENT;
    }

    /// Go's name of a value's type.
    static String type(Object value) {
        if (value instanceof String) {
            return "string";
        }
        if (value instanceof Long) {
            return "int";
        }
        if (value instanceof BigDecimal) {
            return "float64";
        }
        if (value instanceof Boolean) {
            return "bool";
        }
        if (value instanceof Json.Arr) {
            return "[]interface {}";
        }
        if (value instanceof Json.Obj) {
            return "map[string]interface {}";
        }
        return value instanceof Subject subject ? subject.typeName() : "<nil>";
    }

    /// The keys and values of an object in the order of its keys, as Go walks and prints maps.
    static TreeMap<String, Json> sorted(Json.Obj object) {
        return new TreeMap<>(object.fields());
    }

    /// The elements as template values.
    static List<Object> elements(Json.Arr array) {
        var values = new ArrayList<>(array.elements().size());
        for (var element : array.elements()) {
            values.add(of(element));
        }
        return values;
    }
}
