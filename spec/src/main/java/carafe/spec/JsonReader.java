package carafe.spec;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/// Bytes to the [Json] tree, by recursive descent; what is read is bounded in depth and in the length of its texts.
///
/// Strict as RFC 8259 has it, but that bytes which are no UTF-8 and halves of surrogate pairs become U+FFFD, as in Go.
/// It touches nothing of the JDK that is slow to initialise: `BigDecimal`'s class alone costs 10 ms of a cold start.
final class JsonReader {

    private static final int DEEPEST = 100;
    private static final int LONGEST_TEXT = 32 << 20;
    private static final int LONGEST_NUMBER = 1000;
    private static final int BUFFER = 8192;

    private final @Nullable InputStream in;
    private byte[] buffer;
    private int at;
    private int end;
    private int depth;
    private byte[] text = new byte[64];
    private int length;

    JsonReader(byte[] bytes) {
        in = null;
        buffer = bytes;
        end = bytes.length;
    }

    JsonReader(InputStream in) {
        this.in = in;
        buffer = new byte[BUFFER];
    }

    /// Whether nothing but white space is left.
    boolean isAtEnd() throws EngineException.Invalid, IOException {
        return skipBlanks() < 0;
    }

    /// The next value.
    Json value() throws EngineException.Invalid, IOException {
        int c = skipBlanks();
        return switch (c) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> new Json.Str(string());
            case 't' -> word("true", Json.of(true));
            case 'f' -> word("false", Json.of(false));
            case 'n' -> word("null", Json.NULL);
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
            case -1 -> throw wrong("it ends where a value should be");
            default -> throw unexpected(c, "where a value should be");
        };
    }

    private Json object() throws EngineException.Invalid, IOException {
        enter();
        var fields = new LinkedHashMap<String, Json>();
        if (skipBlanks() == '}') {
            at++;
        } else {
            while (true) {
                if (skipBlanks() != '"') {
                    throw unexpected(peek(), "where a name in quotes should be");
                }
                String name = string();
                if (skipBlanks() != ':') {
                    throw unexpected(peek(), "where a colon should be");
                }
                at++;
                fields.put(name, value());
                if (!goesOn('}')) {
                    break;
                }
            }
        }
        depth--;
        return new Json.Obj(fields);
    }

    private Json array() throws EngineException.Invalid, IOException {
        enter();
        var elements = new ArrayList<Json>();
        if (skipBlanks() == ']') {
            at++;
        } else {
            do {
                elements.add(value());
            } while (goesOn(']'));
        }
        depth--;
        return new Json.Arr(elements);
    }

    private void enter() throws EngineException.Invalid {
        at++;
        if (++depth > DEEPEST) {
            throw wrong("it is nested deeper than " + DEEPEST);
        }
    }

    private boolean goesOn(char close) throws EngineException.Invalid, IOException {
        int c = skipBlanks();
        if (c != ',' && c != close) {
            throw unexpected(c, "where a comma or " + close + " should be");
        }
        at++;
        return c == ',';
    }

    private Json word(String word, Json meaning) throws EngineException.Invalid, IOException {
        for (int i = 0; i < word.length(); i++) {
            if (peek() != word.charAt(i)) {
                throw unexpected(peek(), "in " + word);
            }
            at++;
        }
        return meaning;
    }

    private Json number() throws EngineException.Invalid, IOException {
        length = 0;
        boolean whole = true;
        if (peek() == '-') {
            take();
        }
        if (peek() == '0') {
            take();
        } else {
            digits();
        }
        if (peek() == '.') {
            whole = false;
            take();
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            whole = false;
            take();
            if (peek() == '+' || peek() == '-') {
                take();
            }
            digits();
        }
        String digits = new String(text, 0, length, StandardCharsets.ISO_8859_1);
        if (whole && length <= 18) {
            return Json.of(Long.parseLong(digits));
        }
        try {
            return new Json.Num(new BigDecimal(digits));
        } catch (ArithmeticException | NumberFormatException e) {
            throw wrong("a number has an exponent out of range");
        }
    }

    private void digits() throws EngineException.Invalid, IOException {
        if (!isDigit(peek())) {
            throw unexpected(peek(), "in a number");
        }
        while (isDigit(peek())) {
            take();
        }
        if (length > LONGEST_NUMBER) {
            throw wrong("a number has more than " + LONGEST_NUMBER + " digits");
        }
    }

    private void take() {
        append(buffer[at++]);
    }

    private String string() throws EngineException.Invalid, IOException {
        at++;
        length = 0;
        while (true) {
            int from = at;
            while (at < end && buffer[at] != '"' && buffer[at] != '\\' && (buffer[at] < 0 || buffer[at] >= ' ')) {
                at++;
            }
            if (at < end && buffer[at] == '"' && length == 0) {
                return new String(buffer, from, at++ - from, StandardCharsets.UTF_8);
            }
            append(from, at - from);
            int c = peek();
            if (c == '"') {
                at++;
                return new String(text, 0, length, StandardCharsets.UTF_8);
            }
            if (c == '\\') {
                at++;
                escape();
            } else if (c >= 0 && c < ' ') {
                throw unexpected(c, "in a text");
            } else if (c < 0) {
                throw wrong("it ends in a text");
            }
        }
    }

    private void escape() throws EngineException.Invalid, IOException {
        int c = peek();
        at++;
        switch (c) {
            case '"', '\\', '/' -> append((byte) c);
            case 'b' -> append((byte) '\b');
            case 'f' -> append((byte) '\f');
            case 'n' -> append((byte) '\n');
            case 'r' -> append((byte) '\r');
            case 't' -> append((byte) '\t');
            case 'u' -> codeUnit();
            default -> {
                at--;
                throw unexpected(c, "behind a backslash");
            }
        }
    }

    private void codeUnit() throws EngineException.Invalid, IOException {
        char unit = hex();
        while (Character.isHighSurrogate(unit) && peek() == '\\') {
            at++;
            if (peek() != 'u') {
                append(Character.toString(0xfffd));
                escape();
                return;
            }
            at++;
            char next = hex();
            if (Character.isLowSurrogate(next)) {
                append(Character.toString(Character.toCodePoint(unit, next)));
                return;
            }
            append(Character.toString(0xfffd));
            unit = next;
        }
        append(Character.toString(Character.isSurrogate(unit) ? 0xfffd : unit));
    }

    private char hex() throws EngineException.Invalid, IOException {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
            int digit = peek() < 0 ? -1 : Character.digit(peek(), 16);
            if (digit < 0) {
                throw unexpected(peek(), "where a hexadecimal digit should be");
            }
            at++;
            unit = unit << 4 | digit;
        }
        return (char) unit;
    }

    private void append(String characters) {
        for (byte octet : characters.getBytes(StandardCharsets.UTF_8)) {
            append(octet);
        }
    }

    private void append(byte octet) {
        if (length == text.length) {
            text = Arrays.copyOf(text, length * 2);
        }
        text[length++] = octet;
    }

    private void append(int from, int count) throws EngineException.Invalid {
        if (length + count > LONGEST_TEXT) {
            throw wrong("a text is longer than " + LONGEST_TEXT + " bytes");
        }
        if (length + count > text.length) {
            text = Arrays.copyOf(text, Math.max(length + count, text.length * 2));
        }
        System.arraycopy(buffer, from, text, length, count);
        length += count;
    }

    private int skipBlanks() throws IOException {
        int c = peek();
        while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            at++;
            c = peek();
        }
        return c;
    }

    /// The next byte, or -1 at the end.
    private int peek() throws IOException {
        if (at == end) {
            if (in == null) {
                return -1;
            }
            int count = in.read(buffer);
            at = 0;
            end = Math.max(count, 0);
            if (count <= 0) {
                return -1;
            }
        }
        return buffer[at] & 0xff;
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private static EngineException.Invalid unexpected(int c, String where) {
        if (c < 0) {
            return wrong("it ends " + where);
        }
        String shown = c > ' ' && c < 0x7f ? "'" + (char) c + "'" : "byte " + c;
        return wrong("unexpected " + shown + " " + where);
    }

    private static EngineException.Invalid wrong(String what) {
        return new EngineException.Invalid("not valid JSON: " + what);
    }
}
