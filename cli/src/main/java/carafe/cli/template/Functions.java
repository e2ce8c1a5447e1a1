package carafe.cli.template;

import carafe.spec.Json;
import java.math.BigDecimal;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The functions templates may call: Go's, and those `docker` adds.
final class Functions {

    private static final String NAMES = " and or not eq ne lt le gt ge len index slice print printf println html js"
            + " urlquery call json split join title lower upper pad truncate ";

    private Functions() {}

    static boolean exists(String name) {
        return NAMES.contains(" " + name + " ");
    }

    /// Whether a function only reshapes its first argument, so that a column's head stays what it is.
    static boolean changesText(String name) {
        return switch (name) {
            case "json", "split", "join", "title", "lower", "upper", "truncate" -> true;
            default -> false;
        };
    }

    /// Calls a function; the message of what it throws is the cause alone, the caller says where.
    static Object call(String name, List<Object> arguments) throws TemplateException {
        return switch (name) {
            case "not" -> !Values.truth(one(name, arguments));
            case "eq", "ne", "lt", "le", "gt", "ge" -> Comparing.call(name, arguments);
            case "len" -> length(one(name, arguments));
            case "index" -> index(arguments);
            case "slice" -> slice(arguments);
            case "print" -> GoText.print(arguments);
            case "println" -> GoText.println(arguments);
            case "printf" -> Printf.print(text(name, arguments, 0), arguments.subList(1, arguments.size()));
            case "html" -> html(joined(arguments));
            case "js" -> js(joined(arguments));
            case "urlquery" -> URLEncoder.encode(joined(arguments), StandardCharsets.UTF_8);
            case "json" -> json(one(name, arguments));
            case "split" -> split(text(name, arguments, 0), text(name, arguments, 1));
            case "join" -> join(arguments);
            case "title" -> title(text(name, arguments, 0));
            case "lower" -> text(name, arguments, 0).toLowerCase(Locale.ROOT);
            case "upper" -> text(name, arguments, 0).toUpperCase(Locale.ROOT);
            case "pad" -> pad(arguments);
            case "truncate" -> truncate(text(name, arguments, 0), number(name, arguments, 1));
            default -> throw new TemplateException("call of " + GoText.printed(one(name, arguments)) + ", no function");
        };
    }

    /// How many arguments a function takes: `least` and `most`, -1 for any number.
    static int[] arity(String name) {
        return switch (name) {
            case "not", "len", "json", "title", "lower", "upper" -> new int[] {1, 1};
            case "split", "join", "truncate", "ne", "lt", "le", "gt", "ge" -> new int[] {2, 2};
            case "pad" -> new int[] {3, 3};
            case "eq", "index", "slice", "printf", "and", "or", "call" -> new int[] {1, -1};
            default -> new int[] {0, -1};
        };
    }

    private static Object one(String name, List<Object> arguments) throws TemplateException {
        if (arguments.isEmpty()) {
            throw new TemplateException("wrong number of args for " + name + ": want 1 got 0");
        }
        return arguments.getFirst();
    }

    private static String text(String name, List<Object> arguments, int at) throws TemplateException {
        if (at < arguments.size() && arguments.get(at) instanceof String text) {
            return text;
        }
        String got = at < arguments.size() ? Values.type(arguments.get(at)) : "nothing";
        throw new TemplateException("wrong type for value; expected string; got " + got);
    }

    private static long number(String name, List<Object> arguments, int at) throws TemplateException {
        if (at < arguments.size() && arguments.get(at) instanceof Long number) {
            return number;
        }
        String got = at < arguments.size() ? Values.type(arguments.get(at)) : "nothing";
        throw new TemplateException("wrong type for value; expected int; got " + got);
    }

    private static Object length(Object value) throws TemplateException {
        if (value instanceof String text) {
            return (long) text.getBytes(StandardCharsets.UTF_8).length;
        }
        if (value instanceof Json.Arr array) {
            return (long) array.elements().size();
        }
        if (value instanceof Json.Obj object) {
            return (long) object.fields().size();
        }
        throw new TemplateException(value == Values.NIL || value == Values.ABSENT
                ? "len of nil pointer" : "len of type " + Values.type(value));
    }

    private static Object index(List<Object> arguments) throws TemplateException {
        Object value = arguments.getFirst();
        for (var key : arguments.subList(1, arguments.size())) {
            if (value instanceof Json.Arr array) {
                value = Values.of(array.elements().get(position(key, array.elements().size(), false)));
            } else if (value instanceof String text) {
                byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                value = (long) (bytes[position(key, bytes.length, false)] & 0xff);
            } else if (value instanceof Json.Obj object) {
                if (!(key instanceof String name)) {
                    throw new TemplateException("value has type " + Values.type(key) + "; should be string");
                }
                Json found = object.fields().get(name);
                value = found == null ? Values.ABSENT : Values.of(found);
            } else {
                throw new TemplateException(value == Values.NIL || value == Values.ABSENT
                        ? "index of untyped nil" : "can't index item of type " + Values.type(value));
            }
        }
        return value;
    }

    private static int position(Object key, int size, boolean mayBeSize) throws TemplateException {
        if (!(key instanceof Long at)) {
            throw new TemplateException("cannot index slice/array with type " + Values.type(key));
        }
        if (at < 0 || at > size || at == size && !mayBeSize) {
            throw new TemplateException("index out of range: " + at);
        }
        return (int) (long) at;
    }

    private static Object slice(List<Object> arguments) throws TemplateException {
        Object value = arguments.getFirst();
        if (arguments.size() > 4 || arguments.size() > 3 && value instanceof String) {
            throw new TemplateException(value instanceof String
                    ? "cannot 3-index slice a string" : "too many slice indexes: " + (arguments.size() - 1));
        }
        byte[] bytes = value instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : new byte[0];
        if (!(value instanceof String) && !(value instanceof Json.Arr)) {
            throw new TemplateException("can't slice item of type " + Values.type(value));
        }
        int size = value instanceof Json.Arr array ? array.elements().size() : bytes.length;
        int from = arguments.size() > 1 ? position(arguments.get(1), size, true) : 0;
        int to = arguments.size() > 2 ? position(arguments.get(2), size, true) : size;
        if (from > to) {
            throw new TemplateException("invalid slice index: " + from + " > " + to);
        }
        return value instanceof Json.Arr array
                ? new Json.Arr(array.elements().subList(from, to))
                : new String(bytes, from, to - from, StandardCharsets.UTF_8);
    }

    private static String joined(List<Object> arguments) {
        return arguments.size() == 1 && arguments.getFirst() instanceof String text ? text : GoText.print(arguments);
    }

    private static String html(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&#34;")
                .replace("'", "&#39;").replace("\0", "\ufffd");
    }

    private static String js(String text) {
        var out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\'' -> out.append("\\'");
                case '"' -> out.append("\\\"");
                case '<', '>', '&', '=' -> out.append(String.format(Locale.ROOT, "\\u%04X", (int) c));
                default -> {
                    if (c < ' ') {
                        out.append(String.format(Locale.ROOT, "\\u%04X", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.toString();
    }

    private static String json(Object value) {
        String text = Values.json(value).print();
        return value instanceof Subject
                ? text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026") // as Docker's rows
                : text;
    }

    private static Json split(String text, String separator) {
        var parts = new ArrayList<String>();
        if (separator.isEmpty()) {
            text.codePoints().forEach(c -> parts.add(Character.toString(c)));
        } else {
            int from = 0;
            for (int at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, from)) {
                parts.add(text.substring(from, at));
                from = at + separator.length();
            }
            parts.add(text.substring(from));
        }
        return Json.ofTexts(parts);
    }

    private static String join(List<Object> arguments) throws TemplateException {
        if (!(arguments.getFirst() instanceof Json.Arr array)) {
            throw new TemplateException("wrong type for value; expected []string; got "
                    + Values.type(arguments.getFirst()));
        }
        String separator = text("join", arguments, 1);
        var out = new StringBuilder();
        boolean first = true;
        for (var element : array.elements()) {
            out.append(first ? "" : separator);
            GoText.append(out, Values.of(element));
            first = false;
        }
        return out.toString();
    }

    private static String title(String text) {
        var out = new StringBuilder(text);
        boolean starts = true;
        for (int i = 0; i < out.length(); i++) {
            char c = out.charAt(i);
            if (starts) {
                out.setCharAt(i, Character.toTitleCase(c));
            }
            starts = !Character.isLetterOrDigit(c) && c != '_' && c != '\'';
        }
        return out.toString();
    }

    private static String pad(List<Object> arguments) throws TemplateException {
        String text = text("pad", arguments, 0);
        int left = Math.clamp(number("pad", arguments, 1), 0, 10_000);
        int right = Math.clamp(number("pad", arguments, 2), 0, 10_000);
        return text.isEmpty() ? text : " ".repeat(left) + text + " ".repeat(right);
    }

    private static String truncate(String text, long length) {
        return text.length() < length ? text : text.substring(0, (int) Math.max(0, length));
    }

    /// Whether two numbers, texts or truths can be compared, and how they compare.
    static final class Comparing {

        private Comparing() {}

        static Object call(String name, List<Object> arguments) throws TemplateException {
            Object left = arguments.getFirst();
            if (name.equals("eq")) {
                if (arguments.size() == 1) {
                    throw new TemplateException("missing argument for comparison");
                }
                for (var right : arguments.subList(1, arguments.size())) {
                    if (equal(left, right)) {
                        return true;
                    }
                }
                return false;
            }
            Object right = arguments.get(1);
            return switch (name) {
                case "ne" -> !equal(left, right);
                case "lt" -> order(left, right) < 0;
                case "le" -> order(left, right) <= 0;
                case "gt" -> order(left, right) > 0;
                default -> order(left, right) >= 0;
            };
        }

        private static boolean equal(Object left, Object right) throws TemplateException {
            boolean leftNil = left == Values.NIL || left == Values.ABSENT;
            boolean rightNil = right == Values.NIL || right == Values.ABSENT;
            if (leftNil || rightNil) {
                return leftNil && rightNil;
            }
            if (left instanceof Json || right instanceof Json) {
                throw new TemplateException("non-comparable type " + (left instanceof Json ? GoText.printed(left)
                        + ": " + Values.type(left) : GoText.printed(right) + ": " + Values.type(right)));
            }
            if (left instanceof Boolean && right instanceof Boolean) {
                return left.equals(right);
            }
            return order(left, right) == 0;
        }

        private static int order(Object left, Object right) throws TemplateException {
            if (left instanceof String a && right instanceof String b) {
                return a.compareTo(b);
            }
            if (isNumber(left) && isNumber(right)) {
                return new BigDecimal(left.toString()).compareTo(new BigDecimal(right.toString()));
            }
            if (left.getClass() == right.getClass()) {
                throw new TemplateException("invalid type for comparison");
            }
            throw new TemplateException("incompatible types for comparison");
        }

        private static boolean isNumber(Object value) {
            return value instanceof Long || value instanceof BigDecimal;
        }
    }
}
