package carafe.spec;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/// Between jackson-core's tokens and the [Json] tree. Recursion is bounded by the parser's depth limit.
final class Codec {

    static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(100)
                    .maxStringLength(32 << 20)
                    .maxDocumentLength(-1)
                    .build())
            .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .build();

    private Codec() {}

    static Json read(JsonParser parser) throws EngineException.Invalid {
        JsonToken token = parser.nextToken();
        if (token == null) {
            throw new EngineException.Invalid("not valid JSON: it is empty");
        }
        return value(parser, token);
    }

    static Json value(JsonParser parser, JsonToken token) throws EngineException.Invalid {
        return switch (token) {
            case START_OBJECT -> {
                var fields = new LinkedHashMap<String, Json>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    fields.put(name, read(parser));
                }
                yield new Json.Obj(fields);
            }
            case START_ARRAY -> {
                var elements = new ArrayList<Json>();
                for (JsonToken next = parser.nextToken(); next != JsonToken.END_ARRAY; next = parser.nextToken()) {
                    elements.add(value(parser, next));
                }
                yield new Json.Arr(elements);
            }
            case VALUE_STRING -> new Json.Str(parser.getString());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Json.Num(parser.getDecimalValue());
            case VALUE_TRUE -> new Json.Bool(true);
            case VALUE_FALSE -> new Json.Bool(false);
            case VALUE_NULL -> Json.NULL;
            case END_OBJECT, END_ARRAY, PROPERTY_NAME, NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT ->
                throw new EngineException.Invalid("not valid JSON: unexpected " + token.name().toLowerCase(Locale.ROOT));
        };
    }

    static void write(JsonGenerator generator, Json value) {
        switch (value) {
            case Json.Obj(var fields) -> {
                generator.writeStartObject();
                fields.forEach((name, field) -> {
                    generator.writeName(name);
                    write(generator, field);
                });
                generator.writeEndObject();
            }
            case Json.Arr(var elements) -> {
                generator.writeStartArray();
                elements.forEach(element -> write(generator, element));
                generator.writeEndArray();
            }
            case Json.Str(var text) -> generator.writeString(text);
            case Json.Num(var number) -> {
                if (number.scale() <= 0 && number.precision() - number.scale() <= 18) {
                    generator.writeNumber(number.longValueExact());
                } else {
                    generator.writeNumber(number);
                }
            }
            case Json.Bool(var truth) -> generator.writeBoolean(truth);
            case Json.Null() -> generator.writeNull();
        }
    }

    static void indented(Json value, String indent, String lineStart, StringBuilder out) {
        switch (value) {
            case Json.Obj(var fields) when !fields.isEmpty() -> {
                String separator = "{";
                for (var field : fields.entrySet()) {
                    out.append(separator).append(lineStart).append(indent);
                    out.append(new Json.Str(field.getKey()).print()).append(": ");
                    indented(field.getValue(), indent, lineStart + indent, out);
                    separator = ",";
                }
                out.append(lineStart).append('}');
            }
            case Json.Arr(var elements) when !elements.isEmpty() -> {
                String separator = "[";
                for (var element : elements) {
                    out.append(separator).append(lineStart).append(indent);
                    indented(element, indent, lineStart + indent, out);
                    separator = ",";
                }
                out.append(lineStart).append(']');
            }
            default -> out.append(value.print());
        }
    }

}
