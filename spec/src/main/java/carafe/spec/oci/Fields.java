package carafe.spec.oci;

import carafe.spec.Json;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Builds an object of an OCI document and leaves out what is absent: empty texts, lists, maps and objects,
/// false, and empty optionals.
final class Fields {

    private final Json.Builder builder = Json.object();

    Fields put(String key, String text) {
        if (!text.isEmpty()) {
            builder.put(key, text);
        }
        return this;
    }

    Fields put(String key, boolean truth) {
        if (truth) {
            builder.put(key, true);
        }
        return this;
    }

    Fields put(String key, Optional<Long> number) {
        number.ifPresent(value -> builder.put(key, value));
        return this;
    }

    Fields put(String key, List<String> texts) {
        if (!texts.isEmpty()) {
            builder.put(key, Json.ofTexts(texts));
        }
        return this;
    }

    Fields put(String key, Map<String, String> texts) {
        if (!texts.isEmpty()) {
            builder.put(key, Json.ofMap(texts));
        }
        return this;
    }

    Fields put(String key, Json.Obj object) {
        if (!object.fields().isEmpty()) {
            builder.put(key, object);
        }
        return this;
    }

    Fields always(String key, Json value) {
        builder.put(key, value);
        return this;
    }

    <T> Fields putAll(String key, List<T> elements, Function<T, Json> writer) {
        if (!elements.isEmpty()) {
            builder.put(key, Json.ofAll(elements.stream().map(writer).toList()));
        }
        return this;
    }

    Json.Obj build() {
        return builder.build();
    }
}
