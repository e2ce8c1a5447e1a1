package carafe.cli.template;

import carafe.spec.Json;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Go's `printf`: verbs v d s q t x X c U o b e f g T, flags `+-# 0`, width and precision, and its complaints in the
/// output (`%!d(string=a)`, `%!s(MISSING)`, `%!(EXTRA int=1)`).
final class Printf {

    private static final int WIDEST = 10_000;

    private final String format;
    private final List<Object> arguments;
    private final StringBuilder out = new StringBuilder();
    private int at;
    private int next;
    private String flags = "";
    private int width;
    private int precision;

    private Printf(String format, List<Object> arguments) {
        this.format = format;
        this.arguments = arguments;
    }

    static String print(String format, List<Object> arguments) {
        return new Printf(format, arguments).run();
    }

    private String run() {
        while (at < format.length()) {
            char c = format.charAt(at++);
            if (c != '%') {
                out.append(c);
            } else if (at == format.length()) {
                out.append("%!(NOVERB)");
            } else {
                directive();
            }
        }
        if (next < arguments.size()) {
            out.append("%!(EXTRA ");
            for (int i = next; i < arguments.size(); i++) {
                out.append(i == next ? "" : ", ").append(Values.type(arguments.get(i))).append('=');
                GoText.append(out, arguments.get(i));
            }
            out.append(')');
        }
        return out.toString();
    }

    private void directive() {
        int start = at;
        while (at < format.length() && "+-# 0".indexOf(format.charAt(at)) >= 0) {
            at++;
        }
        flags = format.substring(start, at);
        width = count(0);
        precision = -1;
        if (at < format.length() && format.charAt(at) == '.') {
            at++;
            precision = count(0);
        }
        if (at == format.length()) {
            out.append("%!(NOVERB)");
            return;
        }
        int verb = format.codePointAt(at);
        at += Character.charCount(verb);
        if (verb == '%') {
            out.append('%');
        } else if (next >= arguments.size()) {
            out.append("%!").appendCodePoint(verb).append("(MISSING)");
        } else {
            Object argument = arguments.get(next++);
            String text = verb == 'T' ? Values.type(argument) : formatted((char) verb, argument);
            pad(text != null ? text : "%!" + Character.toString(verb) + "(" + Values.type(argument) + "="
                    + plain(argument) + ")", text != null && isNumber(argument) && verb != 'T');
        }
    }

    private int count(int otherwise) {
        if (at < format.length() && format.charAt(at) == '*') {
            at++;
            return next < arguments.size() && arguments.get(next++) instanceof Long number
                    ? Math.clamp(number, 0, WIDEST) : otherwise;
        }
        int number = 0;
        int start = at;
        while (at < format.length() && format.charAt(at) >= '0' && format.charAt(at) <= '9') {
            number = Math.min(number * 10 + format.charAt(at++) - '0', WIDEST);
        }
        return at == start ? otherwise : number;
    }

    private @Nullable String formatted(char verb, Object argument) {
        if (verb == 'v') {
            return isNumber(argument) ? sign(plain(argument), argument) : plain(argument);
        }
        if (argument instanceof Boolean) {
            return verb == 't' ? plain(argument) : null;
        }
        if (argument instanceof Long number) {
            return whole(verb, number);
        }
        if (argument instanceof BigDecimal number) {
            return fraction(verb, number);
        }
        if (argument instanceof String text) {
            return text(verb, text);
        }
        if (argument instanceof Json.Arr || argument instanceof Json.Obj) {
            return verb == 's' ? plain(argument) : null;
        }
        return null;
    }

    private @Nullable String text(char verb, String text) {
        String cut = precision >= 0 && precision < text.length() ? text.substring(0, precision) : text;
        return switch (verb) {
            case 's' -> cut;
            case 'q' -> flags.contains("#") && cut.indexOf('`') < 0 ? "`" + cut + "`" : GoText.quote(cut);
            case 'x' -> HexFormat.of().formatHex(cut.getBytes(StandardCharsets.UTF_8));
            case 'X' -> HexFormat.of().withUpperCase().formatHex(cut.getBytes(StandardCharsets.UTF_8));
            default -> null;
        };
    }

    private @Nullable String whole(char verb, long number) {
        return switch (verb) {
            case 'd' -> sign(Long.toString(number), number);
            case 'x' -> (flags.contains("#") ? "0x" : "") + Long.toString(number, 16);
            case 'X' -> (flags.contains("#") ? "0X" : "") + Long.toString(number, 16).toUpperCase(Locale.ROOT);
            case 'o' -> Long.toString(number, 8);
            case 'b' -> Long.toString(number, 2);
            case 'c' -> Character.toString(Character.isValidCodePoint((int) number) ? (int) number : 0xfffd);
            case 'q' -> "'" + Character.toString(Character.isValidCodePoint((int) number) ? (int) number : 0xfffd) + "'";
            case 'U' -> String.format(Locale.ROOT, "U+%04X", number);
            default -> null;
        };
    }

    private @Nullable String fraction(char verb, BigDecimal number) {
        int digits = precision < 0 ? 6 : precision;
        return switch (verb) {
            case 'f', 'F' -> sign(number.setScale(digits, RoundingMode.HALF_EVEN).toPlainString(), number);
            case 'e' -> sign(String.format(Locale.ROOT, "%." + digits + "e", number), number);
            case 'g' -> sign(GoText.shortest(number.doubleValue()), number);
            default -> null;
        };
    }

    private String sign(String digits, Object number) {
        boolean negative = digits.startsWith("-") || !isNumber(number);
        return negative ? digits : flags.contains("+") ? "+" + digits : flags.contains(" ") ? " " + digits : digits;
    }

    private static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof BigDecimal;
    }

    private static String plain(Object value) {
        var text = new StringBuilder();
        GoText.append(text, value);
        return text.toString();
    }

    private void pad(String text, boolean number) {
        int missing = width - text.codePointCount(0, text.length());
        if (missing <= 0) {
            out.append(text);
        } else if (flags.contains("-")) {
            out.append(text).repeat(' ', missing);
        } else if (number && flags.contains("0")) {
            int signed = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
            out.append(text, 0, signed).repeat('0', missing).append(text, signed, text.length());
        } else {
            out.repeat(' ', missing).append(text);
        }
    }
}
