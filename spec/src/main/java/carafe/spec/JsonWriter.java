package carafe.spec;

/// The [Json] tree to text. No pattern switches here: their call sites cost a cold start some milliseconds.
final class JsonWriter {

    private static final String HEX = "0123456789ABCDEF";

    private JsonWriter() {}

    /// Appends `value` on one line.
    static void line(Json value, StringBuilder out) {
        if (value instanceof Json.Obj object) {
            char separator = '{';
            for (var field : object.fields().entrySet()) {
                out.append(separator);
                text(field.getKey(), out);
                out.append(':');
                line(field.getValue(), out);
                separator = ',';
            }
            out.append(separator == '{' ? "{}" : "}");
        } else if (value instanceof Json.Arr array) {
            char separator = '[';
            for (var element : array.elements()) {
                out.append(separator);
                line(element, out);
                separator = ',';
            }
            out.append(separator == '[' ? "[]" : "]");
        } else if (value instanceof Json.Str string) {
            text(string.text(), out);
        } else {
            out.append(value instanceof Json.Bool bool ? String.valueOf(bool.truth())
                    : value instanceof Json.Num number ? number.toString() : "null");
        }
    }

    /// Appends `value` over several lines.
    static void indented(Json value, String indent, String lineStart, StringBuilder out) {
        if (value instanceof Json.Obj object && !object.fields().isEmpty()) {
            char separator = '{';
            for (var field : object.fields().entrySet()) {
                out.append(separator).append(lineStart).append(indent);
                text(field.getKey(), out);
                out.append(": ");
                indented(field.getValue(), indent, lineStart + indent, out);
                separator = ',';
            }
            out.append(lineStart).append('}');
        } else if (value instanceof Json.Arr array && !array.elements().isEmpty()) {
            char separator = '[';
            for (var element : array.elements()) {
                out.append(separator).append(lineStart).append(indent);
                indented(element, indent, lineStart + indent, out);
                separator = ',';
            }
            out.append(lineStart).append(']');
        } else {
            line(value, out);
        }
    }

    private static void text(String text, StringBuilder out) {
        out.append('"');
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= ' ' && c != '"' && c != '\\') {
                continue;
            }
            out.append(text, from, i).append('\\');
            from = i + 1;
            switch (c) {
                case '"', '\\' -> out.append(c);
                case '\b' -> out.append('b');
                case '\f' -> out.append('f');
                case '\n' -> out.append('n');
                case '\r' -> out.append('r');
                case '\t' -> out.append('t');
                default -> out.append("u00").append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
            }
        }
        out.append(text, from, text.length()).append('"');
    }
}
