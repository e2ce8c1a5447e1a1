package carafe.engine.volume;

import carafe.engine.store.VolumeRow;
import carafe.files.DriverOptions;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// A volume as it was at one moment: immutable. Its content lies at `mountpoint`.
public record Volume(String name, Instant created, Map<String, String> labels, Map<String, String> options,
        Path mountpoint) {

    /// The one driver there is.
    public static final String DRIVER = "local";

    /// The label by which Docker knows volumes that nobody named.
    static final String ANONYMOUS = "com.docker.volume.anonymous";

    private static final String ON_THE_WAY_TO = "OnTheWayTo";

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
        return row(Json.object());
    }

    /// The row while the volume's directory moves to where `next` has it.
    VolumeRow rowOnTheWayTo(String next) {
        return row(Json.object().put(ON_THE_WAY_TO, next));
    }

    private VolumeRow row(Json.Builder document) {
        return new VolumeRow(name, created.getEpochSecond() * 1_000_000_000L + created.getNano(), document
                .put("Labels", Json.ofMap(labels))
                .put("Options", Json.ofMap(options))
                .build()
                .print());
    }

    /// The new name, if the row is of [#rowOnTheWayTo].
    static Optional<String> onTheWay(VolumeRow row) throws EngineException {
        return Optional.of(document(row).text(ON_THE_WAY_TO)).filter(next -> !next.isEmpty());
    }

    static Volume of(VolumeRow row, Path mountpoint) throws EngineException {
        var document = document(row);
        try {
            return new Volume(row.name(), Instant.ofEpochSecond(0, row.createdNanos()), document.textMap("Labels"),
                    document.textMap("Options"), mountpoint);
        } catch (EngineException.Invalid e) {
            throw unreadable(row, e);
        }
    }

    private static Json.Obj document(VolumeRow row) throws EngineException.Internal {
        try {
            return Json.parseObject(row.document().getBytes(StandardCharsets.UTF_8));
        } catch (EngineException.Invalid e) {
            throw unreadable(row, e);
        }
    }

    private static EngineException.Internal unreadable(VolumeRow row, EngineException why) {
        return new EngineException.Internal(
                "the record of volume " + row.name() + " cannot be read: " + why.getMessage(), why);
    }
}
