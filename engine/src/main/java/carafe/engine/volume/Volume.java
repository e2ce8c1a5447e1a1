package carafe.engine.volume;

import carafe.engine.store.VolumeRow;
import carafe.files.DriverOptions;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// A volume as it was at one moment: immutable. Its content lies at `mountpoint`.
public record Volume(String name, Instant created, Map<String, String> labels, Map<String, String> options,
        Path mountpoint) {

    /// The one driver there is.
    public static final String DRIVER = "local";

    /// The label by which Docker knows volumes that nobody named.
    static final String ANONYMOUS = "com.docker.volume.anonymous";

    public Volume {
        labels = Collections.unmodifiableMap(new TreeMap<>(labels));
        options = Collections.unmodifiableMap(new TreeMap<>(options));
    }

    /// Whether nobody named it.
    public boolean isAnonymous() {
        return labels.containsKey(ANONYMOUS);
    }

    /// The same under another name. Who gives a name means to keep it: it is anonymous no more.
    Volume renamed(String next, Path place) {
        return new Volume(next, created, labelsOfNamed(), options, place);
    }

    /// The labels without the one by which nobody's volumes are known.
    Map<String, String> labelsOfNamed() {
        var kept = new TreeMap<>(labels);
        kept.remove(ANONYMOUS);
        return kept;
    }

    DriverOptions driverOptions() throws EngineException.Invalid {
        return options.isEmpty() ? DriverOptions.NONE : DriverOptions.parse(name, options);
    }

    VolumeRow row() {
        String document = Json.object()
                .put("Labels", Json.ofMap(labels))
                .put("Options", Json.ofMap(options))
                .build()
                .print();
        return new VolumeRow(name, created.getEpochSecond() * 1_000_000_000L + created.getNano(), document);
    }

    static Volume of(VolumeRow row, Path mountpoint) throws EngineException {
        try {
            var document = Json.parseObject(row.document().getBytes(java.nio.charset.StandardCharsets.UTF_8));
            return new Volume(row.name(), Instant.ofEpochSecond(0, row.createdNanos()), document.textMap("Labels"),
                    document.textMap("Options"), mountpoint);
        } catch (EngineException.Invalid e) {
            throw new EngineException.Internal(
                    "the record of volume " + row.name() + " cannot be read: " + e.getMessage(), e);
        }
    }
}
