package carafe.build.solve;

import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.oci.Digest;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.AbstractMap;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The result of a step, by its key: the layer it made (none when it changed no file), when, how often it was used
/// since, what people call it, and what went into its key, so that a later difference can be told.
record StepRecord(Digest key, String kind, String description, Optional<Layer> layer, Instant created, Instant used,
        int uses, Map<String, String> inputs) {

    StepRecord {
        inputs = inputs instanceof Inputs ? inputs : new Inputs(inputs);
    }

    /// A copy that nobody changes, sorted; of a context's thousands of files it is made once, not with each use.
    private static final class Inputs extends AbstractMap<String, String> {
        private final Map<String, String> sorted;

        Inputs(Map<String, String> inputs) {
            sorted = Collections.unmodifiableMap(new TreeMap<>(inputs));
        }

        @Override
        public @Nullable String get(Object name) {
            return sorted.get(name);
        }

        @Override
        public boolean containsKey(Object name) {
            return sorted.containsKey(name);
        }

        @Override
        public Set<Map.Entry<String, String>> entrySet() {
            return sorted.entrySet();
        }
    }

    StepRecord usedAt(Instant now) {
        return new StepRecord(key, kind, description, layer, created, now, uses + 1, inputs);
    }

    /// The record as text: a line with the digest of what follows, then the document.
    byte[] print() {
        var json = Json.object().put("key", key.toString()).put("kind", kind).put("description", description)
                .put("created", created.toString()).put("used", used.toString()).put("uses", uses)
                .put("inputs", Json.ofMap(inputs));
        layer.ifPresent(value -> json.put("layer", value.diffId().toString()).put("bytes", value.blob().size()));
        byte[] document = json.build().printBytes();
        byte[] seal = (Digest.sha256(document).hex() + "\n").getBytes(StandardCharsets.US_ASCII);
        byte[] whole = new byte[seal.length + document.length];
        System.arraycopy(seal, 0, whole, 0, seal.length);
        System.arraycopy(document, 0, whole, seal.length, document.length);
        return whole;
    }

    /// Reads what [#print] wrote; empty when it was cut or changed.
    static Optional<StepRecord> parse(byte[] bytes) {
        if (bytes.length < 65) {
            return Optional.empty();
        }
        byte[] document = Arrays.copyOfRange(bytes, 65, bytes.length);
        String seal = new String(bytes, 0, 64, StandardCharsets.US_ASCII);
        if (!Digest.sha256(document).hex().equals(seal)) {
            return Optional.empty();
        }
        try {
            var json = Json.parseObject(document);
            Optional<Layer> layer = json.find("layer").isEmpty() ? Optional.empty()
                    : Optional.of(Layer.plain(Digest.parse(json.text("layer")), json.number("bytes", 0)));
            return Optional.of(new StepRecord(Digest.parse(json.text("key")), json.text("kind"),
                    json.text("description"), layer, Instant.parse(json.text("created")),
                    Instant.parse(json.text("used")), (int) json.number("uses", 0), json.textMap("inputs")));
        } catch (EngineException.Invalid | DateTimeException e) {
            return Optional.empty(); // of another version
        }
    }
}
