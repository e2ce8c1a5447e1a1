package carafe.cli.template;

import carafe.spec.Json;
import java.math.BigDecimal;
import java.util.List;

/// How Go's fmt prints values without a format.
final class GoText {

    private GoText() {}

    /// A value as an action prints it.
    static String printed(Object value) {
        if (value instanceof String text) {
            return text;
        }
        if (value == Values.ABSENT || value == Values.NIL) {
            return "<no value>";
        }
        var out = new StringBuilder();
        append(out, value);
        return out.toString();
    }

    /// Appends a value as `%v`.
    static void append(StringBuilder out, Object value) {
        if (value instanceof Json.Arr array) {
            String separator = "[";
            for (var element : array.elements()) {
                out.append(separator);
                append(out, Values.of(element));
                separator = " ";
            }
            out.append(array.elements().isEmpty() ? "[]" : "]");
        } else if (value instanceof Json.Obj object) {
            String separator = "map[";
            for (var field : Values.sorted(object).entrySet()) {
                out.append(separator).append(field.getKey()).append(':');
                append(out, Values.of(field.getValue()));
                separator = " ";
            }
            out.append(object.fields().isEmpty() ? "map[]" : "]");
        } else if (value instanceof Subject subject) {
            append(out, subject.asJson());
        } else if (value instanceof BigDecimal number) {
            out.append(shortest(number.doubleValue()));
        } else {
            out.append(value == Values.NIL || value == Values.ABSENT ? "<nil>" : value);
        }
    }

    /// A float as `%v`: the shortest form, with an exponent from 1e21 on and below 1e-4.
    static String shortest(double number) {
        double size = Math.abs(number);
        if (size != 0 && (size < 1e-4 || size >= 1e21)) {
            String text = Double.toString(number);
            int e = text.indexOf('E');
            String mantissa = text.substring(0, e < 0 ? text.length() : e);
            mantissa = mantissa.endsWith(".0") ? mantissa.substring(0, mantissa.length() - 2) : mantissa;
            int exponent = e < 0 ? 0 : Integer.parseInt(text.substring(e + 1));
            return mantissa + (exponent < 0 ? "e-" : "e+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
        }
        return new BigDecimal(Double.toString(number)).stripTrailingZeros().toPlainString();
    }

    /// `print`: spaces stand between operands of which neither is a text.
    static String print(List<Object> values) {
        var out = new StringBuilder();
        for (int i = 0; i < values.size(); i++) {
            if (i > 0 && !(values.get(i) instanceof String) && !(values.get(i - 1) instanceof String)) {
                out.append(' ');
            }
            append(out, values.get(i));
        }
        return out.toString();
    }

    /// `println`: spaces between all operands, a new line behind.
    static String println(List<Object> values) {
        var out = new StringBuilder();
        for (int i = 0; i < values.size(); i++) {
            out.append(i == 0 ? "" : " ");
            append(out, values.get(i));
        }
        return out.append('\n').toString();
    }

    /// `text` in double quotes with Go's escapes.
    static String quote(String text) {
        var quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int plain = "\u0007\b\f\n\r\t\u000b\\\"".indexOf(c);
            if (plain >= 0) {
                quoted.append('\\').append("abfnrtv\\\"".charAt(plain));
            } else if (c < ' ' || c == 0x7f) {
                quoted.append("\\x").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
