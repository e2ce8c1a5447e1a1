package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A volume as `volume ls` shows it.
public final class VolumeRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.of(
            "Name", "VOLUME NAME", "Driver", "DRIVER", "Scope", "SCOPE", "Mountpoint", "MOUNTPOINT",
            "Labels", "LABELS", "Links", "LINKS", "Size", "SIZE", "Availability", "AVAILABILITY", "Group", "GROUP",
            "Status", "STATUS");

    /// The fields of the default table.
    public static final List<String> COLUMNS = List.of("Driver", "Name");

    private static final List<String> FIELDS = List.of(
            "Availability", "Driver", "Group", "Labels", "Links", "Mountpoint", "Name", "Scope", "Size", "Status");

    private final Json.Obj volume;

    /// An element of `GET /volumes`.
    public VolumeRow(Json.Obj volume) {
        this.volume = volume;
    }

    /// Its name, which orders the rows.
    public String name() {
        return text("Name");
    }

    private String text(String key) {
        try {
            return volume.text(key);
        } catch (EngineException.Invalid e) {
            return "";
        }
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        return switch (name) {
            case "Driver", "Mountpoint", "Name", "Scope" -> text(name);
            case "Links", "Size", "Availability", "Group", "Status" -> "N/A";
            case "Labels" -> labels().entrySet().stream()
                    .map(label -> label.getKey() + "=" + label.getValue())
                    .sorted()
                    .collect(Collectors.joining(","));
            case "Label" -> arguments.size() == 1
                    ? labels().getOrDefault(String.valueOf(arguments.getFirst()), "") : Values.ABSENT;
            default -> Values.ABSENT;
        };
    }

    private Map<String, String> labels() {
        try {
            return volume.textMap("Labels");
        } catch (EngineException.Invalid e) {
            return Map.of();
        }
    }

    @Override
    public String typeName() {
        return "*formatter.volumeContext";
    }

    @Override
    public Json asJson() {
        var json = Json.object();
        FIELDS.forEach(name -> json.put(name, String.valueOf(field(name, List.of()))));
        return json.build();
    }
}
