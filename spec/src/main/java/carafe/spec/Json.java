package carafe.spec;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// A JSON value. Documents are read into this tree and each noun picks what it knows, so unknown fields survive an
/// echo, keys match as Go matches them (any case), and no reflection runs at start-up.
///
/// Parsing is bounded: depth 100, strings and documents as [#parse(byte[])] says; a breach is [EngineException.Invalid].
/// Source: RFC 8259; key matching as Go's encoding/json, which Docker's clients rely on.
public sealed interface Json {

    /// JSON's null.
    Json NULL = new Null();

    /// An object; keeps the order of its keys. Lookups match the exact key first, then any case.
    record Obj(Map<String, Json> fields) implements Json {
        public Obj {
            fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
        }

        /// The value under `key`; empty when absent or null.
        public Optional<Json> find(String key) {
            Json value = fields.get(key);
            if (value == null) {
                for (var field : fields.entrySet()) {
                    if (field.getKey().equalsIgnoreCase(key)) {
                        value = field.getValue();
                    }
                }
            }
            return value == null || value instanceof Null ? Optional.empty() : Optional.of(value);
        }

        /// The text under `key`, or `""` when absent.
        public String text(String key) throws EngineException.Invalid {
            return text(key, "");
        }

        /// The text under `key`, or `otherwise` when absent.
        public String text(String key, String otherwise) throws EngineException.Invalid {
            var value = find(key);
            if (value.isEmpty()) {
                return otherwise;
            }
            if (value.get() instanceof Str(String text)) {
                return text;
            }
            throw wrong(key, "a string", value.get());
        }

        /// The whole number under `key`; empty when absent.
        public Optional<Long> number(String key) throws EngineException.Invalid {
            var value = find(key);
            if (value.isEmpty()) {
                return Optional.empty();
            }
            if (value.get() instanceof Num number) {
                var whole = number.whole();
                if (whole.isPresent()) {
                    return Optional.of(whole.getAsLong());
                }
                throw wrong(key, "a whole number of at most 64 bits", value.get());
            }
            throw wrong(key, "a number", value.get());
        }

        /// The whole number under `key`, or `otherwise` when absent.
        public long number(String key, long otherwise) throws EngineException.Invalid {
            return number(key).orElse(otherwise);
        }

        /// The truth under `key`; false when absent.
        public boolean truth(String key) throws EngineException.Invalid {
            return truth(key, false);
        }

        /// The truth under `key`, or `otherwise` when absent.
        public boolean truth(String key, boolean otherwise) throws EngineException.Invalid {
            var value = find(key);
            if (value.isEmpty()) {
                return otherwise;
            }
            if (value.get() instanceof Bool(boolean truth)) {
                return truth;
            }
            throw wrong(key, "true or false", value.get());
        }

        /// The object under `key`; an empty one when absent.
        public Obj object(String key) throws EngineException.Invalid {
            var value = find(key);
            if (value.isEmpty()) {
                return EMPTY;
            }
            if (value.get() instanceof Obj object) {
                return object;
            }
            throw wrong(key, "an object", value.get());
        }

        /// The elements under `key`; none when absent.
        public List<Json> list(String key) throws EngineException.Invalid {
            var value = find(key);
            if (value.isEmpty()) {
                return List.of();
            }
            if (value.get() instanceof Arr(List<Json> elements)) {
                return elements;
            }
            throw wrong(key, "an array", value.get());
        }

        /// The texts under `key`; none when absent.
        public List<String> texts(String key) throws EngineException.Invalid {
            var texts = new ArrayList<String>();
            for (var element : list(key)) {
                if (!(element instanceof Str(String text))) {
                    throw wrong(key, "an array of strings", element);
                }
                texts.add(text);
            }
            return List.copyOf(texts);
        }

        /// The objects under `key`; none when absent.
        public List<Obj> objects(String key) throws EngineException.Invalid {
            var objects = new ArrayList<Obj>();
            for (var element : list(key)) {
                if (!(element instanceof Obj object)) {
                    throw wrong(key, "an array of objects", element);
                }
                objects.add(object);
            }
            return List.copyOf(objects);
        }

        /// The map of texts under `key` (labels, options), in order; empty when absent.
        public Map<String, String> textMap(String key) throws EngineException.Invalid {
            var texts = new LinkedHashMap<String, String>();
            for (var field : object(key).fields.entrySet()) {
                if (!(field.getValue() instanceof Str(String text))) {
                    throw wrong(key, "an object of strings", field.getValue());
                }
                texts.put(field.getKey(), text);
            }
            return Collections.unmodifiableMap(texts);
        }

        /// This object with `key` set, replacing an equal key in place.
        public Obj with(String key, Json value) {
            return with(Map.of(key, value));
        }

        /// This object with all of `changes` set, each replacing an equal key in place; new ones come last, in their order.
        public Obj with(Map<String, Json> changes) {
            var copy = new LinkedHashMap<>(fields);
            copy.putAll(changes);
            return new Obj(copy);
        }

        private static EngineException.Invalid wrong(String key, String wanted, Json found) {
            String shown = found.print();
            return new EngineException.Invalid("\"" + key + "\" must be " + wanted + ", not "
                    + (shown.length() > 60 ? shown.substring(0, 60) + "…" : shown));
        }

        private static final Obj EMPTY = new Obj(Map.of());
    }

    /// An array.
    record Arr(List<Json> elements) implements Json {
        public Arr {
            elements = List.copyOf(elements);
        }
    }

    /// A string.
    record Str(String text) implements Json {}

    /// A number, exact. Whole ones of up to 64 bits never become a BigDecimal unless asked for: its class initialiser
    /// computes 5^65536, which is 10 ms of a cold start.
    final class Num implements Json {
        private final long whole;
        private final @Nullable BigDecimal exact;

        /// Any number.
        public Num(BigDecimal number) {
            boolean fits = number.scale() <= 0 && number.precision() - number.scale() <= 18;
            whole = fits ? number.longValueExact() : 0;
            exact = fits ? null : number;
        }

        private Num(long number) {
            whole = number;
            exact = null;
        }

        /// The number.
        public BigDecimal number() {
            return exact == null ? BigDecimal.valueOf(whole) : exact;
        }

        /// The number if it is a whole one of at most 64 bits.
        public OptionalLong whole() {
            if (exact == null) {
                return OptionalLong.of(whole);
            }
            try {
                return OptionalLong.of(exact.longValueExact());
            } catch (ArithmeticException e) {
                return OptionalLong.empty();
            }
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Num num && whole == num.whole && Objects.equals(exact, num.exact);
        }

        @Override
        public int hashCode() {
            return Long.hashCode(whole) + Objects.hashCode(exact);
        }

        /// The number as JSON.
        @Override
        public String toString() {
            return exact == null ? Long.toString(whole) : exact.toString();
        }
    }

    /// True or false.
    record Bool(boolean truth) implements Json {}

    /// Null.
    record Null() implements Json {}

    /// Starts an object to be built key by key.
    static Builder object() {
        return new Builder();
    }

    static Json of(@Nullable String text) {
        return text == null ? NULL : new Str(text);
    }

    static Json of(long number) {
        return new Num(number);
    }

    static Json of(double number) {
        return new Num(BigDecimal.valueOf(number));
    }

    static Json of(boolean truth) {
        return new Bool(truth);
    }

    /// An array of strings.
    static Json ofTexts(Collection<String> texts) {
        return new Arr(texts.stream().<Json>map(Str::new).toList());
    }

    /// An array.
    static Json ofAll(Collection<? extends Json> elements) {
        return new Arr(List.copyOf(elements));
    }

    /// An object of strings, in the map's order.
    static Json ofMap(Map<String, String> texts) {
        var builder = object();
        texts.forEach(builder::put);
        return builder.build();
    }

    /// Collects the fields of an object in order.
    final class Builder {
        private final Map<String, Json> fields = new LinkedHashMap<>();

        private Builder() {}

        /// Sets `key`; one already there keeps its place.
        public Builder put(String key, Json value) {
            fields.put(key, value);
            return this;
        }

        public Builder put(String key, @Nullable String value) {
            return put(key, of(value));
        }

        public Builder put(String key, long value) {
            return put(key, of(value));
        }

        public Builder put(String key, double value) {
            return put(key, of(value));
        }

        public Builder put(String key, boolean value) {
            return put(key, of(value));
        }

        /// Puts all fields of `other` after those already here.
        public Builder putAll(Obj other) {
            fields.putAll(other.fields);
            return this;
        }

        public Obj build() {
            return new Obj(fields);
        }
    }

    /// Reads exactly one value from `bytes`; anything but white space behind it is refused. At most 64 MiB.
    static Json parse(byte[] bytes) throws EngineException.Invalid {
        var reader = new JsonReader(bytes);
        try {
            if (reader.isAtEnd()) {
                throw new EngineException.Invalid("not valid JSON: it is empty");
            }
            Json value = reader.value();
            if (!reader.isAtEnd()) {
                throw new EngineException.Invalid("unexpected content after JSON");
            }
            return value;
        } catch (IOException e) {
            throw new AssertionError(e); // memory does not fail
        }
    }

    static Json parse(String text) throws EngineException.Invalid {
        return parse(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Reads one object.
    static Obj parseObject(byte[] bytes) throws EngineException.Invalid {
        if (parse(bytes) instanceof Obj object) {
            return object;
        }
        throw new EngineException.Invalid("not a JSON object");
    }

    /// Reads a stream of values one after the other, as Docker's events and progress are; blocks as `in` blocks.
    static Stream stream(InputStream in) {
        return new Stream(new JsonReader(in));
    }

    /// Values that follow each other in one stream of bytes, which closing leaves open.
    final class Stream implements AutoCloseable {
        private final JsonReader reader;

        private Stream(JsonReader reader) {
            this.reader = reader;
        }

        /// The next value; empty at the end of the stream. A stream that breaks is Invalid too.
        public Optional<Json> next() throws EngineException.Invalid {
            try {
                return reader.isAtEnd() ? Optional.empty() : Optional.of(reader.value());
            } catch (IOException e) {
                throw new EngineException.Invalid("not valid JSON: it breaks off: " + e.getMessage());
            }
        }

        @Override
        public void close() {
            // the stream belongs to who opened it
        }
    }

    /// This value on one line, without HTML escapes.
    default String print() {
        var text = new StringBuilder();
        JsonWriter.line(this, text);
        return text.toString();
    }

    /// This value on one line in UTF-8.
    default byte[] printBytes() {
        return print().getBytes(StandardCharsets.UTF_8);
    }

    /// Writes this value on one line in UTF-8 and leaves `out` open.
    default void write(OutputStream out) throws IOException {
        out.write(printBytes());
    }

    /// This value over several lines, each level indented by `indent`, as Go's MarshalIndent prints it.
    default String printIndented(String indent) {
        var text = new StringBuilder();
        JsonWriter.indented(this, indent, "\n", text);
        return text.toString();
    }
}
