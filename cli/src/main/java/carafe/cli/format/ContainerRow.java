package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A container of a list, as `ps` shows it.
public final class ContainerRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.ofEntries(
            Map.entry("ID", "CONTAINER ID"), Map.entry("Names", "NAMES"), Map.entry("Image", "IMAGE"),
            Map.entry("Command", "COMMAND"), Map.entry("CreatedAt", "CREATED AT"), Map.entry("RunningFor", "CREATED"),
            Map.entry("Ports", "PORTS"), Map.entry("State", "STATE"), Map.entry("Status", "STATUS"),
            Map.entry("Size", "SIZE"), Map.entry("Labels", "LABELS"), Map.entry("Mounts", "MOUNTS"),
            Map.entry("LocalVolumes", "LOCAL VOLUMES"), Map.entry("Networks", "NETWORKS"),
            Map.entry("Platform", "PLATFORM"));

    /// The fields of the default table.
    public static final List<String> COLUMNS = List.of("ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names");

    private static final String[] FIELDS = {
        "Command", "CreatedAt", "ID", "Image", "Labels", "LocalVolumes", "Mounts", "Names", "Networks", "Platform",
        "Ports", "RunningFor", "Size", "State", "Status"
    };

    private final Json.Obj container;
    private final boolean full;
    private final Instant now;

    /// `container` is an element of `GET /containers/json`; `full` leaves out no character.
    public ContainerRow(Json.Obj container, boolean full, Instant now) {
        this.container = container;
        this.full = full;
        this.now = now;
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        try {
            return switch (name) {
                case "ID" -> full ? container.text("Id") : Human.shortId(container.text("Id"));
                case "Names" -> names();
                case "Image" -> image();
                case "Command" -> command();
                case "CreatedAt" -> Human.instant(Instant.ofEpochSecond(container.number("Created", 0)));
                case "RunningFor" -> Human.duration(now.getEpochSecond() - container.number("Created", 0)) + " ago";
                case "Ports" -> Ports.displayed(container.objects("Ports"));
                case "State" -> container.text("State");
                case "Status" -> container.text("Status");
                case "Size" -> size();
                case "Labels" -> labels();
                case "Label" -> arguments.isEmpty() ? ""
                        : container.textMap("Labels").getOrDefault(String.valueOf(arguments.getFirst()), "");
                case "Mounts" -> mounts();
                case "LocalVolumes" -> localVolumes();
                case "Networks" -> String.join(",", container.object("NetworkSettings").object("Networks").fields().keySet());
                case "Platform" -> container.find("ImageManifestDescriptor").isPresent()
                        ? container.object("ImageManifestDescriptor").object("platform") : Json.NULL;
                default -> Values.ABSENT;
            };
        } catch (EngineException.Invalid e) {
            return ""; // the engine sent something else than Docker's documents; the other fields are still good
        }
    }

    private String names() throws EngineException.Invalid {
        var names = new StringBuilder();
        for (var name : container.texts("Names")) {
            String bare = name.startsWith("/") ? name.substring(1) : name;
            if (full || bare.indexOf('/') < 0) {
                names.append(names.isEmpty() ? "" : ",").append(bare);
            }
        }
        return names.toString();
    }

    private String image() throws EngineException.Invalid {
        String image = container.text("Image");
        if (image.isEmpty()) {
            return "<no image>";
        }
        if (full) {
            return image;
        }
        String id = Human.shortId(container.text("ImageID"));
        if (!id.isEmpty() && id.equals(Human.shortId(image))) {
            return id;
        }
        int digest = image.indexOf('@');
        return digest > 0 && image.lastIndexOf(':', digest) > image.lastIndexOf('/', digest)
                ? image.substring(0, digest) : image;
    }

    private String command() throws EngineException.Invalid {
        String command = container.text("Command");
        return Values.quote(full ? command : Human.ellipsis(command, 20));
    }

    private String size() throws EngineException.Invalid {
        long virtual = container.number("SizeRootFs", 0);
        String size = Human.size(container.number("SizeRw", 0), 3);
        return virtual > 0 ? size + " (virtual " + Human.size(virtual, 3) + ")" : size;
    }

    private String labels() throws EngineException.Invalid {
        var labels = new StringBuilder();
        container.textMap("Labels").forEach(
                (key, value) -> labels.append(labels.isEmpty() ? "" : ",").append(key).append('=').append(value));
        return labels.toString();
    }

    private String mounts() throws EngineException.Invalid {
        var mounts = new ArrayList<String>();
        for (var mount : container.objects("Mounts")) {
            String name = mount.text("Name");
            name = name.isEmpty() ? mount.text("Source") : name;
            mounts.add(full ? name : Human.ellipsis(name, 15));
        }
        return String.join(",", mounts);
    }

    private String localVolumes() throws EngineException.Invalid {
        int count = 0;
        for (var mount : container.objects("Mounts")) {
            count += mount.text("Driver").equals("local") ? 1 : 0;
        }
        return Integer.toString(count);
    }

    @Override
    public String typeName() {
        return "*formatter.ContainerContext";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, FIELDS);
    }
}
