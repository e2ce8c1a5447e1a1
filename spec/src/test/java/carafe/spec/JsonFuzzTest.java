package carafe.spec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// Our reader beside jackson-core's: both accept the same texts and agree on what they say.
class JsonFuzzTest {

    private static final JsonFactory PEER = new JsonFactory();
    private static final String[] PIECES = {
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"\"", "\"b\\n\\u00e9\\\\\"", "1", "-1", "0", "01", "1.5", "1e3", "-0",
        "1E-2", "1.",
        ".5", "-", "true", "false", "null", "tru",
        " ", "\n", "\t", "\"", "\\", "\"\\x\"", "\"\u0001\"", "\"é€😀\"", "9223372036854775807",
        "9223372036854775808", "123456789012345678901234567890.5", "+1", "'a'", "/*c*/", "NaN"
    };

    @Test
    void agreesWithJacksonOnAnyText() {
        long seed = Long.getLong("seed", 8_259L);
        var random = new Random(seed);
        for (int round = 0; round < 60_000; round++) {
            var text = new StringBuilder();
            if (random.nextInt(3) > 0) {
                valid(random, text, 0);
            }
            for (int piece = random.nextInt(6); piece > 0; piece--) {
                text.insert(random.nextInt(text.length() + 1), PIECES[random.nextInt(PIECES.length)]);
            }
            compare(text.toString().getBytes(StandardCharsets.UTF_8), "seed " + seed + ", text " + text);
        }
    }

    private static void valid(Random random, StringBuilder text, int depth) {
        int kind = random.nextInt(depth > 4 ? 4 : 6);
        switch (kind) {
            case 0 -> text.append(random.nextInt(2000) - 1000);
            case 1 -> text.append(BigDecimal.valueOf(random.nextLong(), random.nextInt(30)));
            case 2 -> text.append(new Json.Str(random.ints(random.nextInt(12), 0, 0x250).collect(StringBuilder::new,
                    StringBuilder::appendCodePoint, StringBuilder::append).toString()).print());
            case 3 -> text.append(random.nextBoolean() ? "true" : "null");
            case 4 -> {
                text.append('[');
                for (int i = random.nextInt(4); i > 0; i--) {
                    valid(random, text, depth + 1);
                    text.append(i > 1 ? " , " : "");
                }
                text.append(']');
            }
            default -> {
                text.append('{');
                for (int i = random.nextInt(4); i > 0; i--) {
                    text.append("\"k").append(i).append("\" :");
                    valid(random, text, depth + 1);
                    text.append(i > 1 ? "," : "");
                }
                text.append('}');
            }
        }
    }

    private static void compare(byte[] bytes, String what) {
        String theirs = theirs(bytes);
        String ours;
        try {
            Json read = Json.parse(bytes);
            ours = said(read);
            assertThat(Json.parse(read.print())).as(what).isEqualTo(read);
            assertThat(Json.parse(read.printIndented("  "))).as(what).isEqualTo(read);
        } catch (EngineException.Invalid e) {
            ours = "refused";
        }
        assertThat(ours).as(what).isEqualTo(theirs);
    }

    private static String said(Json json) {
        var text = new StringBuilder();
        switch (json) {
            case Json.Obj object -> object.fields().forEach((name, value) -> text.append(name).append('=').append(said(value)));
            case Json.Arr array -> array.elements().forEach(element -> text.append('[').append(said(element)));
            case Json.Str string -> text.append('"').append(string.text());
            case Json.Num number -> text.append(number.number().stripTrailingZeros());
            case Json.Bool truth -> text.append(truth.truth());
            case Json.Null _ -> text.append("null");
        }
        return text.append(';').toString();
    }

    private static String theirs(byte[] bytes) {
        try (var parser = PEER.createParser(ObjectReadContext.empty(), bytes)) {
            JsonToken token = parser.nextToken();
            if (token == null) {
                return "refused";
            }
            String said = said(tree(parser, token));
            return parser.nextToken() == null ? said : "refused";
        } catch (JacksonException | NumberFormatException e) {
            return "refused";
        }
    }

    private static Json tree(JsonParser parser, JsonToken token) {
        return switch (token) {
            case START_OBJECT -> {
                var fields = new LinkedHashMap<String, Json>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    fields.put(name, tree(parser, parser.nextToken()));
                }
                yield new Json.Obj(fields);
            }
            case START_ARRAY -> {
                var elements = new ArrayList<Json>();
                for (JsonToken next = parser.nextToken(); next != JsonToken.END_ARRAY; next = parser.nextToken()) {
                    elements.add(tree(parser, next));
                }
                yield new Json.Arr(elements);
            }
            case VALUE_STRING -> new Json.Str(parser.getString());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Json.Num(parser.getDecimalValue());
            case VALUE_TRUE, VALUE_FALSE -> Json.of(token == JsonToken.VALUE_TRUE);
            default -> Json.NULL;
        };
    }

    @Test
    void anyBytesAreReadOrRefusedAlsoFromAStreamThatDribbles() throws Exception {
        var random = new Random(42);
        for (int round = 0; round < 20_000; round++) {
            var bytes = new byte[random.nextInt(24)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : "{}[]\",:\\u0e1 -".charAt(random.nextInt(14)));
            }
            String whole;
            try {
                whole = Json.parse(bytes).print();
            } catch (EngineException.Invalid e) {
                continue;
            }
            var dribbling = new ByteArrayInputStream(bytes) {
                @Override
                public synchronized int read(byte[] into) {
                    return read(into, 0, 1);
                }
            };
            try (var stream = Json.stream(dribbling)) {
                assertThat(stream.next().orElseThrow().print()).isEqualTo(whole);
                assertThat(stream.next()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e99999999999", "[1", "{\"a\"", "{\"a\":", "\"a", "\"\\", "\"\\u12", "nul", "-", "1e", "1.", ""})
    void whatBreaksOffIsRefused(String text) {
        assertThatThrownBy(() -> Json.parse(text)).isInstanceOf(EngineException.Invalid.class)
                .hasMessageStartingWith("not valid JSON: ");
    }

    @Test
    void surrogatesAreJoinedAndHalvesReplaced() throws Exception {
        assertThat(Json.parse("\"\\ud83d\\ude00 \\ud83d \\ude00 \\ud83d\\n\\ud83d\\ud83d\\ude00\""))
                .isEqualTo(new Json.Str("😀 \ufffd \ufffd \ufffd\n\ufffd😀"));
    }

    @Test
    void longTextsAndNumbersAreBounded() {
        assertThatThrownBy(() -> Json.parse("1".repeat(1001))).hasMessageContaining("1000 digits");
        assertThatThrownBy(() -> Json.parse("\"" + "x".repeat(33 << 20) + "\\n\"")).hasMessageContaining("longer than");
    }
}
