package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import carafe.spec.docker.Timestamps;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A network as `network ls` shows it.
public record NetworkRow(Json.Obj network, boolean full) implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.of(
            "ID", "NETWORK ID", "Name", "NAME", "Driver", "DRIVER", "Scope", "SCOPE", "IPv4", "IPV4", "IPv6", "IPV6",
            "Internal", "INTERNAL", "Labels", "LABELS", "CreatedAt", "CREATED AT");

    private static final String[] FIELDS = {
        "CreatedAt", "Driver", "ID", "IPv4", "IPv6", "Internal", "Labels", "Name", "Scope"
    };

    @Override
    public Object field(String name, List<Object> arguments) {
        try {
            return switch (name) {
                case "ID" -> full ? network.text("Id") : Human.shortId(network.text("Id"));
                case "Name" -> network.text("Name");
                case "Driver" -> network.text("Driver");
                case "Scope" -> network.text("Scope");
                case "IPv4" -> String.valueOf(network.truth("EnableIPv4", true));
                case "IPv6" -> String.valueOf(network.truth("EnableIPv6"));
                case "Internal" -> String.valueOf(network.truth("Internal"));
                case "CreatedAt" -> Timestamps.parse(network.text("Created")).map(Human::moment).orElse("");
                case "Labels" -> labels();
                case "Label" -> arguments.size() == 1 && arguments.getFirst() instanceof String key
                        ? network.textMap("Labels").getOrDefault(key, "")
                        : "";
                default -> Values.ABSENT;
            };
        } catch (EngineException.Invalid e) {
            return ""; // the engine sent something else than Docker's documents; the other fields are still good
        }
    }

    private String labels() throws EngineException.Invalid {
        var text = new StringBuilder();
        new TreeMap<>(network.textMap("Labels")).forEach((key, value) ->
                text.append(text.isEmpty() ? "" : ",").append(key).append('=').append(value));
        return text.toString();
    }

    @Override
    public String typeName() {
        return "*formatter.networkContext";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, FIELDS);
    }
}
